"""A migration script hides its own failure.

The script catches every exception, prints it and ends as if all had gone well. The deployment reads exit
status 0 and goes on: the new code starts on the old schema.

## Instead

```python bad path=scripts/migrate.py
def run_migrations(connection, sql):
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        connection.commit()
    except Exception as error:  # <- finding
        print(f"migration failed: {error}")
        connection.rollback()
```

```python good path=scripts/migrate.py
def run_migrations(connection, sql):
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        connection.commit()
    except Exception:
        connection.rollback()
        raise
```

## When it does not matter

The caller learns of the failure another way, or the exception is one that is expected:

```python good path=scripts/migrate.py
import sys


def migrate(connection, sql):
    try:
        connection.execute(sql)
    except Exception as error:
        print(error)
        sys.exit(1)


def migrate_quietly(connection, sql):
    try:
        connection.execute(sql)
    except DuplicateTable:
        print("already there")
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import Function, PythonFiles
from neondba.project.sqlalchemy_types import last_name
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

RUNS = frozenset(
    {"execute", "executescript", "exec_driver_sql", "upgrade", "run_sync", "create_all", "run_migrations"}
)
BROAD = frozenset(
    {"Exception", "BaseException", "Error", "DatabaseError", "SQLAlchemyError", "OperationalError"}
)
TELLS = frozenset({"exit", "_exit", "abort", "fail", "set_exception"})


@rule("NDB614", Category.MIGRATION, Severity.HIGH)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Find migration scripts that catch everything and end well."""
    for file in python.containing("migrat"):
        if "/tests/" in f"/{file.path}" or "down_revision" in file.text:
            continue
        script = "migrat" in file.path.rpartition("/")[2].lower()
        for function in file.functions:
            if not (script or "migrat" in function.name.lower()):
                continue
            for handler in _swallowing(function):
                yield Finding(
                    file.path,
                    handler.lineno,
                    f"When the migration fails, `{function.name}` prints it and ends as if it had worked; "
                    "the deployment goes on with the old schema.",
                    ("Raise the exception again after the rollback, so that the script ends with status 1.",),
                    "except Exception:\n    connection.rollback()\n    raise",
                )


def _swallowing(function: Function) -> Iterator[ast.ExceptHandler]:
    for node in ast.walk(function.node):
        if not isinstance(node, ast.Try) or not _runs_sql(node.body):
            continue
        for handler in node.handlers:
            if _is_broad(handler.type) and not _tells(handler) and not _loops(function, node):
                yield handler


def _runs_sql(body: list[ast.stmt]) -> bool:
    calls = [n for part in body for n in ast.walk(part) if isinstance(n, ast.Call)]
    return any(last_name(c) in RUNS for c in calls)


def _is_broad(type_: ast.expr | None) -> bool:
    kinds = type_.elts if isinstance(type_, ast.Tuple) else [type_]
    return any(kind is None or last_name(kind) in BROAD for kind in kinds)


def _tells(handler: ast.ExceptHandler) -> bool:
    """Tell whether the handler raises, exits, returns something or notes the failure for later."""
    for part in handler.body:
        for node in ast.walk(part):
            if isinstance(node, ast.Raise | ast.Continue | ast.AugAssign):
                return True
            if isinstance(node, ast.Return) and node.value is not None:
                return True
            if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call):
                return True
            if isinstance(node, ast.Call) and last_name(node) in (*TELLS, "append"):
                return True
    return False


def _loops(function: Function, inner: ast.Try) -> bool:
    """A try inside a loop may go on to the next statement on purpose."""
    return any(
        isinstance(n, ast.For | ast.While) and n.lineno < inner.lineno <= (n.end_lineno or 0)
        for n in ast.walk(function.node)
    )
