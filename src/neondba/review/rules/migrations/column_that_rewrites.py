"""A new column writes every row of the table anew while everyone waits.

A constant default is stored once and costs nothing (fact:add-column-default-constant), and so does one that
is the same for the whole statement, such as `now()` (fact:add-column-default-now). A default that differs
from row to row (`gen_random_uuid()`, fact:add-column-default-uuid), an identity or serial
(fact:add-column-identity), or a stored generated column must be computed for each row: `ADD COLUMN` then
rewrites the table and its indexes under an `ACCESS EXCLUSIVE` lock.

## Instead

```sql bad path=migrations/015_public_id.sql
alter table orders add column public_id uuid not null default gen_random_uuid();  -- <- finding
```

```sql good path=migrations/015_public_id.sql
alter table orders add column public_id uuid;
alter table orders alter column public_id set default gen_random_uuid();
```

Fill the old rows in batches afterwards, then make the column NOT NULL.

```python bad path=alembic/versions/g7_public_id.py
import sqlalchemy as sa
from alembic import op

revision = "g7"
down_revision = "f6"


def upgrade():
    op.add_column(  # <- finding
        "orders", sa.Column("public_id", sa.UUID(), server_default=sa.text("gen_random_uuid()"))
    )
```

## When it does not matter

The default is the same for every row of the statement, or the same migration creates the table:

```sql good path=migrations/016_created.sql
alter table orders add column created_at timestamptz not null default now();
alter table orders add column plan text not null default 'free';
create table parcels (id bigint primary key);
alter table parcels add column public_id uuid default gen_random_uuid();
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted, rewrites, settled, snippet


@rule("NDB615", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find added columns whose value differs from row to row."""
    for step in migrations.live("add column"):
        column = step.column
        if column is not None and rewrites(step):
            yield Finding(
                step.path,
                step.line,
                f"Nobody can read or write `{step.table}` while `{column.name}` is computed for every row.",
                ("Add the column without the default, then set the default for new rows.",
                 "Fill the old rows in batches, then make the column NOT NULL."),
                _snippet(step),
            )  # fmt: skip


def _snippet(step: Step) -> str:
    column = step.column
    assert column is not None
    table, name = quoted(step.table), quoted(column.name)
    default = column.default if column.default and not step.alembic else "…"
    return snippet(
        step,
        [
            f"alter table {table} add column {name} {column.type or '…'};",
            f"alter table {table} alter column {name} set default {default};",
        ],
    )
