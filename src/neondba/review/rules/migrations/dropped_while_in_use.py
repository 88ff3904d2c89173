"""A table or column is dropped that running code may still use.

While a release rolls out, the old code and the new schema meet: every query of the old code that names the
dropped column fails, and an ORM names all columns it knows. The rows are gone for good; a way back can
bring back the column, not what stood in it.

## Instead

```sql bad path=migrations/009_nickname.sql
alter table users drop column nickname;  -- <- finding
```

First a release whose code no longer names the column; then, after a snapshot, the drop. Say so where it
stands:

```sql good path=migrations/009_nickname.sql
-- neondba: ignore[dropped-while-in-use] unread since release 41, snapshot taken
alter table users drop column nickname;
```

## When it does not matter

The way back drops what the way forward made, and a migration may drop what it made itself:

```python good path=alembic/versions/b9_nickname.py
import sqlalchemy as sa
from alembic import op

revision = "b9"
down_revision = "a8"


def upgrade():
    op.add_column("users", sa.Column("nickname", sa.Text()))


def downgrade():
    op.drop_column("users", "nickname")
```

```sql good path=migrations/010_copy.sql
create table users_old as select * from users;
drop table users_old;
drop table if exists scratch;
create table scratch (id bigint primary key);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.schema import Schema
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import by_table, listed, quoted, settled
from neondba.review.rules.migrations._swap import swapped


@rule("NDB607", Category.MIGRATION, Severity.HIGH)
@settled
def check(migrations: MigrationSteps, sql: SqlFiles, schema: Schema) -> Iterator[Finding]:
    """Find drops of tables and columns on the way forward."""
    steps = [
        s
        for s in migrations.forward("drop column", "drop table")
        if not _clears_the_way(sql, migrations.of(s.path), s)
    ]
    steps = [s for s in steps if not s.new_column and not swapped(migrations, s)]
    tables = [s for s in steps if s.kind == "drop table"]
    for path in dict.fromkeys(s.path for s in tables):
        gone = [s for s in tables if s.path == path]
        what = "the table" if len(gone) == 1 else "the tables"
        yield _finding(gone[0], f"{what} {listed(str(s.table) for s in gone)}", None)
    for group in by_table(s for s in steps if s.kind == "drop column"):
        first = group[0]
        unread = all(_still_modelled(schema, s) is False for s in group)
        what = f"{listed(s.name for s in group)} of `{first.table}`"
        yield _finding(first, what, Severity.MEDIUM if unread else None)


def _finding(first: Step, what: str, severity: Severity | None) -> Finding:
    return Finding(
        first.path,
        first.line,
        f"Code that is still running and names {what} fails, and the data cannot be brought back.",
        ("Release code that no longer uses it, and wait until no old instance runs.",
         "Take a snapshot of the branch, then drop it in a later migration."),
        f"neondba branch create before-drop-{first.table.name.replace('_', '-').lower()}",
        severity,
    )  # fmt: skip


def _clears_the_way(sql: SqlFiles, again: list[Step], step: Step) -> bool:
    """`DROP TABLE IF EXISTS` before the same file creates the table again, as dumps and init scripts do."""
    if step.kind != "drop table":
        return False
    if any(s.kind == "create table" and s.table.key == step.table.key and s.forward for s in again):
        return True
    if step.if_exists and not step.known and any(s.kind == "create table" for s in again):
        return True  # It tidies up what no migration made.
    if step.alembic or step.path not in sql:
        return False
    text = sql[step.path].text.lower()
    return any(f"create table {q}" in text for q in (step.table.name.lower(), quoted(step.table).lower()))


def _still_modelled(schema: Schema, step: Step) -> bool | None:
    """Tell whether a model still has the column; `None` when the table is not modelled."""
    modelled = [t for t in schema.same_name(step.table) if t.source not in ("sql", "alembic")]
    return any((step.name or "") in t.columns for t in modelled) if modelled else None
