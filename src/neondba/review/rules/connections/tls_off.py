"""The connection to the database gives up TLS or does not check who answers.

Without TLS, everybody on the way reads the password and the rows. With TLS but without a check of
the certificate, whoever can answer in the database's place reads them. Neon and every other hosted
Postgres have certificates that are valid as they are; there is nothing to switch off.

## Instead
```bash bad path=deploy/.env.example case=disabled
DATABASE_URL=postgresql\x3a//shop:password@db.shop-orders.io/shop?sslmode=disable  # <- finding
```
```bash good path=deploy/.env.example case=disabled
DATABASE_URL=postgresql://shop:password@db.shop-orders.io/shop?sslmode=require
```
```typescript bad path=src/db.ts case=unchecked
import { Pool } from "pg";

export const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  ssl: { rejectUnauthorized: false },  // <- finding
});
```
```typescript good path=src/db.ts case=unchecked
import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL, ssl: true });
```
```python bad path=app/db.py case=python
import ssl
from sqlalchemy.ext.asyncio import create_async_engine
from app.settings import settings

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT\x5fNONE  # <- finding
engine = create_async_engine(settings.DATABASE_URL, connect_args={"ssl": context})
```
## When it does not matter
A database on this machine or beside it in a container, and asyncpg's own spelling of `sslmode`:
```bash good path=.env.example case=local
DATABASE_URL=postgresql://postgres:postgres@localhost:5432/shop?sslmode=disable
TEST_URL=postgresql://postgres:postgres@db:5432/shop?sslmode=disable
```
```python good path=app/db.py case=translated
from sqlalchemy.ext.asyncio import create_async_engine
from app.settings import settings

url = settings.DATABASE_URL.replace("sslmode=", "ssl=").replace("&channel_binding=require", "")
engine = create_async_engine(url, connect_args={"ssl": "require"})
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.addresses import Addresses
from neondba.project.places import is_document, is_script, is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_OFF = re.compile(r"[?&](?:sslmode|ssl)=(?:disable|allow|false|no)\b")
_DRIVER = {
    ".py": re.compile(r"create_(?:async_)?engine|asyncpg|psycopg"),
    ".ts": re.compile(
        r"""["'](?:pg|postgres|@neondatabase/serverless|drizzle-orm/[\w-]+|knex|typeorm|sequelize)["']"""
    ),
}
_UNCHECKED = {
    ".py": re.compile(r"(?:verify_mode\s*=\s*(?:ssl\.)?CERT_NONE|[\"']sslmode[\"']\s*:\s*[\"']disable[\"'])"),
    ".ts": re.compile(r"rejectUnauthorized[\"']?\s*:\s*false"),
}


@rule("NDB201", Category.CONNECTION, Severity.HIGH)
def check(addresses: Addresses, tree: Tree) -> Iterator[Finding]:
    """Report addresses without TLS, and checks that are switched off."""
    for address in addresses.all:
        off = _OFF.search(address.rest)
        if (
            off
            and address.is_store
            and not address.is_local
            and not is_document(address.path)
            and address.host
        ):
            yield Finding(
                address.path,
                address.line,
                f"The connection to {address.host} goes without TLS ({off[0][1:]}): everybody on the way "
                "reads the "
                "password and the rows.",
                steps=(f"Replace {off[0][1:]} by sslmode=require.",),
                snippet="sslmode=require",
                evidence=f"{address.shown}{off[0]}",
                masked=True,
            )
    for path in tree.named(suffix=(".py", ".ts", ".js", ".mjs", ".tsx")):
        yield from _unchecked(path, tree.text(path) or "")


def _unchecked(path: str, text: str) -> Iterator[Finding]:
    kind = ".py" if path.endswith(".py") else ".ts"
    if ("CERT_NONE" not in text and "rejectUnauthorized" not in text and "disable" not in text) or is_test(
        path
    ):
        return
    match = next((m for m in _UNCHECKED[kind].finditer(text) if not _is_comment(text, m.start())), None)
    if match is None or not _DRIVER[kind].search(text) or _only_elsewhere(text, match):
        return
    yield Finding(
        path,
        text.count("\n", 0, match.start()) + 1,
        f"{path} does not check the certificate of the database, so whoever answers in its place gets the "
        "password and the rows.",
        steps=(
            "Remove the exception; Neon's certificate is signed by an authority that every client trusts.",
        ),
        snippet='connect_args={"ssl": True}' if kind == ".py" else "ssl: true,",
        severity=Severity.MEDIUM if is_script(path) else None,
    )


def _is_comment(text: str, at: int) -> bool:
    return text[text.rfind("\n", 0, at) + 1 : at].lstrip().startswith(("//", "#", "*", "/*"))


def _only_elsewhere(text: str, match: re.Match[str]) -> bool:
    """Tell whether the exception stands under a condition that names a local host."""
    before = text[max(0, match.start() - 400) : match.start()]
    return bool(re.search(r"localhost|127\.0\.0\.1|isLocal|is_local|NODE_ENV\s*[!=]==?\s*[\"']dev", before))
