"""Nothing limits how long a migration waits for a lock.

A statement that needs a strong lock waits behind the oldest running query, and everyone who comes later
waits behind it: one forgotten session, and an `ALTER TABLE` of a millisecond stops the application. With
`lock_timeout` the migration gives up instead (fact:lock-timeout), and is tried again later.

## Instead

```python bad path=alembic/env.py case=bad
from alembic import context
from sqlalchemy import create_engine

engine = create_engine("postgresql://")
with engine.connect() as connection:
    context.configure(connection=connection)  # <- finding
    context.run_migrations()
```

```python bad path=alembic/versions/b2_email.py case=bad
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_index("users_email", "users", ["email"])
```

```python good path=alembic/env.py case=set
from alembic import context
from sqlalchemy import create_engine

engine = create_engine("postgresql://", connect_args={"options": "-c lock_timeout=2s"})
with engine.connect() as connection:
    context.configure(connection=connection)
```

```python good path=alembic/versions/b2_email.py case=set
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_index("users_email", "users", ["email"])
```

## When it does not matter

Some file of the project sets it, or no migration keeps others out of a table for long:

```python good path=alembic/env.py case=light
from alembic import context

context.configure(connection=connection)
```

```python good path=alembic/versions/b3_nick.py case=light
from alembic import op
import sqlalchemy as sa

revision = "b3"
down_revision = "a1"


def upgrade():
    op.add_column("users", sa.Column("nick", sa.Text()))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps
from neondba.project.python import PythonFiles
from neondba.project.sqlalchemy_types import last_name
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import blocks

CODE = (".py", ".sql", ".ts", ".js", ".mjs", ".ini", ".toml", ".yml", ".yaml", ".env", ".sh", ".json", ".go")


@rule("NDB625", Category.MIGRATION, Severity.LOW)
def check(migrations: MigrationSteps, python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Find Alembic environments that never limit the wait for a lock, in projects with strong ones."""
    strong = [s for s in migrations.live(*{s.kind for s in migrations.steps}) if s.alembic and blocks(s)]
    if not strong or any("lock_timeout" in (tree.text(path) or "") for path in tree.named(suffix=CODE)):
        return
    folders = {s.path.rpartition("/")[0].rpartition("/")[0] for s in strong}
    for file in python.containing("context.configure"):
        if file.path.rpartition("/")[0] not in folders or not file.path.endswith("env.py"):
            continue
        lines = [c.node.lineno for c in file.calls if last_name(c.node) == "configure"]
        if lines:
            table = strong[-1].table
            yield Finding(
                file.path,
                max(lines),
                f"A migration waits for `{table}` as long as any query runs there, and everyone else waits "
                "behind it.",
                ("Set lock_timeout for the sessions that migrate.", "Try again when it gives up."),
                'create_engine(url, connect_args={"options": "-c lock_timeout=2s"})',
            )  # fmt: skip
