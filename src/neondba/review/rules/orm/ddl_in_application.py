"""The program changes tables while it serves.

`ALTER TABLE` and its kin wait for every transaction on the table and stop all that come after; several
workers do it at once. No migration knows of the change, so the next one is made from a wrong picture,
and the role that serves requests must own the tables.

## Instead
```python bad path=app/main.py case=python
from fastapi import FastAPI
from sqlalchemy import text
from app.db import engine

app = FastAPI()

@app.on_event("startup")
async def start():
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text"))  # <- finding
```
```python good path=migrations/versions/0002_note.py case=python
from alembic import op

def upgrade():
    op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text")
```
```typescript bad path=src/app/api/setup/route.ts case=typescript
import { sql } from "@/lib/db";

export async function GET() {
  await sql`CREATE TABLE IF NOT EXISTS orders (id bigint primary key)`;  // <- finding
  return Response.json({ ok: true });
}
```
```sql good path=migrations/0001_orders.sql case=typescript
create table orders (id bigint primary key);
```
## When it does not matter
Migrations, scripts and tests; temporary tables; extensions; and text that only speaks of it:
```python good path=scripts/add_note.py case=script
from sqlalchemy import text

def run(connection):
    connection.execute(text("ALTER TABLE orders ADD COLUMN note text"))
```
```python good path=app/search.py case=others
from sqlalchemy import text

def prepare(connection):
    connection.execute(text("CREATE TEMP TABLE found (id bigint) ON COMMIT DROP"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    connection.execute(text("SELECT 'alter table' AS word"))
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_migration, is_script, is_test
from neondba.project.sql_text import SqlTexts
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Template, Text
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_CHANGES = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?P<what>(?:create|alter|drop)\s+(?:table|type)|(?:create|drop)\s+(?:unique\s+)?index|"
    r"truncate)\b",
    re.IGNORECASE,
)
_SENDS = frozenset(
    {"sql", "query", "execute", "$executeRaw", "$executeRawUnsafe", "$queryRaw", "unsafe", "raw"}
)
_WORDS = (
    "CREATE TABLE", "create table", "ALTER TABLE", "alter table", "DROP TABLE", "drop table", "CREATE INDEX",
    "create index", "TRUNCATE", "CREATE UNIQUE INDEX", "CREATE TYPE",
)  # fmt: skip
_HOLE = re.compile(r" \? |%s|\{")
"""Where a value becomes text: tables that the program makes for its users are its trade."""
_TOOLS = re.compile(
    r"migrat|schema|bootstrap|setup|init|seed|reset|create|sqlite|tenant|/bin/|cli\b", re.IGNORECASE
)
"""Names of modules that may be the project's own tool; what runs them decides, which is not told here."""


@rule("NDB304", Category.ORM_BYPASS, Severity.MEDIUM)
def check(texts: SqlTexts, files: TypeScriptFiles) -> Iterator[Finding]:
    """Report the first change of each module of a program."""
    told = set()
    for text in texts.texts:
        path = text.file.path
        match = None if _HOLE.search(text.text[:120]) else _CHANGES.match(text.text)
        if (
            match
            and path not in told
            and not text.is_by_hand
            and _serves(path)
            and "__main__" not in text.file.text
        ):
            told.add(path)
            yield _finding(path, text.line, match["what"])
    for file in files.containing(*_WORDS):
        call = next((c for c in file.calls if _changed(c)), None) if _serves(file.path) else None
        if call is not None:
            yield _finding(file.path, call.line, _changed(call))


def _serves(path: str) -> bool:
    last = path.rpartition("/")[2]
    route = re.search(r"(?:^|/)route\.[jt]sx?$|/api/", path)
    return not (is_test(path) or is_migration(path) or is_script(path)) and bool(
        route or not _TOOLS.search(last)
    )


def _changed(call: Call) -> str:
    """Give what a call changes; empty when it changes nothing."""
    first = call.arguments[0] if call.arguments else None
    if call.name.rpartition(".")[2] not in _SENDS or not isinstance(first, Text | Template):
        return ""
    if isinstance(first, Template) and first.holes:
        return ""
    match = _CHANGES.match(first.value if isinstance(first, Text) else first.texts[0])
    return match["what"] if match else ""


def _finding(path: str, line: int, what: str) -> Finding:
    said = " ".join(what.upper().split())
    return Finding(
        path,
        line,
        f"{path} runs {said} as part of the program: it stops the table's users while it waits, every "
        "worker does it, and no migration knows of it.",
        steps=(
            "Move the statement into a migration of the project's tool.",
            "Give the program a role that may not change tables.",
        ),
        snippet="op.execute(...)  # in a new revision" if path.endswith(".py") else "-- in a new migration",
    )
