"""The database client prints every statement with its values.

`echo=True` writes each query and its parameters to the log: names, addresses, tokens of users. It
also costs time at every statement. What helps at a desk must not be on where users are.

## Instead
```python bad path=app/db.py case=always
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, echo=True)  # <- finding
```
```python good path=app/db.py case=always
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, echo=settings.DEBUG)
```
```python fixed path=app/db.py case=always
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL)
```
A setting that is on unless somebody switches it off is on in production:
```python bad path=app/settings.py case=default
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    DATABASE_URL: str
    DEBUG: bool = True

settings = Settings()
```
```python bad path=app/db.py case=default
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, echo=settings.DEBUG)  # <- finding
```
```typescript bad path=src/db.ts case=prisma
import { PrismaClient } from "@prisma/client";

export const prisma = new PrismaClient({
  log: ["query", "error"], // <- finding
});
```
```typescript good path=src/db.ts case=prisma
import { PrismaClient } from "@prisma/client";

export const prisma = new PrismaClient({
  log: process.env.NODE_ENV === "development" ? ["query", "error"] : ["error"],
});
```
```typescript bad path=src/db.ts case=drizzle
import { drizzle } from "drizzle-orm/postgres-js";

export const db = drizzle(client, { schema, logger: true }); // <- finding
```
## When it does not matter
Echo bound to a setting, tests, scripts and SQLite, and events that the program itself takes up:
```typescript good path=src/db.ts case=event
import { PrismaClient } from "@prisma/client";

export const prisma = new PrismaClient({ log: [{ emit: "event", level: "query" }] });
const shown = process.env.NODE_ENV !== "production";
export const other = shown ? new PrismaClient({ log: ["query"] }) : new PrismaClient();
```
```python good path=app/db.py case=bound
import os
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, echo=os.getenv("SQL_ECHO") == "1")
cache = create_engine("sqlite://", echo=True)
```
```python good path=tests/conftest.py case=tests
from sqlmodel import create_engine

engine = create_engine("postgresql://localhost/test", echo=True)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.engines import Engine, Engines
from neondba.project.places import is_script, is_test
from neondba.project.python import PythonFiles
from neondba.project.settings_classes import SettingsClasses
from neondba.project.typescript import nodes as script
from neondba.project.typescript.files import TypeScriptFiles
from neondba.review.editing import without_keyword
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB901", Category.PRODUCTION, Severity.MEDIUM)
def check(
    engines: Engines, python: PythonFiles, settings: SettingsClasses, scripts: TypeScriptFiles
) -> Iterator[Finding]:
    """Report engines and clients that always echo, or do unless told otherwise."""
    for engine in engines.all:
        echo = engine.keywords.get("echo")
        always = isinstance(echo, ast.Constant) and echo.value in (True, "debug")
        on = "" if always or not isinstance(echo, ast.Attribute) else _on(python, settings, engine, echo)
        if (always or on) and engine.is_of_the_app and engine.backend != "sqlite":
            yield Finding(
                engine.path,
                _place(engine, echo),
                f"{engine.path} logs every statement with its values, in production too"
                f"{f' unless {on} is set' if on else ''}: what users entered stands in the log.",
                steps=(f"Bind echo to a setting that is off by default, in {engine.path}.",),
                snippet='echo=os.getenv("SQL_ECHO") == "1"',
                edits=without_keyword(engine.path, engine.file.text, engine.call, "echo") if always else (),
            )
    yield from _in_scripts(scripts)


def _place(engine: Engine, echo: ast.expr | None) -> int:
    """Give the line that switches the echo on, where that is in the engine's own file."""
    lines = engine.file.text.split("\n")
    there = echo is not None and echo.lineno <= len(lines) and "echo" in lines[echo.lineno - 1]
    return echo.lineno if echo is not None and there else engine.line


def _on(python: PythonFiles, settings: SettingsClasses, engine: Engine, echo: ast.Attribute) -> str:
    """Give the variable that has to be set to switch the echo off; empty where it is off by default."""
    owner = settings.instances.get(engine.file.resolve(echo.value) or "")
    file = python.get(owner.path) if owner else None
    for declared in file.classes if file and owner else ():
        for node in declared.assignments if owner and declared.name == owner.name else ():
            target = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(target, ast.Name) and target.id == echo.attr and owner:
                on = isinstance(node.value, ast.Constant) and node.value.value is True
                return f"{owner.prefix}{owner.fields.get(echo.attr, echo.attr)}=false" if on else ""
    return ""


def _in_scripts(files: TypeScriptFiles) -> Iterator[Finding]:
    for file in files.containing("PrismaClient(", "drizzle("):
        if is_test(file.path) or is_script(file.path):
            continue
        chosen = _chosen(file.body)
        for call in file.calls_of("PrismaClient", "drizzle"):
            option = next((o for a in call.arguments if (o := _echo(a)) is not None), None)
            if option is not None and id(call) not in chosen:
                yield Finding(
                    file.path,
                    option.line,
                    f"{file.path} logs every statement, in production too: it costs time at each"
                    f"{', and what users entered stands in the log' if option.key == 'logger' else ''}.",
                    steps=(f"Log statements in development alone, in {file.path}.",),
                    snippet='process.env.NODE_ENV === "development"',
                    severity=Severity.MEDIUM if option.key == "logger" else Severity.LOW,
                )


def _chosen(body: list[script.Node]) -> set[int]:
    """Give the calls that run under a condition, which may be the environment."""
    found: set[int] = set()
    for node in (n for one in body for n in script.walk(one)):
        if isinstance(node, script.If | script.Conditional):
            found |= {id(n) for n in script.walk(node) if isinstance(n, script.Call)}
    return found


def _echo(options: script.Node) -> script.Property | None:
    """Give the option of a client that switches the log of statements on for good."""
    for option in options.properties if isinstance(options, script.Object) else ():
        value = option.value
        if option.key == "logger" and isinstance(value, script.Constant) and value.text == "true":
            return option
        items = value.items if option.key == "log" and isinstance(value, script.Array) else []
        if any(isinstance(i, script.Text) and i.value == "query" for i in items):
            return option
    return None
