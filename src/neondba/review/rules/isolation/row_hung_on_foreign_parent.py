"""A row is hung on a parent that nobody asks the owner of.

The row itself gets the right owner, but the id of what it belongs to comes from the request as it is.
So a user puts rows under another user's parent: they show up there, and what is read through the
parent tells of it.

## Instead

```python bad path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Folder(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    folder_id: int = Field(foreign_key="folder.id")

class NoteIn(SQLModel):
    folder_id: int

@app.get("/folders")
def folders(session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Folder).where(Folder.user_id == user.id)).all()

@app.post("/notes")
def add(note: NoteIn, session: Session = Depends(get_session), user=Depends(get_current_user)):
    session.add(Note(**note.model_dump(), user_id=user.id))  # <- finding
    session.commit()
```

```python good path=app/main.py
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Folder(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    folder_id: int = Field(foreign_key="folder.id")

class NoteIn(SQLModel):
    folder_id: int

@app.get("/folders")
def folders(session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Folder).where(Folder.user_id == user.id)).all()

@app.post("/notes")
def add(note: NoteIn, session: Session = Depends(get_session), user=Depends(get_current_user)):
    folder = session.get(Folder, note.folder_id)
    if folder is None or folder.user_id != user.id:
        raise HTTPException(404)
    session.add(Note(**note.model_dump(), user_id=user.id))
    session.commit()
```

## When it does not matter

Parents that belong to nobody, and those of a table that no statement keeps apart by owner:

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel
from app.deps import get_current_user, get_session

app = FastAPI()

class Country(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)

class Address(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    country_id: int = Field(foreign_key="country.id")

@app.post("/addresses")
def add(country_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    session.add(Address(country_id=country_id, user_id=user.id))
    session.commit()
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.isolation.bodies import Copy, copies, fields, is_left_out
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judged import Binding, EntranceKind
from neondba.project.isolation.ownership import Ownership, is_membership
from neondba.project.isolation.python import PythonIsolation
from neondba.project.isolation.values import Client
from neondba.project.owners import TENANT, Model
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

PLATFORM = re.compile(r"platform|super|staff|internal|service_", re.IGNORECASE)


@rule("NDB408", Category.ISOLATION, Severity.MEDIUM)
def check(files: PythonFiles, isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for foreign keys to private rows that the client fills in unasked."""
    kept = {
        v.model.qualified
        for v in isolation.verdicts
        if v.judged.binding in (Binding.BOUND, Binding.BOUND_LATER) and v.query.kind != "insert"
    }
    if not kept or isolation.by_policy:
        return
    for door in isolation.doors:
        if not door.authenticated or door.entrance.kind is EntranceKind.JOB or PLATFORM.search(_guards(door)):
            continue
        for copied in copies(door):
            for model in copied.query.models[:1]:
                found = _hung(files, isolation.ownership, door, copied, model)
                if found is not None and found[1].qualified in kept:
                    yield _finding(door, copied, model, *found)


def _guards(door: Door) -> str:
    """Give the names of what a route asks of its callers."""
    return " ".join(d.name for d in door.route.dependencies) if door.route is not None else ""


def _is_for_staff(door: Door, model: Model) -> bool:
    """Tell whether administrators come here: not those of one tenant, whose table is kept by tenant."""
    if any(TENANT.search(o) or o in model.tenants for o in model.owners):
        return False
    return door.bindings.staff is not None or (door.route is not None and door.route.is_for_staff)


def _hung(
    files: PythonFiles, ownership: Ownership, door: Door, copied: Copy, model: Model
) -> tuple[str, Model] | None:
    """Give the foreign key that the client fills in, and the private table it points at."""
    own = ownership.of(model)
    if (
        _is_for_staff(door, model)
        or copied.query.staff
        or is_membership(model)
        or own is None
        or not own.private
        or not own.direct
    ):
        return None
    confirmed = door.bindings.confirmed
    for column in model.columns if copied.column == "*" else [copied.column]:
        parent = ownership.parent(model, column) if column not in own.columns else None
        owned = ownership.of(parent) if parent is not None and parent is not model else None
        if parent is None or owned is None or not owned.private or not owned.direct:
            continue
        if copied.column != "*":
            sent = [a for a in copied.value if isinstance(a, Client) and a.chosen]
            if sent and not any(a in confirmed or Client(a.name) in confirmed for a in sent):
                return column, parent
            continue
        for body in copied.bodies:
            asked = Client(body, column) in confirmed or Client(body) in confirmed
            if column in fields(files, door, body) and not asked and not is_left_out(copied, door, column):
                return column, parent
    return None


def _finding(door: Door, copied: Copy, model: Model, column: str, parent: Model) -> Finding:
    owner = f"{parent.name}.{parent.owners[0]}"
    return Finding(
        copied.path,
        copied.line,
        f"Whoever calls {door.entrance.name} may put a {model.name} under another user's {parent.name}: "
        f"{column} comes from the request, and nothing asks whose {parent.name} it is.",
        steps=(
            f"Read the {parent.name} with {column} and the caller in the condition before it is used.",
            f"Answer 404 where there is no such {parent.name}.",
        ),
        snippet=f"select({parent.name}).where({parent.name}.id == {column}, {owner} == ...)",
        way=(f"{door.entrance.path}:{door.entrance.line} {door.entrance.name}",),
    )
