"""The address of the database, with its password, is printed or logged.

Logs are kept for months, read by more people than the database, and sent to services that index
them. Cutting at the `@` does not help when the part before it is kept: that is where the password
stands.

## Instead
```python bad path=app/main.py case=python
import logging
import os

DATABASE_URL = os.environ["DATABASE_URL"]
logging.info("Connecting to %s", DATABASE_URL)  # <- finding
```
```python good path=app/main.py case=python
import logging
import os
from sqlalchemy.engine import make_url

DATABASE_URL = os.environ["DATABASE_URL"]
logging.info("Connecting to %s", make_url(DATABASE_URL).host)
```
```python bad path=app/startup.py case=cut
from app.settings import settings

print(f"Database: {settings.database_url.split('@')[0]}@***")  # <- finding
```
```typescript bad path=src/db.ts case=typescript
console.log("db", process.env.DATABASE_URL);  // <- finding
```
## When it does not matter
Saying whether it is set, the part after the `@`, a function that masks, and tests:
```python good path=app/main.py case=safe
import os

DATABASE_URL = os.environ.get("DATABASE_URL")
print("DATABASE_URL:", "set" if DATABASE_URL else "missing")
print(bool(DATABASE_URL), len(DATABASE_URL or ""), DATABASE_URL.split("@")[1])
print(mask(DATABASE_URL), f"{DATABASE_URL[:10]}...")
if not DATABASE_URL:
    print(f"DATABASE_URL is {DATABASE_URL}")
print("Set DATABASE_URL first")
```
```typescript good path=src/db.ts case=safe
console.log("db", process.env.DATABASE_URL ? "set" : "missing", !!process.env.DATABASE_URL);
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_LOGS = frozenset(
    {"debug", "info", "warning", "error", "critical", "exception", "log", "print", "echo", "warn"}
)
_ADDRESS = re.compile(
    r"(?:^|_)(?:database_?ur[il]|db_?ur[il]|postgres_?ur[il]|connection_?string|conn_?str|dsn|database_dsn|pg_?ur[il]|"
    r"postgres_password|db_password|database_password|pgpassword)$",
    re.IGNORECASE,
)
_IN_SCRIPT = re.compile(
    r"console\.\w+\([^;\n]*(?<![!\w.])process\.env\.(?P<name>\w*(?:DATABASE_URL|POSTGRES_URL|DB_URL|DB_PASSWORD|DIRECT_URL))"
    r"(?P<after>[^\n]{0,12})"
)
_HARMLESS_AFTER = re.compile(
    r"\s*(?:\?(?!\?)|&&|===?|!==?|\.split\([\"']@|\.slice|\.substring|\.length|\.replace|\.includes|\.startsWith)"
)
_NAMES = (
    "DATABASE_UR", "database_ur", "db_ur", "DB_UR", "onnection_string", "CONNECTION_STRING", "conn_str",
    "dsn", "DSN", "POSTGRES_UR", "postgres_ur", "POSTGRES_PASSWORD", "postgres_password", "db_password",
    "DB_PASSWORD", "PGPASSWORD", "pg_ur", "PG_UR", "connstr", "CONNSTR", "DATABASE_PASSWORD",
    "database_password",
)  # fmt: skip
_TOO_SHORT = 16
"""Letters of an address that hold no password yet: its scheme and the begin of the role."""


@rule("NDB206", Category.CONNECTION, Severity.HIGH)
def check(python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Report calls that print or log an address or password."""
    for file in python.containing("print(", "logger.", "logging.", "log."):
        if is_test(file.path) or not any(name in file.text for name in _NAMES):
            continue
        for call in file.calls:
            name = _shown(call.node) if _is_log(call.node) else None
            if name and not _is_empty_there(file, call.node, name):
                yield _finding(file.path, call.node.lineno, name)
    for path in tree.named(suffix=(".ts", ".tsx", ".js", ".mjs", ".cjs")):
        text = tree.text(path) or ""
        if "console." in text and "process.env" in text and not is_test(path):
            for match in _IN_SCRIPT.finditer(text):
                if not _HARMLESS_AFTER.match(match["after"]):
                    yield _finding(path, text.count("\n", 0, match.start()) + 1, match["name"])


def _is_log(call: ast.Call) -> bool:
    func = call.func
    if isinstance(func, ast.Name):
        return func.id == "print"
    return isinstance(func, ast.Attribute) and func.attr in _LOGS


def _shown(call: ast.Call) -> str | None:
    """Give the name of an address whose password reaches the output."""
    for given in [*call.args, *(k.value for k in call.keywords)]:
        parts = given.values if isinstance(given, ast.JoinedStr) else [given]
        for part in parts:
            name = _leaking(part.value if isinstance(part, ast.FormattedValue) else part)
            if name:
                return name
    return None


def _leaking(node: ast.expr) -> str | None:
    """Follow an expression as long as it keeps the password."""
    if isinstance(node, ast.Subscript):
        return _leaking_part(node)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("str", "repr") and node.args:
            return _leaking(node.args[0])
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method in ("strip", "lower", "get_secret_value", "format") and isinstance(
            node.func, ast.Attribute
        ):
            return _leaking(node.func.value)
        return None
    if isinstance(node, ast.BinOp):
        return _leaking(node.left) or _leaking(node.right)
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name if _ADDRESS.search(name) else None


def _leaking_part(node: ast.Subscript) -> str | None:
    inner = node.value
    if isinstance(node.slice, ast.Slice):
        upper = node.slice.upper
        short = isinstance(upper, ast.Constant) and isinstance(upper.value, int) and upper.value <= _TOO_SHORT
        return None if short or node.slice.lower is not None else _leaking(inner)
    if (
        isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Attribute)
        and inner.func.attr in ("split", "partition")
    ):
        at = bool(inner.args) and isinstance(inner.args[0], ast.Constant) and inner.args[0].value == "@"
        first = isinstance(node.slice, ast.Constant) and node.slice.value == 0
        return _leaking(inner.func.value) if at and first else None
    return None


def _is_empty_there(file: PythonFile, call: ast.Call, name: str) -> bool:
    """Tell whether the line runs only when the address is missing."""
    lines = file.text.split("\n")
    for back in range(call.lineno - 2, max(-1, call.lineno - 7), -1):
        if re.match(rf"\s*(?:el)?if\s+not\s+[\w.]*{re.escape(name)}\s*:", lines[back]):
            return True
    return False


def _finding(path: str, line: int, name: str) -> Finding:
    host = f"make_url({name}).host" if path.endswith(".py") else f"new URL(process.env.{name}).host"
    return Finding(
        path,
        line,
        f"{path} writes {name}, with the password in it, into its output; everybody who can read the logs "
        "can open "
        "the database.",
        steps=(
            f"Log the host alone, or only whether {name} is set.",
            "Change the password if such logs were kept.",
        ),
        snippet=host,
    )
