"""State of a session is set on a connection that the pooler shares.

Neon's pooler gives a connection to a client for one transaction. A `SET`, a `LISTEN`, a temporary
table or an advisory lock of the session stays on a connection that somebody else gets next: the
setting applies to a stranger, the notice never comes, the lock is never released. Start-up parameters
in `options` are refused outright.

## Instead
```bash bad path=.env.example case=set
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop
```
```python bad path=app/tenants.py case=set
def choose(session, tenant):
    session.execute(text("SET search_path TO shop"))  # <- finding
```
```bash good path=.env.example case=local
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop
```
```python good path=app/tenants.py case=local
def choose(session, tenant):
    session.execute(text("SET LOCAL search_path TO shop"))
    session.execute(text("select pg_advisory_xact_lock(1)"))
```
```bash bad path=.env.example case=options
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop
```
```python bad path=app/db.py case=options
from sqlmodel import create_engine
from app.settings import settings

limit = {"options": "-c statement_timeout=5000"}  # <- finding
engine = create_engine(settings.DATABASE_URL, connect_args=limit)
```
A start-up parameter in the pooled address itself, and TypeScript:
```bash bad path=.env.example case=address
DATABASE_URL=postgresql://user:pass@ep-x-pool\x65r.eu.aws.neon.tech/a?options=-cwork_mem%3D9  # <- finding
```
```bash bad path=.env.example case=script
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop?sslmode=require
```
```typescript bad path=src/events.ts case=script
import { pool } from "./db";

export const listen = () => pool.query("LISTEN orders");  // <- finding
```
## When it does not matter
A project that uses the direct address, what migrations do, and `application_name`:
```bash good path=.env.example case=direct
DATABASE_URL=postgresql://user:password@ep-example.eu.aws.neon.tech/shop
```
```python good path=app/tenants.py case=direct
def choose(session, tenant):
    session.execute(text("SET search_path TO shop"))
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.addresses import Addresses
from neondba.project.engines import Engines
from neondba.project.places import is_document, is_migration, is_script, is_test
from neondba.project.python import PythonFiles
from neondba.project.services import Services
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Template, Text
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.connections._shared import shows_pooler

_STATE = re.compile(
    r"^\s*(?:(?P<set>SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)(?:SESSION\s+)?\w+\s*(?:=|TO)\s)|(?P<listen>LISTEN\s+\w+\s*;?\s*$)|"
    r"(?P<temp>CREATE\s+TEMP(?:ORARY)?\s+TABLE\b)|(?P<prepare>PREPARE\s+\w+[^;]*\bAS\b|DEALLOCATE\s+\w+)|(?P<cursor>DECLARE\s+\w+\s.*WITH\s+HOLD)|"
    r"(?P<lock>SELECT\s+pg_(?:try_)?advisory_lock(?:_shared)?\())",
    re.IGNORECASE,
)
_WORDS = (
    "PREPARE ",
    "DEALLOCATE",
    "WITH HOLD",
    "SET ",
    "set ",
    "LISTEN ",
    "listen ",
    "advisory_lock",
    "TEMP",
)
_PARAMETER = re.compile(
    r"[?&](?P<name>options(?!=(?:endpoint|project)\b)|search_path|statement_timeout|currentSchema)="
)
_TAKEN = frozenset(
    {"client_encoding", "datestyle", "timezone", "standard_conforming_strings", "application_name", "options",
     "server_settings", "extra_float_digits"}
)  # fmt: skip
"""Start-up parameters that the pooler passes on."""
_SENDS = frozenset({"sql", "query", "execute", "$executeRaw", "$executeRawUnsafe", "$queryRaw", "unsafe"})
_REMEDY = {
    "set": ("a setting for the session", "SET LOCAL, inside the transaction that needs it"),
    "prepare": (
        "a statement prepared by SQL",
        "the driver's own prepared statements, which the pooler knows",
    ),
    "cursor": ("a cursor that is held", "the direct address for this connection"),
    "listen": ("a LISTEN", "the direct address for this connection"),
    "temp": ("a temporary table", "CREATE TEMP TABLE … ON COMMIT DROP, inside the transaction"),
    "lock": ("an advisory lock of the session", "pg_advisory_xact_lock, which ends with the transaction"),
}


@rule("NDB214", Category.POOLING, Severity.MEDIUM)
def check(
    addresses: Addresses,
    engines: Engines,
    python: PythonFiles,
    files: TypeScriptFiles,
    services: Services,
) -> Iterator[Finding]:
    """Report session state in projects that show a pooled address."""
    if not shows_pooler(addresses):
        return
    for file in python.containing(*_WORDS):
        if is_test(file.path) or is_migration(file.path) or is_script(file.path):
            continue
        for constant in file.index.strings:
            match = _STATE.match(str(constant.value))
            if match and _is_sent(file.text, constant):
                yield _finding(file.path, constant.lineno, str(match.lastgroup))
    yield from _in_addresses(addresses)
    yield from _in_scripts(files, services, addresses)
    for engine in engines.all:
        options = engine.connect_argument("options", "server_settings")
        if options is not None and engine.is_of_the_app and _is_refused(options):
            yield Finding(
                engine.path,
                options.lineno,
                f"The pooler refuses start-up parameters: with the pooled address, {engine.path} gets no "
                "connection at "
                "all.",
                steps=("Set it for the role: ALTER ROLE … SET …", "Or use the direct address here."),
                snippet="ALTER ROLE app SET statement_timeout = '5s';",
            )


def _in_addresses(addresses: Addresses) -> Iterator[Finding]:
    """Find pooled addresses with parameters that the pooler refuses."""
    for address in addresses.all:
        match = _PARAMETER.search(address.rest) if "-pooler." in address.host else None
        if match and not is_document(address.path) and not is_test(address.path):
            yield Finding(
                address.path,
                address.line,
                f"The pooler refuses the start-up parameter {match['name']}: with this address nobody gets a "
                "connection.",
                steps=(
                    "Set it for the role: ALTER ROLE … SET …",
                    "Or use the direct address, without -pooler, where it is needed.",
                ),
                snippet="ALTER ROLE app SET search_path = shop;",
                evidence=f"…-pooler…?{match['name']}=…",
                masked=True,
            )


def _in_scripts(files: TypeScriptFiles, services: Services, addresses: Addresses) -> Iterator[Finding]:
    """Find statements of TypeScript that leave state in a connection."""
    pooled = {id(services.of(a.path)) for a in addresses.all if "-pooler." in a.host}
    for file in files.containing(*_WORDS):
        if is_migration(file.path) or is_script(file.path) or id(services.of(file.path)) not in pooled:
            continue
        for call in file.calls:
            first = call.arguments[0] if call.arguments else None
            if call.name.rpartition(".")[2] not in _SENDS or not isinstance(first, Text | Template):
                continue
            match = _STATE.match(first.value if isinstance(first, Text) else first.texts[0] + "x = ")
            if match:
                yield _finding(file.path, call.line, str(match.lastgroup))


def _is_sent(text: str, constant: ast.Constant) -> bool:
    lines = text.split("\n")[max(0, constant.lineno - 3) : constant.lineno]
    return bool(re.search(r"execute|exec\(|text\(|fetch|\.run\(", "\n".join(lines)))


def _is_refused(options: ast.expr) -> bool:
    said = ast.unparse(options)
    names = re.findall(r"-c\s*(\w+)|[\"'](\w+)[\"']\s*:", said)
    if not names:
        return "application_name" not in said or len(said) > 60
    return any((one or two).lower() not in _TAKEN for one, two in names)


def _finding(path: str, line: int, kind: str) -> Finding:
    what, instead = _REMEDY[kind]
    return Finding(
        path,
        line,
        f"Through Neon's pooler, {what} lands on a connection that another request gets next.",
        steps=(f"Use {instead}.",),
        snippet=instead if kind in ("set", "lock", "temp") else "DIRECT_URL",
    )
