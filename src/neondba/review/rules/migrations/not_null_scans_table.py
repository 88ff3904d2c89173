"""SET NOT NULL reads the whole table while everyone waits.

`ALTER COLUMN … SET NOT NULL` takes an `ACCESS EXCLUSIVE` lock and keeps it while it looks at every row
(fact:set-not-null). Reads wait too. When one row holds NULL, the migration fails after all that. PostgreSQL
skips the scan when a validated CHECK constraint already proves that the column holds no NULL
(fact:set-not-null-with-valid-check), and validating such a constraint lets reads and writes go on.

## Instead

```sql bad path=migrations/004_owner.sql
alter table items alter column owner_id set not null;  -- <- finding
```

```sql good path=migrations/004_owner_checked.sql case=proof
alter table items add constraint items_owner_id_set check (owner_id is not null) not valid;
```

```sql good path=migrations/005_owner_set.sql case=proof
alter table items validate constraint items_owner_id_set;
alter table items alter column owner_id set not null;
alter table items drop constraint items_owner_id_set;
```

```python bad path=alembic/versions/d4_owner.py
from alembic import op

revision = "d4"
down_revision = "c3"


def upgrade():
    op.alter_column("items", "owner_id", nullable=False)  # <- finding
```

```python good path=alembic/versions/d4_owner.py case=proof-alembic
from alembic import op

revision = "d4"
down_revision = "c3"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE items ADD CONSTRAINT owner_set CHECK (owner_id IS NOT NULL) NOT VALID")
        op.execute("ALTER TABLE items VALIDATE CONSTRAINT owner_set")
    op.alter_column("items", "owner_id", nullable=False)
    op.drop_constraint("owner_set", "items")


def downgrade():
    op.alter_column("items", "owner_id", nullable=True)
```

## When it does not matter

The same migration creates the table, or the column was NOT NULL before:

```sql good path=migrations/001_init.sql
create table items (id bigint primary key, owner_id bigint);
alter table items alter column owner_id set not null;
```

```python good path=alembic/versions/d4_owner.py
import sqlalchemy as sa
from alembic import op

revision = "d4"
down_revision = "c3"


def upgrade():
    op.alter_column("items", "note", existing_nullable=False, comment="free text")


def downgrade():
    op.alter_column("items", "note", nullable=False)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._filled import never_filled
from neondba.review.rules.migrations._shared import (
    IN_NEXT,
    blocks,
    by_table,
    listed,
    quoted,
    settled,
    snippet,
)


@rule("NDB603", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps, sql: SqlFiles, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find SET NOT NULL on existing tables without a proof beforehand."""
    failing = {id(s) for s in never_filled(migrations, sql, alembic)}
    steps = [s for s in migrations.live("set not null", "add not null") if blocks(s) and id(s) not in failing]
    for group in by_table(steps):
        first = group[0]
        yield Finding(
            first.path,
            first.line,
            f"Nobody can read or write `{first.table}` while Postgres checks every row for "
            f"{listed(s.name for s in group)}; one NULL there stops the migration.",
            ("Add a CHECK (… IS NOT NULL) constraint as NOT VALID.",
             "Validate it in a later transaction: reads and writes go on meanwhile.",
             "Then SET NOT NULL, which needs no scan any more, and drop the CHECK."),
            _snippet(first),
        )  # fmt: skip


def _snippet(step: Step) -> str:
    table, column = quoted(step.table), quoted(step.name or "…")
    proof = quoted(f"{step.table.name}_{step.name}_set")
    lines = [
        f"alter table {table} add constraint {proof} check ({column} is not null) not valid;",
        IN_NEXT,
        f"alter table {table} validate constraint {proof};",
        f"alter table {table} alter column {column} set not null;",
        f"alter table {table} drop constraint {proof};",
    ]
    return snippet(step, lines)
