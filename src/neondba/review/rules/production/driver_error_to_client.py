"""The text of a database error is sent to the client.

Such texts name hosts, roles, tables, columns and values; asyncpg and psycopg quote the statement.
They help an attacker and no user. The log is the place for them.

## Instead
```python bad path=app/routes.py case=raised
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.get("/orders")
def orders(session):
    try:
        return load(session)
    except Exception as error:
        raise HTTPException(status_code=500, detail=f"Failed: {error}")  # <- finding
```
```python good path=app/routes.py case=raised
import logging
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.get("/orders")
def orders(session):
    try:
        return load(session)
    except Exception as error:
        logging.exception("orders")
        raise HTTPException(status_code=500, detail="The orders could not be read.") from error
```
A status of 400 hides nothing where everything is caught, and an error object tells its fields:
```python bad path=app/users.py case=refused
from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session
from app.db import get_db

router = APIRouter()

@router.post("/users")
def register(user: dict, db: Session = Depends(get_db)):
    try:
        return make_user(db, user)
    except Exception as error:
        raise HTTPException(status_code=400, detail=str(error))  # <- finding
```
```python bad path=shop/views.py case=django
from rest_framework.response import Response
from rest_framework.decorators import api_view
from shop.models import Order

@api_view(["POST"])
def order(request):
    try:
        made = Order.objects.create(user=request.user)
        return Response({"id": made.id}, status=201)
    except Exception as e:
        return Response({"error": f"Failed: {e}"}, status=500)  # <- finding
```
```typescript bad path=src/orders.js case=object
export const orders = async (req, res) => {
  try {
    return res.json(await prisma.order.findMany());
  } catch (error) {
    return res.status(500).json({ message: "Internal Server Error", error }); // <- finding
  }
};
```
```prisma bad path=prisma/schema.prisma case=object
model Order {
  id String @id
}
```
```python bad path=app/health.py case=health
from fastapi import FastAPI
from app.db import engine

app = FastAPI()

@app.get("/health")
def health():
    try:
        engine.connect()
        return {"database": "up"}
    except Exception as e:
        return {"database": str(e)}  # <- finding
```
```typescript bad path=src/app/api/orders/route.ts case=script
import { prisma } from "@/lib/prisma";

export async function GET() {
  try {
    return Response.json(await prisma.order.findMany());
  } catch (error) {
    console.error(error);
    const message = "The orders could not be read";
    return Response.json({ message, detail: error.message }, { status: 500 }); // <- finding
  }
}
```
```prisma bad path=prisma/schema.prisma case=script
model Order {
  id String @id
}
```
A handler of every exception sends all that fails to everybody, and a traceback names the files as well:
```python bad path=app/main.py case=handler
import traceback
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()

@app.exception_handler(Exception)
async def failed(request: Request, exc: Exception):
    return JSONResponse({"detail": traceback.format_exc()}, status_code=500)  # <- finding
```
A function that a route calls tells it through its result:
```python bad path=app/agent.py case=service
from app.db import session

class Agent:
    def answer(self, text):
        try:
            return self.run(text, session)
        except Exception as e:
            return f"Sorry, that went wrong: {str(e)}"  # <- finding
```
```python bad path=app/chat.py case=service
from fastapi import APIRouter
from app.agent import Agent

router = APIRouter()

@router.post("/chat")
def chat(text: str):
    return {"reply": Agent().answer(text)}
```
## When it does not matter
Errors that the program itself raises for its clients, and text that goes to the log, or only to developers:
```python good path=app/main.py case=developers
import traceback
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from app.config import settings

app = FastAPI()

@app.exception_handler(Exception)
async def failed(request: Request, exc: Exception):
    if settings.DEBUG:
        return JSONResponse({"detail": traceback.format_exc()}, status_code=500)
    return JSONResponse({"detail": "failed", "more": str(exc) if settings.DEBUG else None}, status_code=500)
```
```python good path=app/routes.py case=own
import logging
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.post("/orders")
def order(session):
    try:
        return save(session)
    except ValueError as error:
        raise HTTPException(status_code=422, detail=str(error))
    except Exception as error:
        logging.error(str(error))
        raise HTTPException(status_code=500, detail="Not saved.")
```
```typescript good path=src/app/api/orders/route.ts case=script
import { prisma } from "@/lib/prisma";

export async function POST(request: Request) {
  try {
    const order = parse(await request.json());
    return Response.json(await prisma.order.create({ data: order }));
  } catch (error) {
    if (error instanceof ZodError) {
      return Response.json({ detail: error.message }, { status: 422 });
    }
    console.error(error.message);
    return Response.json({ detail: "The order could not be saved" }, { status: 500 });
  }
}
```
```prisma good path=prisma/schema.prisma case=script
model Order {
  id String @id
}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice

from neondba.project.orm_calls import OrmCalls
from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.python_index import walk
from neondba.project.typescript.file import TypeScriptFile
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._answers import told_errors
from neondba.review.rules.production._handlers import handled
from neondba.review.rules.production._shared import apps, dotted, is_broad, route_of, times

_DATABASE = re.compile(
    r"\b(?:\w*session|db|objects|\w*engine|conn\w*|\w*pool|cursor|\w*database|repo\w*|crud|\w*service|prisma|select|call_next)\b",
    re.IGNORECASE,
)

_SESSION = re.compile(r"\b(?:\w*session|db|objects|conn|connection|cursor|call_next)\b")
"""What only the database is asked through: its failures are caught whatever the status says."""
_DRIVERS = ("sqlalchemy", "sqlmodel", "psycopg", "asyncpg", "tortoise", "databases", "prisma", "supabase")
_RETURNS = re.compile(r"return\s+(?:f[\"']|\{)[^\n]*(?:\bstr\(|\{)\w+|[\"']\s*:\s*(?:f[\"']|str\()")
"""How a function gives text or a dictionary back that may hold an error's."""
_ANSWERS = ("HTTPException", "JSONResponse", "JsonResponse", "jsonify", "Response")
_LAST = (".onError(", "setErrorHandler(", "(err: any, req", "(err, req", "(error, req", "(err: Error, req")
"""How a server's handler of all errors begins."""
_ELSEWHERE = ("pymongo", "motor.motor_asyncio", "chromadb", "firebase_admin", "boto3")
"""What a project without a Postgres driver keeps its rows in."""


