"""An asyncpg address keeps parameters that only libpq knows.

SQLAlchemy hands every parameter of the address to `asyncpg.connect()`, which knows neither `sslmode`
nor `channel_binding`: the first connection fails with `TypeError: connect() got an unexpected keyword
argument`. Neon's console gives addresses with both.

## Instead
```bash bad path=.env.example case=address
DATABASE_URL=postgresql+asyncpg://user:password@ep-example.eu.aws.neon.tech/shop?sslmode=require  # <- finding
```
```bash good path=.env.example case=address
DATABASE_URL=postgresql+asyncpg://user:password@ep-example.eu.aws.neon.tech/shop?ssl=require
```
```bash bad path=.env.example case=code
DATABASE_URL=postgresql://user:password@ep-example.eu.aws.neon.tech/shop?sslmode=require
```
```python bad path=app/db.py case=code
import os
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")  # <- finding
engine = create_async_engine(url)
```
```bash good path=.env.example case=translated
DATABASE_URL=postgresql://user:password@ep-example.eu.aws.neon.tech/shop?sslmode=require
```
```python good path=app/db.py case=translated
import os
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
url = url.replace("sslmode=", "ssl=").replace("&channel_binding=require", "")
engine = create_async_engine(url)
```
Where one module translates the parameters and another reads the variable anew, the other fails. This is
how migrations break that use an asynchronous engine:
```python bad path=app/db.py case=beside
import os
from sqlalchemy.ext.asyncio import create_async_engine

# asyncpg knows no sslmode
url = os.environ["DATABASE_URL"].split("?sslmode")[0]
engine = create_async_engine(url, connect_args={"ssl": "require"})
```
```python bad path=alembic/env.py case=beside
import os
from alembic import context
from sqlalchemy.ext.asyncio import async_engine_from_config

url = os.getenv("DATABASE_URL")  # <- finding
context.config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
engine = async_engine_from_config(context.config.get_section("alembic"))
```
```python good path=alembic/env.py case=shared
from alembic import context
from sqlalchemy.ext.asyncio import async_engine_from_config

from app.db import url

context.config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
engine = async_engine_from_config(context.config.get_section("alembic"))
```
```python good path=app/db.py case=shared
import os

url = os.environ["DATABASE_URL"].split("?sslmode")[0]
```
## When it does not matter
`asyncpg.create_pool` reads `sslmode` out of the address itself:
```python good path=app/pool.py
import asyncpg

pool = asyncpg.create_pool("postgresql://user@db.shop-orders.io/shop?sslmode=require")
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.addresses import Address, Addresses
from neondba.project.places import is_document, is_script, is_test
from neondba.project.python import PythonFiles
from neondba.project.services import Services
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_LIBPQ = re.compile(r"[?&](?P<name>sslmode|channel_binding)=")
_TURNED = re.compile(r"""replace\([^)\n]{0,60},\s*["']postgresql\+asyncpg://""")
_TRANSLATES = re.compile(r"sslmode|channel_binding|make_url|urlparse|urlsplit|\.split\([\"']\?|\bssl\b")
_READS = re.compile(
    r"^[^#\n]*\b(?:getenv\(|environ(?:\.get\(|\[))\s*[\"'](?P<name>\w*DATABASE_URL|POSTGRES_URL)[\"']",
    re.MULTILINE,
)


@rule("NDB202", Category.CONNECTION, Severity.HIGH)
def check(addresses: Addresses, python: PythonFiles, services: Services) -> Iterator[Finding]:
    """Report addresses, code that turns one into such an address, and code that forgets to translate."""
    yield from _beside(python, services)
    translated = any(not is_test(file.path) for file in python.containing("sslmode"))
    ships = False
    seen = set()
    for address in addresses.all:
        found = _LIBPQ.search(address.rest)
        if not found or not address.scheme.startswith("postgres"):
            continue
        ships = True
        if address.path in seen or translated or is_document(address.path) or is_test(address.path):
            continue
        if address.scheme.endswith("+asyncpg"):
            seen.add(address.path)
            yield _in_address(address, found["name"])
    for file in python.containing("+asyncpg://"):
        if not ships or is_test(file.path) or "create_async_engine" not in file.text:
            continue
        if _TRANSLATES.search(file.text):
            continue
        turned = _TURNED.search(file.text)
        if turned:
            yield _in_code(file.path, file.text.count("\n", 0, turned.start()) + 1)


def _beside(python: PythonFiles, services: Services) -> Iterator[Finding]:
    """Find modules that read the address anew beside one that translates it."""
    translating = [
        f for f in python.containing("sslmode", "channel_binding")
        if not is_test(f.path) and not is_script(f.path) and "asyncpg" in f.text
    ]  # fmt: skip
    if not translating:
        return
    for file in python.containing("async_engine_from_config", "create_async_engine"):
        beside = [f for f in translating if services.of(f.path) is services.of(file.path)]
        if not beside or is_test(file.path) or is_script(file.path) or _TRANSLATES.search(file.text):
            continue
        read = _READS.search(file.text)
        if read:
            line = file.text.count("\n", 0, read.start()) + 1
            yield _untranslated(file.path, line, beside[0].path, read["name"])


def _untranslated(path: str, line: int, other: str, name: str) -> Finding:
    return Finding(
        path,
        line,
        f"{other} takes sslmode and channel_binding out of the address for asyncpg; {path} reads {name} as "
        "it is, and its first connection fails with a TypeError.",
        steps=(f"Import the address that {other} has made, instead of reading {name} anew.",),
        snippet=f"from {other.removesuffix('.py').replace('/', '.')} import DATABASE_URL",
    )


def _in_address(address: Address, name: str) -> Finding:
    return Finding(
        address.path,
        address.line,
        f"asyncpg does not know {name}: the first connection to {address.host} fails with a TypeError.",
        steps=("Write ssl=require instead of sslmode=require.", "Leave channel_binding out."),
        snippet="ssl=require",
        evidence=f"{address.shown}?{name}=…",
        masked=True,
    )


def _in_code(path: str, line: int) -> Finding:
    return Finding(
        path,
        line,
        f"{path} turns the address into one for asyncpg but keeps sslmode and channel_binding, which "
        "Neon's addresses have: the first connection fails with a TypeError.",
        steps=("Translate the parameters where the driver is put in.",),
        snippet='url = url.replace("sslmode=", "ssl=").replace("&channel_binding=require", "")',
    )
