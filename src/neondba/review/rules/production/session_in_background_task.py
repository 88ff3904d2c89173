"""A background task works with the session of the request.

FastAPI runs the task when the answer is made. From version 0.106 to 0.117 the request's session is closed
before: its objects are detached, and what the task opens on it again nobody closes. In other versions the
request's connection is held until the task ends, which can be minutes.

## Instead
```python bad path=app/documents.py case=given
from fastapi import APIRouter, BackgroundTasks, Depends
from sqlalchemy.orm import Session
from app.db import get_db

router = APIRouter()

@router.post("/documents/{document_id}/process")
def process(document_id: str, tasks: BackgroundTasks, db: Session = Depends(get_db)):
    tasks.add_task(service.process, db, document_id)  # <- finding
    return {"status": "queued"}
```
```python good path=app/documents.py case=given
from fastapi import APIRouter, BackgroundTasks, Depends
from sqlalchemy.orm import Session
from app.db import get_db

router = APIRouter()

@router.post("/documents/{document_id}/process")
def process(document_id: str, tasks: BackgroundTasks, db: Session = Depends(get_db)):
    db.commit()
    tasks.add_task(service.process, document_id)
    return {"status": "queued"}
```
## When it does not matter
A session that the task makes itself, and one that is only tidied up:
```python good path=app/documents.py case=own
from fastapi import APIRouter, BackgroundTasks, Depends
from sqlalchemy.orm import Session
from app.db import SessionLocal, get_db

router = APIRouter()

@router.post("/documents")
def process(tasks: BackgroundTasks, db: Session = Depends(get_db)):
    tasks.add_task(run, SessionLocal)
    tasks.add_task(db.close)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted, method, session_parameters, times


@rule("NDB917", Category.PRODUCTION, Severity.MEDIUM)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report tasks that are given a session, the first of each function."""
    for file in apps(python, ".add_task("):
        for function in file.functions:
            sessions = session_parameters(python, file, function)
            found = [
                (call.lineno, name, dotted(call.args[0]))
                for call in function.calls
                if sessions and method(call) == "add_task" and call.args
                for name in _given(call) & sessions.keys()
            ]
            if found:
                line, name, task = min(found)
                yield Finding(
                    file.path,
                    line,
                    f"{task or 'The task'}() runs after {function.name}() has answered, over the request's "
                    f"session {name}{times(len(found))}: FastAPI closes it before the task starts, or holds "
                    "its connection until the task ends.",
                    steps=("Give the task ids, and let it open a session of its own.",),
                    snippet=f"with SessionLocal() as {name}:",
                )


def _given(call: ast.Call) -> set[str]:
    """Give the names that are handed to a task."""
    values = [*call.args[1:], *(k.value for k in call.keywords)]
    return {value.id for value in values if isinstance(value, ast.Name)}
