"""The request may set the column that says whose the row is.

Fields of the request are copied into the row as they come, and the owner is among them. A user can give
rows to others, or write rows in another user's name.

## Instead

```python bad path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    text: str

class NoteUpdate(SQLModel):
    user_id: str | None = None
    text: str | None = None

@app.patch("/notes/{note_id}")
def edit(note_id: int, changes: NoteUpdate, session=Depends(get_session), user=Depends(get_current_user)):
    note = session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).one()
    for key, value in changes.model_dump(exclude_unset=True).items():
        setattr(note, key, value)  # <- finding
    session.commit()
```

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    text: str

class NoteUpdate(SQLModel):
    text: str | None = None

@app.patch("/notes/{note_id}")
def edit(note_id: int, changes: NoteUpdate, session=Depends(get_session), user=Depends(get_current_user)):
    note = session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).one()
    for key, value in changes.model_dump(exclude_unset=True).items():
        setattr(note, key, value)
    session.commit()
```

## When it does not matter

The owner is set from the caller afterwards or at the same time, or left out of the copy:

```python good path=app/main.py
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel
from app.deps import get_current_user, get_session

app = FastAPI()

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    text: str

@app.post("/notes")
def create(note: Note, session: Session = Depends(get_session), user=Depends(get_current_user)):
    note.user_id = user.id
    session.add(note)
    session.commit()

@app.post("/copies")
def copy(note: Note, session: Session = Depends(get_session), user=Depends(get_current_user)):
    session.add(Note.model_validate(note, update={"user_id": user.id}))
    session.commit()

@app.post("/others")
def other(note: Note, session: Session = Depends(get_session), user=Depends(get_current_user)):
    session.add(Note(**note.model_dump(exclude={"user_id"}), user_id=user.id))
    session.commit()
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.isolation.bodies import Copy, copies, fields, is_left_out
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.ownership import Ownership
from neondba.project.isolation.python import PythonIsolation
from neondba.project.isolation.values import Client
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB405", Category.ISOLATION, Severity.MEDIUM)
def check(files: PythonFiles, isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for copies of a request body into an owned row, owner included."""
    for door in isolation.doors:
        if not door.authenticated or (door.route is not None and door.route.is_for_staff):
            continue
        for copied in copies(door):
            found = _taken(files, isolation.ownership, door, copied) if copied.column == "*" else None
            if found is not None:
                yield _finding(door, copied, *found)


def _taken(files: PythonFiles, ownership: Ownership, door: Door, copied: Copy) -> tuple[str, str, str] | None:
    """Give model, owner column and body, where the body may carry the owner."""
    for model in copied.query.models:
        owned = ownership.of(model)
        if owned is None or not owned.direct:
            continue
        for body in copied.bodies:
            columns = fields(files, door, body)
            owner = next((o for o in owned.sure if o in columns), None)
            if owner is None or Client(body, owner) in door.bindings.confirmed:
                continue
            if Client(body) not in door.bindings.confirmed and not is_left_out(copied, door, owner):
                return model.name, owner, body
    return None


def _finding(door: Door, copied: Copy, model: str, owner: str, body: str) -> Finding:
    return Finding(
        copied.path,
        copied.line,
        f"A caller of {door.entrance.name} may send {owner} in {body} "
        f"and so give the {model} to another user or write in that user's name.",
        steps=(
            f"Take {owner} out of the request schema.",
            f"Set {owner} from {door.entrance.principal or 'the caller'} in {door.function.name}().",
        ),
        snippet=f'{body}.model_dump(exclude_unset=True, exclude={{"{owner}"}})',
        way=(f"{door.entrance.path}:{door.entrance.line} {door.entrance.name}",),
    )
