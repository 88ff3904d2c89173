"""A migration changes or deletes every row of a table.

An UPDATE or DELETE without WHERE touches the whole table in one transaction: all rows stay locked until the
end, the table doubles on disk, replicas fall behind, and the locks of other statements in the same
migration are held all that time. A DELETE or TRUNCATE also takes data that nobody can bring back.

## Instead

```sql bad path=migrations/013_plan.sql
update accounts set plan = 'free';  -- <- finding
```

```sql good path=migrations/013_plan.sql
update accounts set plan = 'free' where plan is null and id between 1 and 10000;
```

```python bad path=alembic/versions/d2_clean.py
from alembic import op

revision = "d2"
down_revision = "c1"


def upgrade():
    op.execute("DELETE FROM sessions")  # <- finding
```

## When it does not matter

The same migration creates the table, and statements inside functions run when the function does:

```sql good path=migrations/014_totals.sql
create table totals (account_id bigint primary key, amount numeric not null default 0);
update totals set amount = 1;
create function reset_totals() returns void language sql as $$ update totals set amount = 0 $$;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import batches, by_table, quoted, settled
from neondba.review.rules.migrations.backfill_under_lock import is_under_lock


@rule("NDB609", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find UPDATE, DELETE and TRUNCATE of whole existing tables."""
    changes = [
        s
        for s in migrations.forward("update", "delete", "truncate")
        if not s.filtered and not s.emptied and not is_under_lock(migrations, s)
    ]
    backward = [
        s for s in migrations.steps if s.kind in ("delete", "truncate") and not s.filtered and not s.forward
    ]
    for group in by_table(changes):
        yield _finding(group[0])
    for group in by_table(backward):
        yield _finding(group[0])


def _finding(step: Step) -> Finding:
    if step.kind == "update":
        return Finding(
            step.path,
            step.line,
            f"Every row of `{step.table}` is written and stays locked until the migration ends.",
            ("Move the change into a step of its own, after the migration that changes the schema.",
             "Do it in batches, each in its own transaction."),
            batches(step),
        )  # fmt: skip
    return Finding(
        step.path,
        step.line,
        f"All rows of `{step.table}` are deleted, in every environment in which the migration runs.",
        ("Say with WHERE which rows must go.", "Take a snapshot of the branch before you run it."),
        f"delete from {quoted(step.table)} where …;",
        Severity.HIGH,
    )
