"""A new column becomes NOT NULL before anything has filled it.

The migration adds a column without a default, so that every row holds NULL in it, and then makes it NOT NULL:
that fails on the first row (fact:set-not-null-with-nulls). On the empty database of a developer or of CI it
works.

## Instead

```python bad path=alembic/versions/b4_slug.py
import sqlalchemy as sa
from alembic import op

revision = "b4"
down_revision = "a3"


def upgrade():
    op.add_column("pages", sa.Column("slug", sa.Text(), nullable=True))
    op.alter_column("pages", "slug", nullable=False)  # <- finding
```

```sql bad path=migrations/030_slug.sql
alter table pages add column slug text;
alter table pages alter column slug set not null;  -- <- finding
update pages set slug = id::text;
```

```sql good path=migrations/030_slug.sql case=steps
alter table pages add column slug text;
```

```sql good path=migrations/031_slug_filled.sql case=steps
update pages set slug = id::text where slug is null;
```

```sql good path=migrations/032_slug_set.sql case=steps
alter table pages alter column slug set not null;
```

## When it does not matter

The column has a default, the table is new, or the rows are written in between:

```sql good path=migrations/033_kind.sql
alter table pages add column kind text default 'page';
alter table pages alter column kind set not null;
create table notes (id bigint primary key);
alter table notes add column kind text;
alter table notes alter column kind set not null;
alter table pages add column title text;
update pages set title = 'x';
alter table pages alter column title set not null;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.migration_steps import MigrationSteps
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._filled import never_filled
from neondba.review.rules.migrations._shared import quoted, settled, snippet


@rule("NDB620", Category.MIGRATION, Severity.HIGH)
@settled
def check(migrations: MigrationSteps, sql: SqlFiles, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find SET NOT NULL on columns that the same migration adds and leaves empty."""
    for step in never_filled(migrations, sql, alembic):
        table, column = quoted(step.table), quoted(step.name or "…")
        yield Finding(
            step.path,
            step.line,
            f"This fails as soon as `{step.table}` holds a row: nothing has filled `{step.name}` before it "
            "becomes NOT NULL.",
            ("Fill the column first, in a migration of its own and in batches.",
             "Make it NOT NULL afterwards, or give it a default when it is added."),
            snippet(step, [f"update {table} set {column} = … where {column} is null;"]),
        )  # fmt: skip
