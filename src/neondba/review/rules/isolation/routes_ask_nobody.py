"""Routes change and delete rows, and never ask who is calling.

Whoever finds the address reads, changes and deletes everything: no dependency, middleware or decorator of
these routes looks at the caller. A page in front that only shows what belongs to its user protects nothing,
for the address can be called without the page.

## Instead

```python bad path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.db import get_session

app = FastAPI()

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str

@app.get("/tasks")
def tasks(session: Session = Depends(get_session)):
    return session.exec(select(Task)).all()

@app.patch("/tasks/{task_id}")
def rename(task_id: int, title: str, session: Session = Depends(get_session)):  # <- finding
    task = session.get(Task, task_id)
    task.title = title
    session.commit()

@app.delete("/tasks/{task_id}")
def remove(task_id: int, session: Session = Depends(get_session)):
    session.delete(session.get(Task, task_id))
    session.commit()
```

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.auth import get_current_user
from app.db import get_session

app = FastAPI(dependencies=[Depends(get_current_user)])

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str

@app.delete("/tasks/{task_id}")
def remove(task_id: int, session: Session = Depends(get_session)):
    session.delete(session.get(Task, task_id))
    session.commit()
```

## When it does not matter

Forms for the public only add rows, and a program that listens on its own machine has one user:

```python good path=app/contact.py case=form
from fastapi import APIRouter, Depends
from sqlmodel import Field, Session, SQLModel
from app.db import get_session

router = APIRouter()

class Message(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    text: str

@router.post("/contact")
def write(text: str, session: Session = Depends(get_session)):
    session.add(Message(text=text))
    session.commit()
```
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.isolation.entrances import Door, doors
from neondba.project.isolation.judged import Binding, EntranceKind
from neondba.project.isolation.python import PythonIsolation
from neondba.project.isolation.world import World
from neondba.project.owners import Owners
from neondba.project.python import PythonFiles
from neondba.project.routes import Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_MEANT = re.compile(
    r"log_?(?:in|out)|sign_?(?:in|up|out)|regist|auth|token|refresh|webhook|invit|contact|newsletter|subscri|feedback|"
    r"forgot|reset|verif|health|callback|waitlist|track|metric|internal|cron|public|share|guest|anonym|demo|seed|"
    r"debug|stripe|oauth",
    re.IGNORECASE,
)
"""Names of what strangers are meant to call, and of what other services call."""
_ASKS = re.compile(
    r"authoriz|api_?key|x-[\w-]*(?:key|token|secret)|verify|current_user|request\.user|principal|signature|hmac|"
    r"permission|cookies|request\.state|require_|login_required|jwt|g\.user",
    re.IGNORECASE,
)
_OWN_MACHINE = re.compile(r"host\s*=\s*[\"'](?:127\.0\.0\.1|localhost)[\"']")


@rule("NDB417", Category.ISOLATION, Severity.MEDIUM)
def check(
    isolation: PythonIsolation, routes: Routes, files: PythonFiles, owners: Owners
) -> Iterator[Finding]:
    """Look for files whose routes change rows by id and ask nobody; once a program where none ever asks."""
    if routes.has_guarding_middleware or isolation.by_policy:
        return
    told = {v.judged.entrance.path for v in isolation.verdicts if v.judged.binding is Binding.OPEN}
    open_: dict[str, list[tuple[Door, str]]] = defaultdict(list)
    asks = False
    found = isolation.doors
    if routes.routes and not any(d.entrance.kind is EntranceKind.ROUTE for d in found):
        found = list(doors(World(files, owners, isolation.ownership.tables), files, routes))
    for door in found:
        if door.entrance.kind is not EntranceKind.ROUTE or door.route is None:
            continue
        asks = asks or door.authenticated
        table = _changed(door)
        if table and not door.authenticated and not _is_meant(door) and not _asks(door):
            open_[door.file.path].append((door, table))
    places = sorted((path, several) for path, several in open_.items() if path not in told)
    places = [(p, s) for p, s in places if any(_by_id(door) for door, _ in s)]
    for path, several in places if asks else places[:1]:
        more = sum(len(s) for _, s in places) if not asks else len(several)
        yield _finding(path, several, more - 1)


def _changed(door: Door) -> str:
    """Give the table that a route changes; empty where it only reads."""
    if door.route is None or door.route.method not in ("POST", "PUT", "PATCH", "DELETE"):
        return ""
    for query in door.summary.queries:
        if query.kind in ("insert", "update", "delete") or query.changed:
            return next((m.name for m in query.models), "")
    return ""


def _by_id(door: Door) -> bool:
    """Tell whether a route changes a row that is there: a form for strangers only adds some."""
    return (
        door.route is not None
        and door.route.method in ("PUT", "PATCH", "DELETE")
        and any(q.kind in ("update", "delete") or q.changed for q in door.summary.queries)
    )


def _is_meant(door: Door) -> bool:
    route = door.route
    return route is None or bool(_MEANT.search(f"{route.path} {door.function.name} {door.file.path}"))


def _asks(door: Door) -> bool:
    """Tell whether something of a route looks as if it knew its caller."""
    route = door.route
    names = " ".join(d.name for d in route.dependencies) if route is not None else ""
    return bool(_ASKS.search(f"{names} {ast.unparse(door.function.node)}")) or bool(
        _OWN_MACHINE.search(door.file.text)
    )


def _finding(path: str, several: list[tuple[Door, str]], more: int) -> Finding:
    door, table = several[0]
    others = f", and {more} more route{'s' if more > 1 else ''} like it" if more else ""
    return Finding(
        path,
        door.function.line,
        f"Whoever finds the address calls {door.entrance.name}{others}: {table} rows are changed, and "
        "nothing asks who is calling.",
        steps=(
            "Verify the token of the caller in a dependency, and put it on the router or the program.",
            "Give the rows an owner, and name it in each statement.",
        ),
        snippet="APIRouter(dependencies=[Depends(get_current_user)])",
    )
