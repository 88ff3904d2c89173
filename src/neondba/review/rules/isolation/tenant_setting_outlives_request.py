"""The setting that policies read stays on the connection, or is never set at all.

`SET app.tenant_id = …` lasts as long as the session. The connection goes back to a pool, and the next
request on it starts out as the previous tenant; through Neon's pooler even the statements of one request
may run on another connection. And `SET` takes no parameters: psycopg 3 and asyncpg send `$1`, which
PostgreSQL answers with a syntax error.

## Instead

```python bad path=app/tenants.py case=session
from sqlalchemy import text

def choose(session, tenant):
    session.execute(text(f"SET app.tenant_id = '{tenant.id}'"))  # <- finding
```

```python bad path=app/tenants.py case=parameter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("postgresql+asyncpg://localhost/shop")

async def choose(session, tenant):
    await session.execute(text("SET LOCAL app.tenant_id = :tenant"), {"tenant": tenant.id})  # <- finding
```

```python bad path=app/tenants.py case=function
def choose(cursor, tenant):
    cursor.execute("select set_config('app.tenant_id', %s, false)", [tenant.id])  # <- finding
```

```python good path=app/tenants.py
from sqlalchemy import text

def choose(session, tenant):
    session.execute(text("select set_config('app.tenant_id', :tenant, true)"), {"tenant": str(tenant.id)})
```

## When it does not matter

Settings that are the same for everybody, those taken back when the connection is given back, and
psycopg2, which fills in values before it sends them:

```python good path=app/db.py
from sqlalchemy import text

def limits(session):
    session.execute(text("SET statement_timeout = '5s'"))
```

```python good path=app/tenants.py case=taken-back
from sqlalchemy import event, text

def choose(session, tenant):
    session.execute(text(f"SET app.tenant_id = '{tenant.id}'"))

def give_back(connection):
    connection.execute(text("RESET app.tenant_id"))
```

```python good path=app/tenants.py case=psycopg2
import psycopg2

def choose(cursor, tenant):
    cursor.execute("SET LOCAL app.tenant_id = %s", [tenant.id])
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from neondba.project.addresses import Addresses
from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.connections._shared import shows_pooler

_SET: Final = re.compile(
    r"^\s*SET\s+(?P<local>LOCAL\s+)?(?:SESSION\s+)?(?P<name>\w+\.[\w.]+)\s*(?:=|TO)\s*(?P<value>[:$%]\(?\w*)?",
    re.IGNORECASE,
)
_KEPT: Final = re.compile(
    r"\bset_config\(\s*'(?P<name>\w+\.[\w.]+)'\s*,.*,\s*false\s*\)", re.IGNORECASE | re.DOTALL
)
_SENT: Final = re.compile(r"execute|exec\(|text\(|fetch|\.run\(")
_BINDING: Final = re.compile(r"asyncpg|postgresql\+psycopg:|\bimport psycopg\b|\bfrom psycopg\b|psycopg\[")
_DECLARED: Final = ("requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg", ".env.example")


@rule("NDB409", Category.ISOLATION, Severity.MEDIUM)
def check(python: PythonFiles, tree: Tree, addresses: Addresses) -> Iterator[Finding]:
    """Look for settings of one's own that outlast the transaction, or bind a parameter."""
    for file in python.containing("SET ", "set ", "set_config"):
        if is_test(file.path) or is_migration(file.path) or is_script(file.path):
            continue
        for constant in file.index.strings:
            text = str(constant.value)
            found = _SET.match(text) or _KEPT.search(text)
            if found is None or not _is_sent(file, constant.lineno):
                continue
            value = found.groupdict().get("value") or ""
            if len(value) > 1 and _binds_on_the_server(python, tree):
                yield _refused(file.path, constant.lineno, found["name"])
            elif not found.groupdict().get("local") and not _is_taken_back(python, found["name"]):
                yield _stays(file.path, constant.lineno, found["name"], pooled=shows_pooler(addresses))


def _is_sent(file: PythonFile, line: int) -> bool:
    lines = file.text.split("\n")[max(0, line - 4) : line]
    return bool(_SENT.search("\n".join(lines)))


def _is_taken_back(python: PythonFiles, name: str) -> bool:
    words = (f"RESET {name}", f"reset {name}", "DISCARD ALL", "discard all", f"SET {name} TO DEFAULT")
    return any(True for _ in python.containing(*words))


def _binds_on_the_server(python: PythonFiles, tree: Tree) -> bool:
    """Tell whether the project's driver sends values apart from the statement."""
    declared = (tree.text(path) or "" for path in tree.named(*_DECLARED))
    if any(_BINDING.search(text) for text in declared):
        return True
    return any(_BINDING.search(file.text) for file in python.containing("psycopg", "asyncpg"))


def _refused(path: str, line: int, name: str) -> Finding:
    return Finding(
        path,
        line,
        f"SET takes no parameters: the driver sends $1, PostgreSQL answers with a syntax error, and {name} "
        "is never set.",
        steps=("Call set_config, which takes them, with true as its third argument.",),
        snippet=f"select set_config('{name}', :value, true)",
        severity=Severity.HIGH,
    )


def _stays(path: str, line: int, name: str, *, pooled: bool) -> Finding:
    through = "Neon's pooler may run the next statement on another connection, and " if pooled else ""
    return Finding(
        path,
        line,
        f"{name} stays set on the connection after the request: {through}the next request that gets this "
        "connection starts out as the previous tenant.",
        steps=(
            "Set it for the transaction: set_config(…, true), at the start of each one.",
            "Let policies refuse where it is empty.",
        ),
        snippet=f"select set_config('{name}', :value, true)",
        severity=Severity.HIGH if pooled else None,
    )
