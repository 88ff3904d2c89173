"""The program asks the database so often that its compute never suspends.

Neon suspends a compute after five minutes without a query. A job that asks every minute keeps it running day
and night: 720 hours a month instead of the hours in which somebody works, for a table that is mostly empty.

## Instead
```python bad path=app/worker.py case=loop
import asyncio

DATABASE = "ep-cool-name.neon.tech"

async def work(session):
    while True:  # <- finding
        job = await session.scalar(select(Job).where(Job.done == False))
        if job:
            await run(job)
        await asyncio.sleep(30)
```
```python good path=app/worker.py case=loop
import asyncio

DATABASE = "ep-cool-name.neon.tech"

async def work(session, wake):
    while True:
        await wake.wait()
        job = await session.scalar(select(Job).where(Job.done == False))
        await run(job)
```
```json bad path=vercel.json case=cron
{
  "crons": [
    {
      "path": "/api/cron/send",
      "schedule": "* * * * *" // <- finding
    }
  ]
}
```
```json bad path=package.json case=cron
{"dependencies": {"@neondatabase/serverless": "1.0.0"}}
```
```typescript bad path=src/app/api/cron/send/route.ts case=cron
export async function GET() {
  const due = await sql`select id from mails where sent_at is null`;
  return Response.json(due);
}
```
## When it does not matter
The program asks rarely, or the loop waits for something else than the database:
```python good path=app/worker.py case=rare
import asyncio

DATABASE = "ep-cool-name.neon.tech"

async def work(session):
    while True:
        await session.execute(delete(Token).where(Token.expired))
        await asyncio.sleep(6 * 60 * 60)

async def beat(socket):
    while True:
        await socket.send("ping")
        await asyncio.sleep(30)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls
from neondba.project.places import is_script, is_test
from neondba.project.python import PythonFiles
from neondba.project.tree import Tree
from neondba.project.typescript.nodes import Binary, Constant, Function, Node
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import is_session_work, method

SUSPENDS_AFTER = 300
"""Seconds without a query."""
OFTEN = re.compile(r"^(?:\*|\*/[1-4]|\d+(?:-\d+)?/[1-4]) \* \* \* \*$")
CRON = re.compile(r"\"path\"\s*:\s*\"([^\"]+)\"[^{}]*?\"schedule\"\s*:\s*\"([^\"]+)\"", re.DOTALL)
ASKS = re.compile(r"\bsql`|prisma\.|\bdb\.|drizzle|pool\.query|\.query\(|knex|supabase", re.IGNORECASE)


@rule("NDB817", Category.PRODUCTION, Severity.LOW)
def check(tree: Tree, python: PythonFiles, calls: OrmCalls) -> Iterator[Finding]:
    """Find loops, timers and schedules that ask the database more often than it suspends."""
    if not _uses_neon(tree):
        return
    yield from _in_python(python)
    yield from _timers(calls)
    yield from _schedules(tree)


def _uses_neon(tree: Tree) -> bool:
    lists = [
        p
        for p in tree.paths
        if re.search(r"(?:^|/)(?:package\.json|\.env[^/]*|README[^/]*|[^/]+\.(?:py|toml|ts))$", p)
    ]
    return any("neon.tech" in text or "@neondatabase" in text for p in lists if (text := tree.text(p)))


def _in_python(python: PythonFiles) -> Iterator[Finding]:
    for file in python.containing("sleep(", "interval"):
        if is_test(file.path) or is_script(file.path):
            continue
        for function in file.functions:
            for loop in (n for n in ast.walk(function.node) if isinstance(n, ast.While)):
                endless = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
                inside = [n for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Call)]
                waits = [w for c in inside if method(c) == "sleep" and c.args and (w := _number(c.args[0]))]
                asks = any(is_session_work(c) and method(c) not in ("get", "delete") for c in inside)
                if endless and asks and waits and max(waits) < SUSPENDS_AFTER:
                    yield _finding(file.path, loop.lineno, function.name + "()", max(waits))


def _number(node: ast.expr) -> float:
    """Work out a number of seconds; 0 for anything that only the running program knows."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _number(node.left) * _number(node.right)
    return 0


def _timers(calls: OrmCalls) -> Iterator[Finding]:
    """Find `setInterval(…, milliseconds)` around a statement of a server."""
    for file in calls.running("setInterval("):
        for call in file.calls_of("setInterval"):
            if file.directive == "use client" or len(call.arguments) < 2:
                continue
            wait = _milliseconds(call.arguments[1]) / 1000
            if isinstance(call.arguments[0], Function) and 0 < wait < SUSPENDS_AFTER and any(
                True for _ in calls.uses(call.arguments[0].body)
            ):  # fmt: skip
                yield _finding(file.path, call.line, "A timer", wait)


def _milliseconds(node: Node) -> float:
    if isinstance(node, Constant) and node.text.replace("_", "").isdigit():
        return float(node.text.replace("_", ""))
    if isinstance(node, Binary) and node.operator == "*":
        return _milliseconds(node.left) * _milliseconds(node.right)
    return 0


def _schedules(tree: Tree) -> Iterator[Finding]:
    """Find schedules of Vercel whose route asks the database."""
    for path in tree.named("vercel.json"):
        text = tree.text(path) or ""
        for match in CRON.finditer(text):
            route = re.compile(
                rf"(?:^|/){re.escape(match[1].partition('?')[0].strip('/'))}(?:/route)?\.[jt]sx?$"
            )
            files = [p for p in tree.paths if route.search(p)]
            if OFTEN.match(match[2]) and any(ASKS.search(tree.text(p) or "") for p in files):
                line = text.count("\n", 0, match.start(2)) + 1
                step = re.search(r"/(\d)", match[2])
                yield _finding(path, line, match[1], 60 * int(step[1]) if step else 60)


def _finding(path: str, line: int, what: str, wait: float) -> Finding:
    return Finding(
        path,
        line,
        f"{what} asks the database every {wait:g} seconds: the compute never suspends, and all hours of "
        "the month are paid for.",
        steps=(
            "Let an event start the work: a webhook, or a queue outside of the database.",
            "Or ask less often than every five minutes, and only while somebody uses the program.",
        ),
    )
