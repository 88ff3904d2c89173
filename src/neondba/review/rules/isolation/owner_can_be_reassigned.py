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

from neondba.project.guards import called, mentions
from neondba.project.owners import Model, Owners, columns_of
from neondba.project.python import Class, PythonFiles
from neondba.project.routes import Route, Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB405", Category.ISOLATION, Severity.MEDIUM)
def check(files: PythonFiles, routes: Routes, owners: Owners) -> Iterator[Finding]:
    """Look for copies of a request body into an owned row, owner included."""
    if not owners.owned:
        return
    for route in routes.routes:
        if route.principal is None or route.is_for_staff:
            continue
        for name, columns in _bodies(files, route):
            place = _copied(files, owners, route, name)
            if place is None:
                continue
            call, model = place
            owner = next((o for o in model.owners if o in columns), None)
            if owner is not None and not _is_settled(route, owner):
                yield _finding(route, call, model, owner, name)


def _bodies(files: PythonFiles, route: Route) -> Iterator[tuple[str, frozenset[str]]]:
    """Give the parameters that are request bodies, with their fields."""
    for parameter in route.function.parameters:
        if parameter.name not in route.client_parameters:
            continue
        found = files.definition(route.file.resolve(parameter.annotation))
        if found is not None and isinstance(found[1], Class):
            yield parameter.name, frozenset(columns_of(files, found[0], found[1]))


def _copied(files: PythonFiles, owners: Owners, route: Route, body: str) -> tuple[ast.Call, Model] | None:
    """Find the call that copies all fields of a body into a row."""
    dumped = {body} | {
        t.id
        for a in route.function.assignments
        if isinstance(a, ast.Assign) and isinstance(a.value, ast.Call) and mentions(a.value, {body})
        and called(a.value) in ("dict", "model_dump", "dump")
        for t in a.targets
        if isinstance(t, ast.Name)
    }  # fmt: skip
    for call in route.function.calls:
        model = _target(files, owners, route, call, dumped)
        if model is not None:
            return call, model
    return None


def _target(
    files: PythonFiles, owners: Owners, route: Route, call: ast.Call, dumped: set[str]
) -> Model | None:
    spread = [k.value for k in call.keywords if k.arg is None]
    if any(mentions(v, dumped) for v in spread):
        return owners.model(files, route.file, call.func)
    name = called(call)
    if name == "sqlmodel_update" and call.args and mentions(call.args[0], dumped):
        return _row_model(files, owners, route)
    if name == "setattr" and len(call.args) == 3 and _loops_over(route, call, dumped):
        return _row_model(files, owners, route)
    return None


def _loops_over(route: Route, call: ast.Call, dumped: set[str]) -> bool:
    for node in ast.walk(route.function.node):
        if isinstance(node, ast.For) and node.lineno <= call.lineno <= (node.end_lineno or 0):
            return mentions(node.iter, dumped)
    return False


def _row_model(files: PythonFiles, owners: Owners, route: Route) -> Model | None:
    """Give the only owned model that the function names."""
    named = {
        model.qualified: model
        for call in route.function.calls
        for argument in call.args[:1]
        if (model := owners.model(files, route.file, argument)) is not None and model.owners
    }
    return next(iter(named.values())) if len(named) == 1 else None


def _is_settled(route: Route, owner: str) -> bool:
    """Tell whether the owner is set or left out by the function itself."""
    for node in ast.walk(route.function.node):
        if isinstance(node, ast.Attribute) and node.attr == owner and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Constant) and node.value == owner:
            return True
        if isinstance(node, ast.keyword) and node.arg == owner:
            return True
    return False


def _finding(route: Route, call: ast.Call, model: Model, owner: str, body: str) -> Finding:
    return Finding(
        route.file.path,
        call.lineno,
        f"A caller of {route.method} {route.path or route.function.name} may send {owner} in {body} "
        f"and so give the {model.name} to another user or write in that user's name.",
        steps=(
            f"Take {owner} out of the request schema.",
            f"Set {owner} from {route.principal} in {route.function.name}().",
        ),
        snippet=f'{body}.model_dump(exclude_unset=True, exclude={{"{owner}"}})',
    )
