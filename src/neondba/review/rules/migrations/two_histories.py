"""Two histories make the same table, so nobody knows which one is the truth.

One part of the project makes the table with one tool, another part with another: Alembic beside a folder of
SQL, Prisma beside Drizzle, two Alembic trees. Whoever runs both fails on the table that is there, and
whoever runs one gets columns that the other one does not know.

## Instead

```python bad path=alembic/versions/a1_users.py case=two
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True))
```

```sql bad path=migrations/001_users.sql case=two
create table users (id uuid primary key);  -- <- finding
```

Keep the one that has run everywhere; move what the other one has more into it.

## When it does not matter

Each history has tables of its own, or one of them is kept apart as history:

```python good path=alembic/versions/a1_users.py case=apart
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True))
```

```sql good path=events/migrations/001_events.sql case=apart
create table events (id uuid primary key);
```

```sql good path=archive/migrations/001_users.sql case=apart
create table users (id uuid primary key);
```
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._application import NOT_THE_APP
from neondba.review.rules.migrations._shared import listed

LEFT = re.compile(
    r"(^|[/_-])(archived?|old|legacy|deprecated|backup|bak|previous|for_old|templates?|vendor|third_party|sqlite"
    r"|mysql|clickhouse|node_modules)([/_.-]|$)",
    re.IGNORECASE,
)
"""Folders that nobody runs any more, or that are for other databases."""


@rule("NDB623", Category.MIGRATION, Severity.MEDIUM)
def check(migrations: MigrationSteps, sql: SqlFiles, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find tables that two histories of one project create."""
    folders = [*(h.folder for h in alembic.histories), *(h.folder for h in sql.histories)]
    made: dict[str, dict[str, Step]] = defaultdict(dict)
    for step in migrations.steps:
        if step.kind != "create table" or not step.forward or step.again:
            continue
        if LEFT.search(step.path) or NOT_THE_APP.search(step.path):
            continue
        home = max((f for f in folders if step.path.startswith(f)), key=len, default="")
        made[step.table.key].setdefault(home, step)
    told: set[tuple[str, ...]] = set()
    for homes in made.values():
        pair = tuple(sorted(homes))
        if len(pair) < 2 or pair in told or not _one_project(pair):
            continue
        told.add(pair)
        both = [key for key, others in made.items() if set(pair) <= set(others)]
        yield _finding(sorted(homes.values(), key=lambda s: not s.alembic), both)


def _one_project(folders: tuple[str, ...]) -> bool:
    """Services of one repository have databases of their own as a rule; look beside each other only."""
    tops = {folder.split("/")[0] for folder in folders if folder.count("/") > 1}
    parents = {folder.rpartition("/")[0].rpartition("/")[0] for folder in folders}
    return len(tops) < 2 or len(parents) < 2


def _finding(steps: list[Step], both: list[str]) -> Finding:
    first, second = steps[0], steps[1]
    names = listed(both[:5]) + (f" and {len(both) - 5} more" if len(both) > 5 else "")
    return Finding(
        second.path,
        second.line,
        f"{names} {'are' if len(both) > 1 else 'is'} made here and by {first.path}, too: whoever runs both "
        "fails, and the two drift apart.",
        (
            "Keep the history that has run everywhere.",
            "Move what the other has more into it, and delete that.",
        ),
        f"git rm -r {second.path.rpartition('/')[0]}",
    )
