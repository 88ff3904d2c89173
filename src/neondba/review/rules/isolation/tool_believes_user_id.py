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

A server that dispatches by itself says it in its own way, and so does a schema that is given to the model:

```python bad path=mcp_server/server.py case=dispatched
from mcp.server import Server
from mcp.types import Tool
from mcp_server.tools import add_task

server = Server("tasks")

@server.list_tools()
async def list_tools():
    return [
        Tool(name="add_task", inputSchema={"type": "object", "properties": {"user_id": {"type": "integer"}}})
    ]

@server.call_tool()
async def call_tool(name: str, arguments: dict):
    return await add_task(user_id=arguments["user_id"], title=arguments["title"])  # <- finding
```
```python bad path=mcp_server/tools.py case=dispatched
from sqlmodel import Field, SQLModel

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: int
    title: str

async def add_task(user_id: int, title: str):
    async with async_session() as session:
        session.add(Task(user_id=user_id, title=title))
        await session.commit()
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
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.isolation.callers import CLAIMS
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judged import EntranceKind
from neondba.project.isolation.python import PythonIsolation
from neondba.project.isolation.values import Client
from neondba.project.places import is_script, is_test
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

INJECTED = re.compile(r"\[[\"']user_?id[\"']\]\s*=[^=]|\bpartial\([^)]*user_?id\s*=")
UNLESS = re.compile(r"user_?id[\"']\s+not\s+in\s[^\n]*:\s*$")
"""How a program keeps the model's own choice."""
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
    if any(_is_injected(file.text) for file in files.containing("user_id")):
        return
    for path, line, claim in _described(files) if isolation.ownership.tables else ():
        if path not in by_file:
            yield _told(path, line, claim, "a tool")
    for found in by_file.values():
        yield _finding(*found[0], len(found) - 1)


def _is_injected(text: str) -> bool:
    """Tell whether the program puts the user in itself, whatever the model has sent."""
    found = (m for m in INJECTED.finditer(text))
    return any(not UNLESS.search(text, max(0, m.start() - 120), m.start()) for m in found)


def _described(files: PythonFiles) -> Iterator[tuple[str, int, str]]:
    """Give the first place of each file that takes a user from what a model sends, or asks it for one."""
    for file in files.containing("inputSchema", "input_schema", "call_tool", "tool_calls", '"function"'):
        if is_test(file.path) or is_script(file.path) or "user_id" not in file.text:
            continue
        taken = [
            (node.lineno, str(getattr(node.slice, "value", "")))
            for function in file.functions
            if any("call_tool" in ast.unparse(d) for d in function.decorators)
            for node in function.nodes
            if isinstance(node, ast.Subscript) and _names_user(node.slice)
        ]  # fmt: skip
        asked = [
            (key.lineno, str(key.value))
            for node in (ast.walk(file.tree) if file.tree is not None and not taken else ())
            if isinstance(node, ast.Dict)
            for name, value in zip(node.keys, node.values, strict=True)
            if isinstance(name, ast.Constant) and name.value == "properties" and isinstance(value, ast.Dict)
            for key in value.keys
            if isinstance(key, ast.Constant) and _names_user(key)
        ]
        if taken or asked:
            yield file.path, *min(taken or asked)


def _names_user(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).lower() in CLAIMS


def _claim(door: Door) -> str | None:
    """Give the parameter that names a user and that nothing behind the tool checks."""
    name = next((p.name for p in door.function.parameters if p.name.lower() in CLAIMS), None)
    if name is None or Client(name) in door.bindings.confirmed:
        return None
    return name


def _finding(door: Door, claim: str, others: int) -> Finding:
    more = f" ({others} more tools of this file do the same)" if others else ""
    return _told(door.file.path, door.function.line, claim, f"{door.function.name}()", more)


def _told(path: str, line: int, claim: str, tool: str, more: str = "") -> Finding:
    return Finding(
        path,
        line,
        f"The model decides whose rows {tool} touches, because {claim} is one of its arguments{more}: "
        "a sentence in any text it reads can make it choose another user.",
        steps=(
            f"Take {claim} from the verified token of the connection, outside the model's reach.",
            f"Remove {claim} from the arguments of the tools.",
        ),
    )
