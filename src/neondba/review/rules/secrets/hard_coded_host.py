"""The migration tool has an address of its own.

The program reads `DATABASE_URL`, while `alembic.ini` names a host. Migrations then run against that
host, whatever the environment says: the change meant for a branch reaches production, or the release
runs without it.

## Instead
```ini bad path=alembic.ini case=fixed
[alembic]
sqlalchemy.url = postgresql+psycopg://shop@db.shop-orders.io/shop  # <- finding
```
```python bad path=alembic/env.py case=fixed
from alembic import context

config = context.config
```
```python bad path=app/settings.py case=fixed
import os

DATABASE_URL = os.environ["DATABASE_URL"]
```
An address of one developer's machine, or the one of Alembic's template, is no better where `env.py` makes its
engine from it: no deployed database can be migrated.
```ini bad path=alembic.ini case=local
[alembic]
sqlalchemy.url = postgresql+psycopg2://postgres@localhost:5434/tasks  # <- finding
```
```python bad path=alembic/env.py case=local
import os
from alembic import context
from sqlalchemy import engine_from_config, pool

config = context.config

def offline():
    context.configure(url=os.getenv("DATABASE_URL"))

def online():
    engine = engine_from_config(config.get_section(config.config_ini_section), poolclass=pool.NullPool)
```
```python bad path=app/settings.py case=local
import os

DATABASE_URL = os.environ["DATABASE_URL"]
```
```ini good path=alembic.ini case=read
[alembic]
sqlalchemy.url =
```
```python good path=alembic/env.py case=read
import os
from alembic import context

context.config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))
```
## When it does not matter
The line of Alembic's own template, a comment, and an address that `env.py` replaces:
```ini good path=alembic.ini case=replaced
[alembic]
# sqlalchemy.url = postgresql://shop@db.shop-orders.io/shop
sqlalchemy.url = driver://user:pass@localhost/dbname
```
```ini good path=backend/alembic.ini case=overwritten
[alembic]
sqlalchemy.url = postgresql+psycopg://shop@db.shop-orders.io/shop
```
```python good path=backend/migrations/env.py case=overwritten
from alembic import context
from app.settings import settings

context.config.set_main_option("sqlalchemy.url", settings.DATABASE_URL)
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.addresses import is_local_host, is_stand_in_host
from neondba.project.environment import Environment
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_LINE = re.compile(r"^sqlalchemy\.url\s*=\s*\w+(?:\+\w+)?://(?:[^@\s]*@)?(?P<host>[^:/?\s]*)", re.MULTILINE)
_REPLACES = re.compile(
    r"set_main_option|set_section_option|\[\s*[\"']sqlalchemy\.url[\"']\s*\]|create_(?:async_)?engine\(|settings\."
)


_MAKES = re.compile(r"engine_from_config\(\s*\w+\.get_section\(")
_GIVES = re.compile(r"engine_from_config\((?:[^()]|\([^()]*\))*\burl\s*=|[\"']sqlalchemy\.url[\"']\s*:")


@rule("NDB115", Category.ENV, Severity.MEDIUM)
def check(tree: Tree, environment: Environment) -> Iterator[Finding]:
    """Report addresses in `alembic.ini` beside a program that reads a variable."""
    reads = next(
        (r for r in environment.reads if r.name.endswith(("DATABASE_URL", "DB_URL", "POSTGRES_URL"))), None
    )
    for path in tree.named("alembic.ini") if reads else ():
        text = tree.text(path) or ""
        match = _LINE.search(text)
        if not match or not match["host"]:
            continue
        folder = path.removesuffix("alembic.ini")
        scripts = [t for p in tree.named("env.py") if p.startswith(folder) and (t := tree.text(p))]
        if any(_REPLACES.search(script) for script in scripts):
            continue
        line = text.count("\n", 0, match.start()) + 1
        if is_local_host(match["host"]) or is_stand_in_host(match["host"]):
            if any(_MAKES.search(script) and not _GIVES.search(script) for script in scripts):
                yield _local(path, line, reads.name if reads else "DATABASE_URL")
            continue
        yield Finding(
            path,
            line,
            f"Alembic migrates {match['host']} whatever {reads.name if reads else 'DATABASE_URL'} says: a "
            "change meant for "
            "a branch reaches that database.",
            steps=(
                f"Empty sqlalchemy.url in {path}.",
                "Set it in env.py from the variable that the program reads.",
            ),
            snippet='config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))',
            evidence=f"sqlalchemy.url = …{match['host']}…",
            masked=True,
        )


def _local(path: str, line: int, name: str) -> Finding:
    return Finding(
        path,
        line,
        f"Alembic migrates the database that stands in {path}, and env.py never reads {name}: the deployed "
        "database cannot be migrated without an edit of the file.",
        steps=(
            f"Empty sqlalchemy.url in {path}.",
            f"Set it in env.py from {name}, as the program does.",
        ),
        snippet='config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))',
        masked=True,
    )
