"""Migrations go through the pooler.

The pooler gives a connection to a client for one transaction at a time. Migration tools keep state for
longer: they take a lock for the whole run, set a search path or a lock timeout, build indexes outside
of any transaction. Through the pooler such state lands on some other connection. Neon's own documents
ask for the direct address here.

## Instead
```bash bad path=.env.example case=prisma
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop?sslmode=require
```
```prisma bad path=prisma/schema.prisma case=prisma
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")  // <- finding
}
```
```bash good path=.env.example case=prisma
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop?sslmode=require
DIRECT_URL=postgresql://user:password@ep-example.eu.aws.neon.tech/shop?sslmode=require
```
```prisma good path=prisma/schema.prisma case=prisma
datasource db {
  provider  = "postgresql"
  url       = env("DATABASE_URL")
  directUrl = env("DIRECT_URL")
}
```
```ini bad path=alembic.ini case=alembic
[alembic]
sqlalchemy.url = postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop  # <- finding
```
## When it does not matter
A direct address for the tool, whatever its name, and a pooled one that only the program uses:
```bash good path=.env.example case=alembic
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop
DATABASE_URL_UNPOOLED=postgresql://user:password@ep-example.eu.aws.neon.tech/shop
```
```python good path=alembic/env.py case=alembic
import os
from alembic import context

context.config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL_UNPOOLED"])
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.addresses import Addresses
from neondba.project.environment import Environment
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_DIRECT = re.compile(r"direct_?url|unpooled|non_?pool|migrat\w*_(?:url|dsn)|-pooler|NO_POOL", re.IGNORECASE)
_PRISMA = re.compile(r"^\s*url\s*=\s*env\(\s*\"(?P<name>\w+)\"", re.MULTILINE)
_ALEMBIC = re.compile(r"\bDATABASE_URL\b|\bdatabase_url\b")


@rule("NDB204", Category.CONNECTION, Severity.MEDIUM)
def check(addresses: Addresses, environment: Environment, tree: Tree) -> Iterator[Finding]:
    """Report migration tools that use an address which the project shows as pooled."""
    for address in addresses.all:
        if address.is_pooled and address.path.endswith("alembic.ini"):
            yield _finding(address.path, address.line, "Alembic", "sqlalchemy.url")
    pooled = _pooled_variables(addresses, environment)
    for path in tree.named(suffix=".prisma") if pooled else ():
        text = tree.text(path) or ""
        match = _PRISMA.search(text)
        if (
            match
            and match["name"] in pooled
            and "directUrl" not in text
            and not any(tree.named("prisma.config.ts"))
        ):
            yield _finding(path, text.count("\n", 0, match.start()) + 1, "Prisma Migrate", match["name"])
    for path in tree.named("env.py") if "DATABASE_URL" in pooled else ():
        text = tree.text(path) or ""
        match = _ALEMBIC.search(text)
        if match and "alembic" in text and not _DIRECT.search(text):
            yield _finding(path, text.count("\n", 0, match.start()) + 1, "Alembic", "DATABASE_URL")


def _pooled_variables(addresses: Addresses, environment: Environment) -> set[str]:
    lines = {(a.path, a.line) for a in addresses.all if "-pooler" in a.host}
    return {
        entry.key for file in environment.files for entry in file.entries if (file.path, entry.line) in lines
    }


def _finding(path: str, line: int, tool: str, variable: str) -> Finding:
    prisma = tool.startswith("Prisma")
    return Finding(
        path,
        line,
        f"{tool} runs over {variable}, which goes through Neon's pooler: its lock and settings for the run "
        "can land "
        "on another connection.",
        steps=(
            "Add DIRECT_URL to the environment: the same address without -pooler in the host.",
            f"Let {tool} use DIRECT_URL.",
        ),
        snippet='  directUrl = env("DIRECT_URL")'
        if prisma
        else 'config.set_main_option("sqlalchemy.url", os.environ["DIRECT_URL"].replace("%", "%%"))',
        masked=not prisma and path.endswith(".ini"),
        evidence="sqlalchemy.url = ***" if path.endswith(".ini") else "",
    )
