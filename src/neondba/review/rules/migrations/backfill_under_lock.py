"""Rows are filled while the same transaction keeps everyone out of the table.

`ALTER TABLE` takes an `ACCESS EXCLUSIVE` lock for a moment, but a lock lasts until the transaction ends. When
the same migration then writes every row, nobody reads or writes the table for as long as that takes
(fact:add-column, fact:update-all). Done in two migrations, the first one takes a moment and the second one
locks only the rows it writes.

## Instead

```python bad path=alembic/versions/b3_plan.py
import sqlalchemy as sa
from alembic import op

revision = "b3"
down_revision = "a2"


def upgrade():
    op.add_column("accounts", sa.Column("plan", sa.Text()))
    op.execute("update accounts set plan = 'free'")  # <- finding
```

```python good path=alembic/versions/b3_plan.py case=two
import sqlalchemy as sa
from alembic import op

revision = "b3"
down_revision = "a2"


def upgrade():
    op.add_column("accounts", sa.Column("plan", sa.Text(), server_default="free"))
```

```sql bad path=drizzle/0002_plan.sql case=drizzle
alter table accounts add column plan text;--> statement-breakpoint
update accounts set plan = kind where plan is null;  -- <- finding
```

```json bad path=drizzle/meta/_journal.json case=drizzle
{"dialect": "postgresql"}
```

## When it does not matter

The table is new, or the rows are written before anything is locked:

```python good path=alembic/versions/c4_sums.py
import sqlalchemy as sa
from alembic import op

revision = "c4"
down_revision = "b3"


def upgrade():
    op.create_table("sums", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("sums", sa.Column("plan", sa.Text()))
    op.execute("update sums set plan = 'free'")
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import batches, by_table, settled


@rule("NDB619", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find backfills in the transaction that locked their table."""
    for group in by_table(s for s in migrations.live("update") if is_under_lock(migrations, s)):
        step = group[0]
        assert step.behind is not None
        yield Finding(
            step.path,
            step.line,
            f"Nobody can read or write `{step.table}` while its rows are filled: line {step.behind.line} has "
            "locked it until the transaction ends.",
            ("Put the change of the rows into a migration of its own, after this one.",
             "There, write in batches, each in its own transaction."),
            batches(step),
        )  # fmt: skip


def is_under_lock(migrations: MigrationSteps, step: Step) -> bool:
    """Tell whether an UPDATE goes over the table that its own transaction keeps locked."""
    if step.kind != "update" or step.behind is None or not step.wrapped:
        return False
    added = {
        s.name
        for s in migrations.of(step.path)
        if s.kind == "add column" and s.table.key == step.table.key and s.forward
    }
    return not step.filtered or bool(added & set(step.columns))
