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

from collections.abc import Iterator

from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judging import Fault
from neondba.project.isolation.python import PythonIsolation
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._shared import first_per_door, way


@rule("NDB404", Category.ISOLATION, Severity.HIGH)
def check(isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for routes without a caller where others on the table know theirs."""
    for verdict in first_per_door(isolation.verdicts, Fault.TWIN):
        if verdict.neighbour is not None:
            yield _finding(verdict.door, verdict.judged.table, verdict.neighbour, way(verdict))


def _finding(door: Door, model: str, neighbour: Door, steps: tuple[str, ...]) -> Finding:
    known = neighbour.route.authentication if neighbour.route is not None else None
    name = known.name if known else "get_current_user"
    return Finding(
        door.file.path,
        door.function.line,
        f"Anybody can call {door.entrance.name} on {model} without signing in; "
        f"{neighbour.function.name}() on the same table asks for {name}.",
        steps=(
            f"Add the dependency {name} to {door.function.name}() and compare the row's owner with it.",
            "If every route of the router needs it, put it on the router, so that none is forgotten.",
        ),
        snippet=f"current_user = Depends({name})" if name.isidentifier() else "",
        way=steps,
    )
