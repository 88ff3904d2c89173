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

import ast
import re
from collections.abc import Iterator

from neondba.project.guards import CHECKING, called, mentions
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.reach import CLAIMS
from neondba.project.routes import is_test
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

INJECTED = re.compile(r"\[[\"']user_?id[\"']\]\s*=[^=]|\bpartial\([^)]*user_?id\s*=")
DATABASE = re.compile(
    r"\bsession\b|\bselect\(|\.execute\(|\bdb\b|\bservice|repository|api_client|engine", re.IGNORECASE
)


@rule("NDB407", Category.ISOLATION, Severity.MEDIUM)
def check(files: PythonFiles) -> Iterator[Finding]:
    """Look for tools with a parameter that says who the user is."""
    candidates = [f for f in files.containing(".tool", "@tool", "function_tool") if not is_test(f.path)]
    if not candidates or any(INJECTED.search(file.text) for file in files.containing("user_id")):
        return
    for file in candidates:
        if DATABASE.search(file.text):
            tools = [(f, name) for f in file.functions if _is_tool(f) and (name := _claim(f))]
            if tools:
                yield _finding(file, *tools[0], len(tools) - 1)


def _is_tool(function: Function) -> bool:
    for decorator in function.decorators:
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if name in ("tool", "function_tool"):
            return True
    return False


def _claim(function: Function) -> str | None:
    """Give the parameter that names a user and that nothing in the tool checks."""
    name = next((p.name for p in function.parameters if p.name.lower() in CLAIMS), None)
    if name is None:
        return None
    for node in function.nodes:
        if isinstance(node, ast.Call) and CHECKING.search(called(node)):
            arguments = (*node.args, *(k.value for k in node.keywords))
            if any(mentions(a, {name}) for a in arguments):
                return None
    return name


def _finding(file: PythonFile, function: Function, claim: str, others: int) -> Finding:
    more = f" ({others} more tools of this file do the same)" if others else ""
    return Finding(
        file.path,
        function.line,
        f"The model decides whose rows {function.name}() touches, because {claim} is one of its "
        f"arguments{more}: "
        "a sentence in any text it reads can make it choose another user.",
        steps=(
            f"Take {claim} from the verified token of the connection, outside the model's reach.",
            f"Remove {claim} from the arguments of the tools.",
        ),
    )
