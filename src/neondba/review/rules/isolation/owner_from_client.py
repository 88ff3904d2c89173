"""The owner of the rows is taken from the request and believed.

A `user_id` in the path, the query or the body says what the client claims, not who it is. Without a
comparison with the signed-in user, changing one value in the address reaches another user's rows.

## Instead

```python bad path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@app.get("/{user_id}/tasks")
def tasks(user_id: str, session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Task).where(Task.user_id == user_id)).all()  # <- finding
```

```python good path=app/main.py
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session, verify_user_access

app = FastAPI()

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@app.get("/tasks")
def tasks(session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Task).where(Task.user_id == user.id)).all()

@app.get("/{user_id}/tasks")
def compared(user_id: str, session: Session = Depends(get_session), user=Depends(get_current_user)):
    if user_id != user.id:
        raise HTTPException(403)
    return session.exec(select(Task).where(Task.user_id == user_id)).all()

@app.get("/{user_id}/done")
def dependency(user_id: str = Depends(verify_user_access), session: Session = Depends(get_session)):
    return session.exec(select(Task).where(Task.user_id == user_id)).all()
```

New rows are made in the name of whoever is named:

```python bad path=app/main.py case=created
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel

from app.deps import get_current_user, get_session

app = FastAPI()

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    title: str

@app.post("/{user_id}/tasks")
def add(user_id: str, title: str, session: Session = Depends(get_session), user=Depends(get_current_user)):
    session.add(Task(user_id=user_id, title=title))  # <- finding
    session.commit()
```

```python good path=app/main.py case=created-for-self
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel

from app.deps import get_current_user, get_session

app = FastAPI()

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    title: str

@app.post("/{user_id}/tasks")
def add(user_id: str, title: str, session: Session = Depends(get_session), user=Depends(get_current_user)):
    if str(user.id) != user_id:
        raise HTTPException(403)
    session.add(Task(user_id=user_id, title=title))
    session.commit()
```

A WebSocket is a door like any other, and a conversion of the id checks nothing:

```python bad path=app/live.py
from uuid import UUID

from fastapi import APIRouter, WebSocket
from sqlmodel import Field, SQLModel, select

from app.db import open_session

router = APIRouter()

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: UUID

@router.websocket("/ws/{user_id}")
async def live(websocket: WebSocket, user_id: str):
    async with open_session() as session:
        found = await session.exec(select(Task).where(Task.user_id == UUID(user_id)))  # <- finding
        await websocket.send_json([t.id for t in found])
```

The group that a user works for is taken from the user in the same way, not from the address:

```python bad path=app/main.py case=tenant
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select

from app.deps import get_current_user, get_session

app = FastAPI()

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    account_ref_id: str = Field(foreign_key="account.ref_id")

class ApiKey(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    account_ref_id: str = Field(foreign_key="account.ref_id", index=True)

@app.get("/keys/{account_ref_id}")
def keys(account_ref_id: str, session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(ApiKey).where(ApiKey.account_ref_id == account_ref_id)).all()  # <- finding
```

```python good path=app/main.py case=members
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, select

from app.deps import get_current_user, get_session

app = FastAPI()

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    account_ref_id: str = Field(foreign_key="account.ref_id")

class ApiKey(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    account_ref_id: str = Field(foreign_key="account.ref_id", index=True)

@app.get("/keys/{account_ref_id}")
def keys(account_ref_id: str, session: Session = Depends(get_session), user=Depends(get_current_user)):
    if user.account_ref_id != account_ref_id:
        raise HTTPException(404)
    return session.exec(select(ApiKey).where(ApiKey.account_ref_id == account_ref_id)).all()
```

## When it does not matter

Routes of administrators, and services called by other services:

```python good path=app/admin.py
from fastapi import APIRouter, Depends
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_session, require_admin

router = APIRouter(prefix="/admin", dependencies=[Depends(require_admin)])

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@router.get("/users/{user_id}/tasks")
def tasks(user_id: str, session: Session = Depends(get_session)):
    return session.exec(select(Task).where(Task.user_id == user_id)).all()
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.guards import CHECKING, called, mentions
from neondba.project.owners import Model
from neondba.project.python import Function
from neondba.project.reach import Created, Handling, Reach, Reached, is_chosen
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB403", Category.ISOLATION, Severity.HIGH)
def check(reach: Reach) -> Iterator[Finding]:
    """Look for owner conditions on a value that only the client vouches for."""
    if reach.has_row_security:
        return
    for handling in reach.handlings:
        claimed = _claimed(handling, reach.claims)
        if not claimed or handling.route.is_for_staff or _is_compared(handling.route.function, claimed):
            continue
        reached = next((r for r in handling.reached if _uses_claim(r)), None)
        if reached is not None:
            statement = reached.statement
            yield _finding(handling, statement.model, statement.file.path, statement.line)
        elif handling.created:
            made = handling.created[0]
            yield _made_for_another(handling, made)


def _claimed(handling: Handling, claims: frozenset[str]) -> frozenset[str]:
    """Give the client's parameters that name a user and that no dependency has seen."""
    route = handling.route
    seen: frozenset[str] = frozenset().union(*(d.read_from_request for d in route.dependencies))
    names = {n for n in route.client_parameters if n.lower() in claims}
    return frozenset(names - seen)


