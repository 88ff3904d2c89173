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

import ast
from collections.abc import Iterator

from neondba.project.isolation.binding import Bindings
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.ownership import Ownership
from neondba.project.isolation.python import PythonIsolation
from neondba.project.isolation.values import Built, Client, Query, Row, Value
from neondba.project.owners import columns_of
from neondba.project.python import Class, Function, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB405", Category.ISOLATION, Severity.MEDIUM)
def check(files: PythonFiles, isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for copies of a request body into an owned row, owner included."""
    told: set[tuple[str, int]] = set()
    for door in isolation.doors:
        if not door.authenticated or (door.route is not None and door.route.is_for_staff):
            continue
        for copied in _copies(door):
            found = _taken(files, isolation.ownership, door, copied)
            if found is not None and (copied.path, copied.line) not in told:
                told.add((copied.path, copied.line))
                yield _finding(door, copied, *found)


class _Copy:
    """A place where all fields of a value are copied into a row."""

    def __init__(self, query: Query, value: Value, path: str, line: int, function: Function | None) -> None:
        self.query, self.path, self.line, self.function = query, path, line, function
        self.bodies = [a.name for a in value if isinstance(a, Client) and not a.field]
        self.key = ""


def _copies(door: Door) -> Iterator[_Copy]:
    for query in door.summary.queries:
        for condition in query.conditions if query.kind == "insert" else ():
            if condition.column == "=*":
                yield _Copy(query, condition.value, query.path, query.line, query.function)
    for write in door.summary.writes:
        for atom in write.target if write.field == "*" else ():
            if isinstance(atom, Row | Built):
                copied = _Copy(atom.query, write.value, write.path, write.line, write.function)
                copied.key = write.key
                yield copied


def _taken(
    files: PythonFiles, ownership: Ownership, door: Door, copied: _Copy
) -> tuple[str, str, str] | None:
    """Give model, owner column and body, where the body may carry the owner."""
    for model in copied.query.models:
        owned = ownership.of(model)
        if owned is None or not owned.direct:
            continue
        for body in copied.bodies:
            columns = _columns(files, door, body)
            owner = next((o for o in owned.sure if o in columns), None)
            if owner is not None and not _is_settled(door, copied, owner):
                return model.name, owner, body
    return None


def _columns(files: PythonFiles, door: Door, body: str) -> frozenset[str]:
    """Give the fields of the parameter that is a body."""
    parameter = next((p for p in door.function.parameters if p.name == body), None)
    annotation = parameter.annotation if parameter is not None else None
    if isinstance(annotation, ast.Subscript):
        annotation = (
            annotation.slice if not isinstance(annotation.slice, ast.Tuple) else annotation.slice.elts[0]
        )
    found = files.definition(door.file.resolve(annotation))
    if found is not None and isinstance(found[1], Class):
        return frozenset(columns_of(files, found[0], found[1]))
    return frozenset()


def _is_settled(door: Door, copied: _Copy, owner: str) -> bool:
    """Tell whether the owner is set or left out by the program itself."""
    if any(c.column == f"={owner}" for c in copied.query.conditions):
        return True
    confirmed = Bindings(door.summary).confirmed
    if any(Client(body, owner) in confirmed or Client(body) in confirmed for body in copied.bodies):
        return True
    for write in door.summary.writes:
        if write.field == owner and any(
            isinstance(a, Row | Built) and a.query is copied.query for a in write.target
        ):
            return True
    functions = [f for f in (copied.function, door.function) if f is not None]
    return any(_leaves_out(f, copied.key, owner) for f in functions)


def _leaves_out(function: Function, key: str, owner: str) -> bool:
    for node in function.nodes:
        if isinstance(node, ast.Constant) and node.value == owner:
            return True
        if isinstance(node, ast.Attribute) and node.attr == owner and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == key:
            return True
    return False


def _finding(door: Door, copied: _Copy, model: str, owner: str, body: str) -> Finding:
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
