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

One route among others that ask is forgotten:

```python bad path=app/tickets.py case=forgotten
from fastapi import APIRouter, Depends
from sqlmodel import Field, Session, SQLModel, select
from app.auth import get_current_user
from app.db import get_session

router = APIRouter()

class Ticket(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    submitted_by: str
    status: str

@router.get("/tickets")
def tickets(session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Ticket)).all()

@router.post("/tickets")
def submit(text: str, session: Session = Depends(get_session)):  # <- finding
    session.add(Ticket(submitted_by="", status=text))
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
from neondba.project.isolation.ownership import is_people
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
_STRANGERS = re.compile(
    r"log_?(?:in|out)|sign_?(?:in|up|out)|regist|token|refresh|hook|forgot|reset|verif|callback|invit|accept|public|"
    r"share|guest|health|oauth|onboard|internal|cron",
    re.IGNORECASE,
)
"""Names of routes for strangers beside others that ask."""
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
    found = isolation.doors
    if routes.routes and not any(d.entrance.kind is EntranceKind.ROUTE for d in found):
        found = list(doors(World(files, owners, isolation.ownership.tables), files, routes))
    found = [d for d in found if d.entrance.kind is EntranceKind.ROUTE and d.route is not None]
    told = {id(v.door) for v in isolation.verdicts if v.judged.binding is Binding.OPEN}
    forgotten = list(_forgotten([d for d in found if id(d) not in told]))
    yield from (_finding(several[0].file.path, several, table) for several, table in forgotten)
    skip = {d.file.path for d in found if id(d) in told} | {s[0].file.path for s, _ in forgotten}
    asks = any(d.authenticated for d in found)
    open_: dict[str, list[Door]] = defaultdict(list)
    for door in found:
        if door.file.path not in skip and _changed(door) and not _is_known(door, _MEANT):
            open_[door.file.path].append(door)
    places = [s for _, s in sorted(open_.items()) if any(_by_id(door) for door in s)]
    for several in places if asks else places[:1]:
        whole = several if asks else [door for s in places for door in s]
        yield _finding(several[0].file.path, whole, _changed(several[0]))


def _forgotten(found: list[Door]) -> Iterator[tuple[list[Door], str]]:
    """Give routes that ask nobody, where others of their file ask before they touch the same table."""
    asking: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for door in found:
        if door.authenticated and not _STRANGERS.search(_names(door)):
            for name in _tables(door):
                asking[door.file.path, name].add(bool(_changed(door)))
    open_: dict[tuple[str, str, bool], list[Door]] = defaultdict(list)
    shown = {
        (door.file.path, name)
        for door in found
        if not door.authenticated and _is_list(door)
        for name in _tables(door)[:1]
    }
    for door in found:
        if _is_known(door, _STRANGERS):
            continue
        changed = _changed(door)
        for name in [changed] if changed else _tables(door)[:1]:
            beside = asking[door.file.path, name]
            # Of what strangers get a list of, one row is no secret.
            alone = "{" in door.entrance.name and (door.file.path, name) not in shown
            if beside if changed and not _signs_up(door) else False in beside and alone:
                open_[door.file.path, name, bool(changed)].append(door)
    for (_, name, _), several in open_.items():
        yield several, name


def _is_list(door: Door) -> bool:
    return door.route is not None and door.route.method == "GET" and "{" not in door.entrance.name


def _tables(door: Door) -> list[str]:
    """Give the tables behind a door, without that of the caller, which the dependency reads."""
    own = [q for q in door.summary.queries if not door.authenticated or not any(map(is_people, q.models))]
    queries = own or (door.summary.queries if not door.authenticated else door.summary.queries[1:])
    return list(dict.fromkeys(m.name for q in queries for m in q.models[:1]))


def _signs_up(door: Door) -> bool:
    """Tell whether a route adds an account."""
    return any(q.kind == "insert" and any(map(is_people, q.models)) for q in door.summary.queries)


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


def _names(door: Door) -> str:
    return f"{door.entrance.name} {door.function.name} {door.file.path}"


def _is_known(door: Door, meant: re.Pattern[str]) -> bool:
    """Tell whether a route knows its caller, looks as if it did, or is meant for strangers."""
    route = door.route
    if route is None or door.authenticated or meant.search(_names(door)):
        return True
    names = " ".join(d.name for d in route.dependencies)
    return bool(_ASKS.search(f"{names} {ast.unparse(door.function.node)}")) or bool(
        _OWN_MACHINE.search(door.file.text)
    )


def _finding(path: str, several: list[Door], table: str) -> Finding:
    door, more = several[0], len(several) - 1
    others = f", and {more} more route{'s' if more > 1 else ''} like it" if more else ""
    what = "are changed" if _changed(door) else "are read"
    return Finding(
        path,
        door.function.line,
        f"Whoever finds the address calls {door.entrance.name}{others}: {table} rows {what}, and "
        "nothing asks who is calling.",
        steps=(
            "Verify the token of the caller in a dependency, and put it on the router or the program.",
            "Give the rows an owner, and name it in each statement.",
        ),
        snippet="APIRouter(dependencies=[Depends(get_current_user)])",
    )
