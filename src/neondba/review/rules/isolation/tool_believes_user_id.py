"""A tool of an assistant takes the user's id as an argument.

The model fills in the arguments, and what it fills in follows from what it has read: a message, a web
page, a task's title. "Use user 7" in any of them is enough to act on another user's rows.

## Instead

```python bad path=app/tools.py
from mcp.server.fastmcp import FastMCP
from sqlmodel import Session, select
from app.db import engine
from app.models import Task

mcp = FastMCP("tasks")

@mcp.tool()
def list_tasks(user_id: str) -> list[Task]:  # <- finding
    with Session(engine) as session:
        return session.exec(select(Task).where(Task.user_id == user_id)).all()
```

```python good path=app/tools.py
from mcp.server.fastmcp import Context, FastMCP
from sqlmodel import Session, select
from app.db import engine
from app.models import Task
from app.auth import user_of

mcp = FastMCP("tasks")

@mcp.tool()
def list_tasks(ctx: Context) -> list[Task]:
    with Session(engine) as session:
        return session.exec(select(Task).where(Task.user_id == user_of(ctx))).all()
```

## When it does not matter

The program overwrites the argument with the user it knows, or the tool checks it:

```python good path=app/agent.py case=injected
def call(tools, name, arguments, user):
    arguments["user_id"] = user.id
    return tools[name](**arguments)
```
```python good path=app/tools.py case=injected
from app.agent import tool
from app.db import Session, engine, select
from app.models import Task

@tool
def list_tasks(user_id: str):
    with Session(engine) as session:
        return session.exec(select(Task).where(Task.user_id == user_id)).all()
```
```python good path=app/checked.py
from mcp.server.fastmcp import Context, FastMCP
from app.auth import verify_user

mcp = FastMCP("tasks")

@mcp.tool()
def list_tasks(ctx: Context, user_id: str):
    verify_user(ctx, user_id)
    return []
```
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.isolation.callers import CLAIMS
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judged import EntranceKind
from neondba.project.isolation.python import PythonIsolation
from neondba.project.isolation.values import Client
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

INJECTED = re.compile(r"\[[\"']user_?id[\"']\]\s*=[^=]|\bpartial\([^)]*user_?id\s*=")
DATABASE = re.compile(
    r"\bsession\b|\bselect\(|\.execute\(|\bdb\b|\bservice|repository|api_client|engine", re.IGNORECASE
)


@rule("NDB407", Category.ISOLATION, Severity.MEDIUM)
def check(files: PythonFiles, isolation: PythonIsolation) -> Iterator[Finding]:
    """Look for tools with a parameter that says who the user is."""
    by_file: dict[str, list[tuple[Door, str]]] = defaultdict(list)
    for door in isolation.doors:
        if door.entrance.kind is EntranceKind.TOOL and DATABASE.search(door.file.text):
            claim = _claim(door)
            if claim is not None:
                by_file[door.file.path].append((door, claim))
    if not by_file or any(INJECTED.search(file.text) for file in files.containing("user_id")):
        return
    for found in by_file.values():
        yield _finding(*found[0], len(found) - 1)


def _claim(door: Door) -> str | None:
    """Give the parameter that names a user and that nothing behind the tool checks."""
    name = next((p.name for p in door.function.parameters if p.name.lower() in CLAIMS), None)
    if name is None or Client(name) in door.bindings.confirmed:
        return None
    return name


def _finding(door: Door, claim: str, others: int) -> Finding:
    more = f" ({others} more tools of this file do the same)" if others else ""
    return Finding(
        door.file.path,
        door.function.line,
        f"The model decides whose rows {door.function.name}() touches, because {claim} is one of its "
        f"arguments{more}: "
        "a sentence in any text it reads can make it choose another user.",
        steps=(
            f"Take {claim} from the verified token of the connection, outside the model's reach.",
            f"Remove {claim} from the arguments of the tools.",
        ),
    )
