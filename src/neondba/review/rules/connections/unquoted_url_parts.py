"""A password goes into the address unquoted.

A `@`, `/`, `:`, `#` or `%` in the password ends it early: the rest is read as host or database. At
best the connection fails on the day somebody sets a strong password; at worst the login goes to
another host.

## Instead
```python bad path=app/settings.py case=python
def address(user, password, host, name):
    return f"postgresql://{user}:{password}@{host}/{name}"  # <- finding
```
```python good path=app/settings.py case=python
from sqlalchemy import URL

def address(user, password, host, name):
    return URL.create("postgresql+psycopg", user, password, host, database=name)
```
```typescript bad path=src/db.ts case=typescript
const url = `postgresql://${env.DB_USER}:${env.DB_PASSWORD}@${env.DB_HOST}/shop`;  // <- finding
```
## When it does not matter
Parts that are quoted, on the spot or before, and the variables of a compose file:
```python good path=app/settings.py case=quoted
from urllib.parse import quote_plus

def address(user, password, host, name):
    secret = quote_plus(password)
    return f"postgresql://{user}:{secret}@{host}/{name}"

def other(user, password, host):
    return f"postgresql://{user}:{quote_plus(password)}@{host}/shop"
```
```typescript good path=src/db.ts case=quoted
const url = `postgresql://${env.DB_USER}:${encodeURIComponent(env.DB_PASSWORD)}@${env.DB_HOST}/shop`;
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

_SCHEME = re.compile(r"^(?:postgres(?:ql)?|mysql|cockroachdb)(?:\+\w+)?://")
_QUOTED = re.compile(r"quote|encode|escape|safe|urlparse|urlsplit", re.IGNORECASE)
_TEMPLATE = re.compile(r"`(?:postgres(?:ql)?|mysql)://[^`\s]*?:\$\{(?P<value>[^}]+)\}@")


@rule("NDB205", Category.CONNECTION, Severity.MEDIUM)
def check(python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Report addresses that are put together from an unquoted password."""
    for file in python.containing("sql://", "+asyncpg://", "+psycopg"):
        if is_test(file.path):
            continue
        for node in file.index.fstrings:
            value = _password(node)
            if value is not None and not _is_quoted(file, value):
                yield _finding(file.path, node.lineno, ast.unparse(value), python=True)
    for path in tree.named(suffix=(".ts", ".js", ".mjs", ".tsx")):
        text = tree.text(path) or ""
        if "sql://$" in text or "postgres://$" in text:
            for match in _TEMPLATE.finditer(text):
                if not _QUOTED.search(match["value"]) and not is_test(path):
                    yield _finding(path, text.count("\n", 0, match.start()) + 1, match["value"], python=False)


def _password(node: ast.JoinedStr) -> ast.expr | None:
    """Give what stands between `:` and `@` in an address."""
    parts = node.values
    first = parts[0] if parts else None
    begins = isinstance(first, ast.Constant) and _SCHEME.match(str(first.value))
    if not begins and not (len(parts) > 1 and str(getattr(parts[1], "value", "")).startswith("://")):
        return None
    for before, value, after in zip(parts, parts[1:], parts[2:], strict=False):
        if (
            isinstance(before, ast.Constant)
            and isinstance(value, ast.FormattedValue)
            and isinstance(after, ast.Constant)
            and re.search(r":$", str(before.value))
            and str(after.value).startswith("@")
        ):
            return value.value
    return None


def _is_quoted(file: PythonFile, value: ast.expr) -> bool:
    said = ast.unparse(value)
    if _QUOTED.search(said):
        return True
    made = re.search(rf"\b{re.escape(said.rpartition('.')[2])}\s*=\s*(?P<how>[^\n]+)", file.text)
    return bool(made and _QUOTED.search(made["how"])) or (
        isinstance(value, ast.Attribute) and "urlparse" in file.text
    )


def _finding(path: str, line: int, name: str, *, python: bool) -> Finding:
    name = name if re.fullmatch(r"[\w.]+", name) else "the password"
    return Finding(
        path,
        line,
        f"A password with @, /, : or # in it breaks this address, or sends the login to another host: {name} "
        "is "
        "not quoted.",
        steps=("Let the library put the address together.",)
        if python
        else ("Quote each part with encodeURIComponent().",),
        snippet="URL.create(\n"
        '    "postgresql+psycopg", username=user, password=password, host=host, database=name\n'
        ")"
        if python
        else f"encodeURIComponent({name})",
    )
