"""Without its variable, the program quietly uses another database.

A deployment that lacks `DATABASE_URL` then starts, answers, and writes the users' rows into a file
inside the container, where the next deployment throws them away. Nobody is told. A program that needs
an address should stop when it has none.

## Instead
```python bad path=app/db.py case=sqlite
import os

DATABASE_URL = os.getenv("DATABASE_URL", "sqlite:///./shop.db")  # <- finding
```
```python good path=app/db.py case=sqlite
import os

DATABASE_URL = os.environ["DATABASE_URL"]
```
```typescript bad path=src/db.ts case=local
const url = process.env.DATABASE_URL ?? "postgresql://postgres:postgres@localhost:5432/shop";  // <- finding
```
## When it does not matter
Tests and scripts, an empty default, and a default that the start refuses outside of development:
```python good path=tests/conftest.py case=tests
import os

URL = os.getenv("DATABASE_URL", "sqlite://")
```
```python good path=app/settings.py case=refused
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    database_url: str = "postgresql://postgres:postgres@localhost/shop"
    environment: str = "local"

    def check(self):
        if self.environment == "production" and "localhost" in self.database_url:
            raise ValueError("Set DATABASE_URL.")
```
```python good path=app/db.py case=empty
import os

DATABASE_URL = os.getenv("DATABASE_URL", "")
if not DATABASE_URL:
    raise RuntimeError("Set DATABASE_URL.")
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.environment import Environment, Read
from neondba.project.places import is_document, is_migration, is_script, is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import from_environment

_NAME = re.compile(r"(?:^|_)(?:DATABASE_UR[LI]|DB_UR[LI]|POSTGRES_URL|DATABASE_DSN|POSTGRES_DSN)$")
_OTHER = re.compile(
    r"^(?:sqlite[+\w]*:|file:|(?:postgres\w*|mysql)[+\w]*://[^/]*@?(?:localhost|127\.0\.0\.1|db|postgres)\b)"
)
_GUARD = re.compile(
    r"(?i)\b(?:production|prod|staging)\b[^\n]*(?:localhost|sqlite)|(?:localhost|sqlite)[^\n]*\b(?:production|prod)\b"
)


@rule("NDB114", Category.ENV, Severity.MEDIUM)
def check(environment: Environment, tree: Tree) -> Iterator[Finding]:
    """Report defaults of addresses that point to another database."""
    seen = set()
    for read in environment.reads:
        if not read.default or not _NAME.search(read.name) or not _OTHER.match(read.default):
            continue
        path = read.path
        if is_test(path) or is_script(path) or is_document(path) or path in seen:
            continue
        if is_migration(path) and not (path.endswith("env.py") and read.default.startswith("sqlite")):
            continue
        if not _GUARD.search(tree.text(path) or ""):
            seen.add(path)
            yield _finding(read)


def _finding(read: Read) -> Finding:
    file = (read.default or "").startswith(("sqlite", "file"))
    what = "a SQLite file that the next deployment throws away" if file else "a database on its own machine"
    return Finding(
        read.path,
        read.line,
        f"Where {read.name} is not set, the program starts all the same and works with {what}; nobody is "
        "told.",
        steps=(
            f"Read {read.name} without a default.",
            "Put the address for development into .env, which git passes by.",
        ),
        snippet=f"    {read.name.lower()}: str"
        if read.from_class
        else from_environment(read.path, read.name),
        severity=None if file else Severity.LOW,
        evidence=f"{read.name} has a default",
        masked=True,
    )
