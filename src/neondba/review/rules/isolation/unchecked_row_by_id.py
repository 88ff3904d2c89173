"""A row is fetched by an id from the request, and nobody asks whose it is.

The caller is known, but the function never compares the row with the caller. Ids can be counted up,
guessed or seen in a link, so any signed-in user reads or changes the rows of every other one.

## Instead

```python bad path=app/main.py
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel
from app.deps import get_current_user, get_session

app = FastAPI()

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    text: str

@app.delete("/notes/{note_id}")
def delete_note(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    note = session.get(Note, note_id)  # <- finding
    if note is None:
        raise HTTPException(404)
    session.delete(note)
    session.commit()
```

```python good path=app/main.py
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

app = FastAPI()

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    text: str

@app.delete("/notes/{note_id}")
def delete_note(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    note = session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).first()
    if note is None:
        raise HTTPException(404)
    session.delete(note)
    session.commit()
```

A service that the route calls counts as part of it:

```python bad path=app/service.py case=service
from sqlmodel import select
from app.models import Note

def rename(session, note_id, text):
    note = session.exec(select(Note).where(Note.id == note_id)).one()  # <- finding
    note.text = text
    session.commit()
```
```python bad path=app/models.py case=service
from sqlmodel import Field, SQLModel

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: str
    text: str
```
```python bad path=app/main.py case=service
from fastapi import APIRouter, Depends
from app.auth import get_current_user
from app.db import get_session
from app.service import rename

router = APIRouter(prefix="/notes")

@router.put("/{note_id}")
def put(note_id: int, text: str, session=Depends(get_session), user=Depends(get_current_user)):
    rename(session, note_id, text)
```

## When it does not matter

The owner is compared a few lines later, in a dependency, through the parent row, or the route is for
administrators:

```python good path=app/main.py
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_admin, get_current_user, get_session, load_own_note

app = FastAPI()

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    project_id: int

class Member(SQLModel, table=True):
    project_id: int = Field(primary_key=True)
    user_id: str = Field(primary_key=True)

@app.get("/notes/{note_id}")
def compared(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    note = session.get(Note, note_id)
    if note.user_id != user.id:
        raise HTTPException(403)
    return note

@app.get("/projects/notes/{note_id}")
def member(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
    note = session.get(Note, note_id)
    if not session.get(Member, (note.project_id, user.id)):
        raise HTTPException(403)
    return note

@app.get("/all/{note_id}")
def staff(note_id: int, session: Session = Depends(get_session), admin=Depends(get_current_admin)):
    return session.get(Note, note_id)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.reach import Handling, Reach, Reached
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB401", Category.ISOLATION, Severity.HIGH)
def check(reach: Reach) -> Iterator[Finding]:
    """Look for rows chosen by the client in routes that never look at the caller."""
    for handling in reach.careless():
        first = next((r for r in handling.reached if _is_unchecked(handling, r)), None)
        if first is not None:
            yield _finding(handling, first)


def _is_unchecked(handling: Handling, reached: Reached) -> bool:
    statement = reached.statement
    model = statement.model
    if not model.owners or statement.names_owner or statement.joins or not reached.is_for_client_row:
        return False
    if handling.is_checked_by_dependency:
        return False
    return model.is_private or handling.route.method not in ("GET", "ROUTE")


def _finding(handling: Handling, reached: Reached) -> Finding:
    statement, route = reached.statement, handling.route
    model, owner = statement.model, statement.model.owners[0]
    who = route.principal or "current_user"
    return Finding(
        statement.file.path,
        statement.line,
        f"Any signed-in user who calls {route.method} {route.path or route.function.name} with the id "
        "of another "
        f"user's {model.name} reaches that row: {route.function.name}() never compares {model.name}.{owner} "
        "with the caller.",
        steps=(
            f"Add the owner to the condition, so that a foreign {model.name} is not found.",
            "Answer 404, so that the answer does not tell which ids exist.",
            f"Prove it: neondba isolation prove, with two users and the table of {model.name}.",
        ),
        snippet=f"select({model.name}).where({model.name}.id == ..., {model.name}.{owner} == {who}.id)",
    )
