"""A list of private rows is not narrowed to the caller's own.

The table has an owner column and the route knows who is calling, but the statement does not bring the
two together. Every signed-in user sees the rows of all users.

## Instead

```python bad path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    paid: bool

@app.get("/invoices")
def invoices(paid: bool, session: Session = Depends(get_session), user=Depends(get_current_user)):
    statement = select(Invoice)  # <- finding
    if paid:
        statement = statement.where(Invoice.paid == True)
    return session.exec(statement).all()
```

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    paid: bool

@app.get("/invoices")
def invoices(paid: bool, session: Session = Depends(get_session), user=Depends(get_current_user)):
    statement = select(Invoice)
    statement = statement.where(Invoice.user_id == user.id)
    return session.exec(statement).all()
```

## When it does not matter

A list that anybody may call, rows that a column marks as public, and routes of administrators:

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session, require_admin

app = FastAPI()

class Recipe(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    is_public: bool

class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@app.get("/recipes")
def recipes(session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Recipe)).all()

@app.get("/invoices")
def invoices(session: Session = Depends(get_session), admin=Depends(require_admin)):
    return session.exec(select(Invoice)).all()

@app.get("/invoices/own")
def own(session: Session = Depends(get_session), user=Depends(get_current_user)):
    if user.role == "accountant":
        return session.exec(select(Invoice)).all()
    return session.exec(select(Invoice).where(Invoice.user_id == user.id)).all()
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.queries import UNIQUE
from neondba.project.reach import Handling, Reach, Reached
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB402", Category.ISOLATION, Severity.HIGH)
def check(reach: Reach) -> Iterator[Finding]:
    """Look for lists of private tables in routes that never look at the caller."""
    for handling in reach.careless():
        first = next((r for r in handling.reached if _is_open(handling, r)), None)
        if first is not None:
            yield _finding(handling, first)


def _is_open(handling: Handling, reached: Reached) -> bool:
    statement = reached.statement
    if statement.kind != "select" or statement.counts or statement.joins or not statement.model.is_private:
        return False
    if statement.names_owner or handling.is_checked_by_dependency:
        return False
    columns = [column for column, _ in statement.equalities()]
    return not any(c in UNIQUE or c == "id" or c.endswith("_id") for c in columns)


def _finding(handling: Handling, reached: Reached) -> Finding:
    statement, route = reached.statement, handling.route
    model, owner = statement.model, statement.model.owners[0]
    who = route.principal or "current_user"
    return Finding(
        statement.file.path,
        statement.line,
        f"{route.method} {route.path or route.function.name} gives every signed-in user the "
        f"{model.name} rows of all users: no condition names {model.name}.{owner}.",
        steps=(
            f"Narrow the statement to the caller's own {model.name} rows.",
            "If it is meant for administrators, depend on a check of the role.",
        ),
        snippet=f"select({model.name}).where({model.name}.{owner} == {who}.id)",
    )
