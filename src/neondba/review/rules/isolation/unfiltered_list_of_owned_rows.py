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

from neondba.project.isolation.judging import Fault, Verdict
from neondba.project.isolation.python import PythonIsolation
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._shared import first_per_door, holder, own, place, plural, severity, way


@rule("NDB402", Category.ISOLATION, Severity.HIGH)
def check(isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for lists of private rows that no condition binds to the caller."""
    for verdict in first_per_door(isolation.verdicts, Fault.LIST):
        yield _finding(verdict, *place(verdict, isolation.verdicts))


def _finding(verdict: Verdict, path: str, line: int) -> Finding:
    judged = verdict.judged
    model, owner = judged.table, judged.owner
    deed = "changes" if judged.kind in ("update", "delete") or verdict.query.changed else "gives"
    whose = f"all {plural(holder(owner))}"
    message = f"{judged.entrance.name} gives every signed-in user the {model} rows of {whose}"
    if deed == "changes":
        message = f"{judged.entrance.name} lets every signed-in user change the {model} rows of {whose}"
    return Finding(
        path,
        line,
        f"{message}: no condition names {model}.{owner}.",
        steps=(
            f"Narrow the statement to the caller's own {model} rows.",
            "If it is meant for administrators, depend on a check of the role.",
        ),
        snippet=f"select({model}).where({model}.{owner} == {own(verdict, owner)})"
        if verdict.owned.direct
        else "",
        severity=severity(verdict) if verdict.owned.direct else Severity.MEDIUM,
        way=way(verdict),
    )
