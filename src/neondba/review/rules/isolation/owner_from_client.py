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
async def live(websocket: WebSocket, user_id: str):  # <- finding
    async with open_session() as session:
        found = await session.exec(select(Task).where(Task.user_id == UUID(user_id)))
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

from neondba.project.isolation.judged import EntranceKind
from neondba.project.isolation.judging import Fault, Verdict
from neondba.project.isolation.ownership import is_people
from neondba.project.isolation.python import PythonIsolation
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._shared import first_per_door, holder, own, way


@rule("NDB403", Category.ISOLATION, Severity.HIGH)
def check(isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for owner columns held against a value that only the client vouches for."""
    by_cause: dict[object, list[Verdict]] = {}
    for verdict in first_per_door(isolation.verdicts, Fault.CLAIM, Fault.MADE):
        if verdict.judged.entrance.kind is EntranceKind.ROUTE:
            by_cause.setdefault(_cause(verdict), []).append(verdict)
    for verdict, *others in by_cause.values():
        yield _finding(verdict, *_place(verdict), len(others))


def _cause(verdict: Verdict) -> object:
    """Name what is to blame: a file whose routes all ask nobody is one fault for each of its tables."""
    if verdict.door.authenticated:
        return id(verdict)
    return verdict.door.file.path, verdict.model.qualified


def _place(verdict: Verdict) -> tuple[str, int]:
    """Give the line at fault: the route that asks nobody, the call that hands on, or the statement."""
    if not verdict.door.authenticated:
        return verdict.door.file.path, verdict.door.function.line
    way = verdict.judged.way
    return (way[0].path, way[0].line) if way else (verdict.judged.path, _line(verdict))


def _line(verdict: Verdict) -> int:
    """Give the line on which the owner of a new row is written."""
    owner = verdict.judged.why.partition(" ")[0]
    lines = [c.line for c in verdict.query.conditions if c.column == f"={owner}" and c.line]
    return lines[0] if lines and verdict.fault is Fault.MADE else verdict.judged.line


def _taken(verdict: Verdict) -> tuple[str, int]:
    """Give the line on which the entrance takes the tenant: the statement does what it is told."""
    door = verdict.door
    said = verdict.judged.why.partition(" is ")[2].partition(",")[0]
    parameter, _, field = said.partition(".")
    for given in door.function.parameters:
        if not field and given.name == parameter and given.annotation is not None:
            return door.file.path, given.annotation.lineno
    inside = list(ast.walk(door.function.node)) if field else []
    written = (n.value for n in inside if isinstance(n, ast.keyword) and n.arg == verdict.owned.chain)
    for node in (*written, *inside):
        if isinstance(node, ast.Attribute) and node.attr == field:
            return door.file.path, node.lineno
    return door.file.path, door.function.line


def _joining(verdict: Verdict) -> Finding:
    """Say that a new user chooses the tenant."""
    column = verdict.owned.chain
    path, line = _taken(verdict)
    return Finding(
        path,
        line,
        f"Whoever calls {verdict.judged.entrance.name} chooses {column} of the new {verdict.judged.table}, "
        "and so joins any tenant whose id they know.",
        steps=(
            f"Take {column} from an invitation that is found by its secret token.",
            "Or make a new tenant for who signs up without one.",
        ),
        snippet=f"{verdict.judged.table}({column}=invitation.{column}, ...)",
        severity=Severity.MEDIUM,
        way=way(verdict),
    )


def _finding(verdict: Verdict, path: str, line: int, others: int) -> Finding:
    if is_people(verdict.model) and verdict.fault is Fault.MADE:
        return _joining(verdict)
    judged = verdict.judged
    model, function = judged.table, verdict.door.function.name
    owner = judged.why.partition(" ")[0]
    known = "signed-in user" if verdict.door.authenticated else "caller, signed in or not,"
    more = ""
    if others:
        routes = f"does {others} more route" if others == 1 else f"do {others} more routes"
        more = f", and so {routes} of {verdict.door.file.path}"
    made = verdict.fault is Fault.MADE
    whose = holder(owner)
    deed = f"makes {model} rows in that {whose}'s name" if made else f"reaches that {whose}'s {model} rows"
    mine = own(verdict, owner)
    source = mine if judged.entrance.principal else "the user of the verified token"
    select = f"select({model}).where({model}.{owner} == {mine})"
    return Finding(
        path,
        line,
        f"Any {known} who puts another id into {judged.entrance.name} {deed}: {function}() believes the "
        f"{owner} it is given{more}.",
        steps=(
            f"Take {owner} from {source}, not from the request.",
            "If it must stay in the path, compare it with the caller and answer 403 when they differ.",
        ),
        snippet=f"{model}({owner}={mine}, ...)" if made else select,
        way=way(verdict),
    )
