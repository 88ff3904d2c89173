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

from neondba.project.isolation.judging import Fault, Verdict
from neondba.project.isolation.python import PythonIsolation
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._shared import first_per_door, holder, own, place, severity, way, who


@rule("NDB401", Category.ISOLATION, Severity.HIGH)
def check(isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for rows that the client chooses and nothing binds to the caller."""
    for verdict in first_per_door(isolation.verdicts, Fault.BY_ID):
        yield _finding(verdict, *place(verdict, isolation.verdicts))


def _finding(verdict: Verdict, path: str, line: int) -> Finding:
    judged = verdict.judged
    model, owner = judged.table, judged.owner
    reads = f"{who(verdict)} {judged.entrance.name} with the id of another {holder(owner)}'s {model}"
    condition = f"{model}.{owner} == {own(verdict, owner)}"
    if not verdict.owned.direct:
        condition = f"{owner} of the {model} == {own(verdict, owner.rpartition('.')[2])}"
    return Finding(
        path,
        line,
        f"{reads} reaches that row: neither {verdict.door.function.name}() nor what it calls compares "
        f"{model}.{owner} with the caller.",
        steps=(
            f"Add the owner to the condition, so that a foreign {model} is not found.",
            "Answer 404, so that the answer does not tell which ids exist.",
            f"Prove it: neondba isolation prove, with two users and the table of {model}.",
        ),
        snippet=f"select({model}).where({model}.id == ..., {condition})"
        if verdict.owned.direct
        else condition,
        severity=severity(verdict),
        way=way(verdict),
    )
