"""A required column without a default cannot be added to a table with rows.

`ALTER TABLE … ADD COLUMN … NOT NULL` without a default fails on the first table that has a row
(fact:add-column-not-null): the rows that are there would break the rule. The migration passes on the empty
database of a developer and stops the deployment in production.

## Instead

```sql bad path=migrations/003_plan.sql
alter table accounts add column plan text not null;  -- <- finding
```

A constant default is stored once and rewrites nothing (fact:add-column-default-constant):

```sql good path=migrations/003_plan.sql
alter table accounts add column plan text not null default 'free';
```

```python bad path=alembic/versions/c3_plan.py
import sqlalchemy as sa
from alembic import op

revision = "c3"
down_revision = "b2"


def upgrade():
    op.add_column("accounts", sa.Column("plan", sa.Text(), nullable=False))  # <- finding
```

```python good path=alembic/versions/c3_plan.py
import sqlalchemy as sa
from alembic import op

revision = "c3"
down_revision = "b2"


def upgrade():
    op.add_column("accounts", sa.Column("plan", sa.Text(), nullable=False, server_default="free"))
```

## When it does not matter

The column fills itself, or the same migration creates or empties the table:

```sql good path=migrations/004_number.sql
alter table accounts add column number bigint generated always as identity;
create table plans (id bigint primary key);
alter table plans add column title text not null;
truncate drafts;
alter table drafts add column title text not null;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps, Step, is_required
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import by_table, listed, quoted, settled


@rule("NDB602", Category.MIGRATION, Severity.HIGH)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find required columns without a default on existing tables."""
    steps = [s for s in migrations.forward("add column") if is_required(s)]
    for group in by_table(steps):
        first = group[0]
        yield Finding(
            first.path,
            first.line,
            f"Adding {listed(s.name for s in group)} fails as soon as `{first.table}` holds a row: NOT NULL, "
            "and no default.",
            ("Give the column a default in the database, or add it nullable first.",
             "Fill it in batches in a step of its own, then make it NOT NULL."),
            "\n".join(_snippet(s) for s in group),
        )  # fmt: skip


def _snippet(step: Step) -> str:
    column = step.column
    assert column is not None
    if step.alembic:
        return f'op.add_column("{step.table.name}", sa.Column("{column.name}", …, nullable=True))'
    return f"alter table {quoted(step.table)} add column {quoted(column.name)} {column.type or '…'};"