def _is_compared(function: Function, claimed: frozenset[str]) -> bool:
    """Tell whether the claim is compared with no column, or handed to a check."""
    for node in function.nodes:
        if isinstance(node, ast.Compare) and _compares(node, claimed):
            return True
        if isinstance(node, ast.Call) and CHECKING.search(called(node)):
            arguments = (*node.args, *(k.value for k in node.keywords))
            if any(mentions(a, claimed) for a in arguments):
                return True
    return False


def _compares(node: ast.Compare, claimed: frozenset[str]) -> bool:
    parts = [node.left, *node.comparators]
    if not any(mentions(p, claimed) for p in parts):
        return False
    others = [p for p in parts if not mentions(p, claimed)]
    return any(not isinstance(p, ast.Constant) and not _is_column(p) for p in others)


def _is_column(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id[:1].isupper()
    )


def _uses_claim(reached: Reached) -> bool:
    model = reached.statement.model
    return any(
        column in model.owners and is_chosen(value, reached.client)
        for column, value in reached.statement.equalities()
    )


def _finding(handling: Handling, model: Model, path: str, line: int) -> Finding:
    owner = model.owners[0]
    return Finding(
        path,
        line,
        f"Any {_known(handling)} who puts another id into {_address(handling)} reaches that user's "
        f"{model.name} rows: {handling.route.function.name}() believes the {owner} it is given.",
        steps=_steps(handling, owner),
        snippet=f"select({model.name}).where({model.name}.{owner} == {_principal(handling)}.id)",
    )


def _made_for_another(handling: Handling, made: Created) -> Finding:
    return Finding(
        made.path,
        made.line,
        f"Any {_known(handling)} who puts another id into {_address(handling)} makes {made.model.name} rows "
        f"in that user's name: {handling.route.function.name}() believes the {made.owner} it is given.",
        steps=_steps(handling, made.owner),
        snippet=f"{made.model.name}({made.owner}={_principal(handling)}.id, ...)",
    )


def _steps(handling: Handling, owner: str) -> tuple[str, ...]:
    principal = handling.route.principal
    who = f"{principal}.id" if principal else "the user of the verified token"
    return (
        f"Take {owner} from {who}, not from the request.",
        "If it must stay in the path, compare it with the caller and answer 403 when they differ.",
    )


def _known(handling: Handling) -> str:
    return "signed-in user" if handling.knows_caller else "caller, signed in or not,"


def _address(handling: Handling) -> str:
    return f"{handling.route.method} {handling.route.path or handling.route.function.name}"


def _principal(handling: Handling) -> str:
    return handling.route.principal or "current_user"
