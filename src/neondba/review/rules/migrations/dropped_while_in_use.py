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

What looks like a rename to a person is a loss to the database:

```sql bad path=migrations/011_caption.sql case=heir
alter table tasks drop column title;  -- <- finding
alter table tasks add column caption text;
```

```sql bad path=migrations/001_init.sql case=heir
create table tasks (id bigint primary key, title text);
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

A table that also gets a column which rows cannot have is empty, or the migration fails (NDB602):

```sql good path=migrations/012_owner.sql
alter table notes drop column owner, add column owner_id bigint not null;
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
from dataclasses import replace

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
    steps = [s for s in steps if s.kind == "drop table" or not migrations.demands(s)]
    tables = [s for s in steps if s.kind == "drop table"]
    for path in dict.fromkeys(s.path for s in tables):
        gone = [s for s in tables if s.path == path]
        what = "the table" if len(gone) == 1 else "the tables"
        yield _finding(gone[0], f"{what} {listed(str(s.table) for s in gone)}", None)
    for group in by_table(s for s in steps if s.kind == "drop column"):
        yield _columns(migrations, schema, group)


def _columns(migrations: MigrationSteps, schema: Schema, group: list[Step]) -> Finding:
    first = group[0]
    same = [s for s in migrations.of(first.path) if s.forward and s.table.key == first.table.key]
    if all(any(s.kind == "rename column" and s.new == gone.name for s in same) for gone in group):
        text = f"Code that is still running finds another kind of value in {listed(s.name for s in group)} "
        text += f"of `{first.table}`, and the old values are gone."
        return replace(_finding(first, "", Severity.MEDIUM), message=text)
    unread = all(_still_modelled(schema, s) is False for s in group)
    what = f"{listed(s.name for s in group)} of `{first.table}`"
    finding = _finding(first, what, Severity.MEDIUM if unread else None)
    heir = _heir(group, same)
    if heir is None:
        return finding
    hint = f" If `{heir.name}` is the same under another name, its values are lost: rename the column."
    return replace(finding, message=finding.message + hint)


def _heir(group: list[Step], same: list[Step]) -> Step | None:
    """Give the new column of the same type that may be meant as the dropped one under another name."""
    added = [s for s in same if s.kind == "add column" and s.column is not None]
    old = group[0].before
    if len(group) != 1 or len(added) != 1 or old is None or old.type is None or added[0].name == old.name:
        return None
    return added[0] if added[0].column and added[0].column.type == old.type else None


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