@rule("NDB902", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles, calls: OrmCalls) -> Iterator[Finding]:
    """Report the first place of each file."""
    for script in _answering(calls):
        told = sorted(set(told_errors(calls, script)))
        if told:
            line, name = told[0]
            snippet = 'return Response.json({ error: "The request could not be done." }, { status: 500 });'
            yield _finding(script.path, line, name or "The handler", len({line for line, _ in told}), snippet)
    if any(python.containing(*_ELSEWHERE)) and not any(python.containing(*_DRIVERS)):
        return
    asked: list[frozenset[str]] = []
    for file in apps(python, "except"):
        places = list(_places(python, file, asked))
        if places:
            line, name = min(places)
            snippet = (
                f'logger.exception("{name}")\nraise HTTPException(500, "The request could not be done.")'
            )
            yield _finding(file.path, line, name, len(places), snippet)


def _answering(calls: OrmCalls) -> Iterator[TypeScriptFile]:
    """Give the files that may tell a client of a failed statement."""
    sending = calls.sending
    for path in calls.files.paths if sending else ():
        if is_test(path) or is_script(path):
            continue
        text = calls.files.text(path)
        told = "catch" in text and (path in sending or "await" in text)
        if not told and not any(w in text for w in _LAST):
            continue
        file = calls.files.get(path)
        if file is not None and file.directive != "use client":
            yield file


def _places(python: PythonFiles, file: PythonFile, asked: list[frozenset[str]]) -> Iterator[tuple[int, str]]:
    """Give the leaking lines of a file; what routes call is found out once, where it matters."""
    if any(word in file.text for word in (*_ANSWERS, "@app.", "router.")):
        for function in file.functions:
            if route_of(function) is not None or any(_is_web(call) for call in function.calls):
                yield from ((line, function.name) for line in _leaks(function))
            yield from ((line, function.name) for line in handled(function))
    elif _RETURNS.search(file.text):
        asked[:] = asked or [_asked(python)]
        for function in file.functions:
            if function.name in asked[0]:
                yield from ((line, function.name) for line in _leaks(function, passed_on=True))


