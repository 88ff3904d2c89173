"""A route on private rows lets strangers in where its neighbours do not.

The other routes on the same table ask who is calling. This one was forgotten, so anybody on the
internet who knows the address can use it.

## Instead

```python bad path=app/main.py
from fastapi import APIRouter, Depends
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

router = APIRouter(prefix="/notes")

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@router.get("/")
def notes(session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Note).where(Note.user_id == user.id)).all()

@router.put("/{note_id}")
def edit(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).one()

@router.delete("/{note_id}")
def delete(note_id: int, session: Session = Depends(get_session)):  # <- finding
    session.delete(session.get(Note, note_id))
    session.commit()
```

```python good path=app/main.py
from fastapi import APIRouter, Depends
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

router = APIRouter(prefix="/notes", dependencies=[Depends(get_current_user)])

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@router.get("/")
def notes(session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Note).where(Note.user_id == user.id)).all()

@router.get("/count")
def count(session: Session = Depends(get_session)):
    return len(session.exec(select(Note)).all())
```

## When it does not matter

Public reading beside protected writing, forms for strangers, and calls by machines that sign themselves:

```python good path=app/main.py
from fastapi import APIRouter, Depends
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

router = APIRouter(prefix="/notes")

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@router.get("/{note_id}")
def read(note_id: int, session: Session = Depends(get_session)):
    return session.get(Note, note_id)

@router.put("/{note_id}")
def edit(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).one()

@router.delete("/{note_id}")
def drop(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    session.delete(session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).one())

@router.post("/webhook/{note_id}")
def webhook(note_id: int, session: Session = Depends(get_session)):
    session.get(Note, note_id).user_id = ""
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neondba.project.reach import Handling, Reach
from neondba.project.routes import Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

READING = frozenset({"GET", "ROUTE", "HEAD"})


@rule("NDB404", Category.ISOLATION, Severity.HIGH)
def check(reach: Reach, routes: Routes) -> Iterator[Finding]:
    """Look for routes without a caller where others on the model know theirs."""
    if routes.has_guarding_middleware or reach.has_row_security:
        return
    by_model: dict[tuple[str, bool], list[Handling]] = defaultdict(list)
    for handling in reach.handlings:
        for name in {r.statement.model.qualified for r in handling.reached if r.statement.model.is_private}:
            by_model[name, handling.route.method in READING].append(handling)
    told: set[tuple[str, int]] = set()
    for (name, _), handlings in by_model.items():
        guarded = [h for h in handlings if h.knows_caller]
        open_ones = [h for h in handlings if not h.knows_caller and not _is_meant(h)]
        if not guarded or len(open_ones) > len(guarded):
            continue
        for handling in open_ones:
            if (place := (handling.route.file.path, handling.route.line)) not in told:
                told.add(place)
                yield _finding(handling, name.rpartition(".")[2], guarded[0])


def _is_meant(handling: Handling) -> bool:
    route = handling.route
    if handling.looks_at_caller or route.is_for_staff or any(d.authenticates for d in route.dependencies):
        return True
    return handling.is_open_to_all


def _finding(handling: Handling, model: str, neighbour: Handling) -> Finding:
    route = handling.route
    known = neighbour.route.authentication
    name = known.name if known else "get_current_user"
    return Finding(
        route.file.path,
        route.line,
        f"Anybody can call {route.method} {route.path or route.function.name} on {model} without signing in; "
        f"{neighbour.route.function.name}() on the same table asks for {name}.",
        steps=(
            f"Add the dependency {name} to {route.function.name}() and compare the row's owner with it.",
            "If every route of the router needs it, put it on the router, so that none is forgotten.",
        ),
        snippet=f"current_user = Depends({name})" if name.isidentifier() else "",
    )
