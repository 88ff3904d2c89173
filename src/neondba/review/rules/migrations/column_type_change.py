"""A change of type rewrites the table while everyone waits.

`ALTER COLUMN … TYPE` takes an `ACCESS EXCLUSIVE` lock. Unless the old values are valid under the new type
as they stand (fact:casts-without-rewrite), PostgreSQL writes every row and every index of the table anew
before it lets anyone in. A narrower type also fails when one value does not fit. Old application code meets
the new type at once.

## Instead

```sql bad path=migrations/005_amount.sql
alter table orders alter column amount type bigint;  -- <- finding
```

```sql good path=migrations/005_amount.sql
alter table orders add column amount_big bigint;
```

Then write both columns, copy the old values in batches, and read the new one.

```python bad path=alembic/versions/e5_length.py
import sqlalchemy as sa
from alembic import op

revision = "e5"
down_revision = "d4"


def upgrade():
    op.alter_column("user", "email", existing_type=sa.String(), type_=sa.String(length=255))  # <- finding
```

## When it does not matter

A wider text type changes the catalog only (fact:alter-type-varchar-wider); the way back in `downgrade()`
is left alone:

```python good path=alembic/versions/e5_length.py
import sqlalchemy as sa
from alembic import op

revision = "e5"
down_revision = "d4"


def upgrade():
    op.alter_column("user", "email", existing_type=sa.String(length=100), type_=sa.String(length=255))
    op.alter_column("user", "name", existing_type=sa.String(length=100), type_=sa.Text())


def downgrade():
    op.alter_column("user", "email", existing_type=sa.String(length=255), type_=sa.String(length=100))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.sql_types import size
from neondba.project.migration_facts import narrows
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import (
    IN_NEXT,
    blocks,
    by_table,
    listed,
    quoted,
    settled,
    snippet,
)


@rule("NDB604", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find changes of type that rewrite an existing table."""
    steps = [s for s in migrations.live("alter type") if blocks(s) and not s.new_column]
    for group in by_table(steps):
        first = group[0]
        narrow = [s for s in group if narrows(s.old_type, s.type)]
        end = f" Values that are too long for {listed(s.name for s in narrow)} stop it." if narrow else ""
        yield Finding(
            first.path,
            first.line,
            f"Nobody can read or write `{first.table}` while it is rewritten for the new type of "
            f"{listed(s.name for s in group)}.{end}",
            _steps(bool(narrow)),
            _snippet(first),
        )


def _steps(narrow: bool) -> tuple[str, ...]:
    if narrow:
        return (
            "Look for values that are too long before you deploy.",
            "Limit the length with a CHECK constraint, added NOT VALID and validated later.",
        )
    return (
        "Add a column of the new type and write both.",
        "Copy the old values in batches, then let the code read the new column.",
        "Drop the old column in a later release.",
    )


def _snippet(step: Step) -> str:
    table, column = quoted(step.table), quoted(step.name or "…")
    limit = size(step.type or "")
    if narrows(step.old_type, step.type) and limit:
        rule_ = quoted(f"{step.table.name}_{step.name}_length")
        sql = [
            f"alter table {table} add constraint {rule_} check (length({column}) <= {limit}) not valid;",
            IN_NEXT,
            f"alter table {table} validate constraint {rule_};",
        ]
    else:
        sql = [f"alter table {table} add column {quoted(f'{step.name}_new')} {step.type or '…'};"]
    return snippet(step, sql)