def _finding(path: str, line: int, name: str, count: int, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"When the database fails, {name}() sends the driver's own text to the client{times(count)}: it "
        "can name hosts, roles, tables and values.",
        steps=("Log the error.", "Send a sentence of your own, and nothing of the error's text."),
        snippet=snippet,
    )


def _is_web(call: ast.Call) -> bool:
    return dotted(call.func).rpartition(".")[2] in _ANSWERS


def _asked(python: PythonFiles) -> frozenset[str]:
    """Give the names of what routes call."""
    return frozenset(
        name.rpartition(".")[2]
        for file in apps(python, "@router.", "@app.", "_router.", "@api.")
        for function in file.functions
        if route_of(function) is not None
        for call in function.calls
        if (name := dotted(call.func) or (call.func.attr if isinstance(call.func, ast.Attribute) else ""))
    )


def _leaks(function: Function, *, passed_on: bool = False) -> Iterator[int]:
    for attempt in walk(function.node):
        body = ast.unparse(ast.Module(attempt.body, [])) if isinstance(attempt, ast.Try) else ""
        if not isinstance(attempt, ast.Try) or not _DATABASE.search(body):
            continue
        sure = bool(_SESSION.search(body))
        for handler in attempt.handlers:
            if name := handler.name if is_broad(handler.type) else None:
                inside = (n for s in handler.body for n in walk(s))
                told = (
                    n
                    for n in inside
                    if (_passes_on(n, name) if passed_on else _answers(n, function, name, sure=sure))
                )
                yield from (_line(node, name) for node in islice(told, 1))


def _line(node: ast.AST, name: str) -> int:
    """Give the line of a statement on which the error's text stands."""
    parts = [n for n in walk(node) if isinstance(n, ast.Call | ast.FormattedValue)]
    told = [n.lineno for n in parts if _tells(n, name)]
    return max(told, default=getattr(node, "lineno", 1))


def _passes_on(node: ast.AST, name: str) -> bool:
    """Tell whether a function gives the error's text back as text, or in a dictionary."""
    return (
        isinstance(node, ast.Return)
        and isinstance(node.value, (ast.JoinedStr, ast.Dict, ast.BinOp))
        and _tells(node.value, name)
    )


def _answers(node: ast.AST, function: Function, name: str, *, sure: bool) -> bool:
    """Tell whether a statement carries the error's text into the answer."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        call = node.exc
        if not dotted(call.func).endswith("HTTPException") or not (sure or _is_servers_fault(call)):
            return False
        return any(_tells(part, name) for part in [*call.args[1:], *(k.value for k in call.keywords)])
    if isinstance(node, ast.Return) and node.value is not None:
        is_answer = isinstance(node.value, ast.Call) and _is_web(node.value)
        return (is_answer or route_of(function) is not None) and _tells(node.value, name)
    if isinstance(node, ast.Assign) and route_of(function) is not None:
        return any(isinstance(t, ast.Subscript) for t in node.targets) and _tells(node.value, name)
    return False


def _is_servers_fault(call: ast.Call) -> bool:
    status = next(
        (k.value for k in call.keywords if k.arg == "status_code"), call.args[0] if call.args else None
    )
    if isinstance(status, ast.Constant) and isinstance(status.value, int):
        return status.value >= 500
    return "HTTP_5" in (dotted(status) if status else "") or "INTERNAL" in (dotted(status) if status else "")


def _tells(node: ast.AST, name: str) -> bool:
    """Tell whether an expression holds the error's text: `str(e)`, `f"{e}"`, `e.orig`, `e.args`."""
    for inner in walk(node):
        if isinstance(inner, ast.Call) and dotted(inner.func) in ("str", "repr") and inner.args:
            told = inner.args[0]
        elif isinstance(inner, ast.FormattedValue):
            told = inner.value
        else:
            continue
        if dotted(told) in (name, f"{name}.orig", f"{name}.args"):
            return True
        if isinstance(inner, ast.FormattedValue) and dotted(inner.value) in (
            name,
            f"{name}.orig",
            f"{name}.args",
        ):
            return True
    return False
