"""A new constraint looks at every row while writes wait.

Adding a foreign key locks both tables against writes (`SHARE ROW EXCLUSIVE`, fact:add-foreign-key), adding
a CHECK locks the table against everything (`ACCESS EXCLUSIVE`, fact:add-check), and both keep the lock
while they read the whole table. With `NOT VALID` the lock is held for a moment only: new rows are checked
from then on. `VALIDATE CONSTRAINT` looks at the old rows later, while reads and writes go on. The two
belong in different transactions.

## Instead

```sql bad path=migrations/006_owner.sql
alter table items add constraint items_owner foreign key (owner_id) references users (id);  -- <- finding
```

```sql good path=migrations/006_owner.sql
alter table items add constraint items_owner foreign key (owner_id) references users (id) not valid;
```

```sql good path=migrations/007_owner_validated.sql
alter table items validate constraint items_owner;
```

```python bad path=alembic/versions/f6_owner.py
from alembic import op

revision = "f6"
down_revision = "e5"


def upgrade():
    op.create_foreign_key("items_owner", "items", "users", ["owner_id"], ["id"])  # <- finding
```

```python good path=alembic/versions/f6_owner.py
from alembic import op

revision = "f6"
down_revision = "e5"


def upgrade():
    op.create_foreign_key(
        "items_owner", "items", "users", ["owner_id"], ["id"], postgresql_not_valid=True
    )
```

## When it does not matter

The same migration creates the table, or adds the column without a default: there is nothing to check.

```sql good path=migrations/001_init.sql
create table items (id bigint primary key, owner_id bigint);
alter table items add foreign key (owner_id) references users (id);
alter table users add column team_id bigint references teams (id);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_facts import fact_of
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import (
    IN_NEXT,
    blocks,
    by_table,
    columns_of,
    listed,
    python_list,
    quoted,
    settled,
    snippet,
)


@rule("NDB605", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find foreign keys and checks that are added valid to existing tables."""
    steps = [
        s
        for s in migrations.live("add foreign key", "add check", "add column")
        if blocks(s) and not _on_new_columns(migrations, s) and _only_reads(s)
    ]
    for group in by_table(steps):
        first = group[0]
        parents = list(dict.fromkeys(str(s.references) for s in group if s.references))
        if any(s.kind != "add foreign key" for s in group):
            who = f"Nobody can read or write `{first.table}` while Postgres checks every row of it"
        else:
            who = f"Writes to {listed([str(first.table), *parents])} wait while every row is checked"
        yield Finding(
            first.path,
            first.line,
            f"{who}; one row that does not fit stops the migration.",
            ("Add the constraint as NOT VALID.", "Validate it in a later migration, in its own transaction."),
            "\n".join(_snippet(s) for s in group[:3]),
        )


def _only_reads(step: Step) -> bool:
    """Leave new columns that are written, or that get an index, to the rules about those."""
    column, seen = step.column, fact_of(step)
    if column is None:
        return True
    return bool(seen and not seen.rewrites) and not (column.unique or column.primary_key)


def _on_new_columns(migrations: MigrationSteps, step: Step) -> bool:
    """A column that the same migration adds without a default holds nothing that could be wrong."""
    added = {
        s.name
        for s in migrations.of(step.path)
        if s.kind == "add column" and s.table.key == step.table.key
        and s.column is not None and not s.column.database_default
    }  # fmt: skip
    changed = any(
        s.kind == "update" and s.table.key == step.table.key and s.line < step.line
        for s in migrations.of(step.path)
    )
    return bool(step.columns) and set(step.columns) <= added and not changed


def _snippet(step: Step) -> str:
    name = step.name or f"{step.table.name}_{'_'.join(step.columns) or 'check'}_fkey"
    if step.alembic and step.kind == "add foreign key" and step.references:
        return (
            f'op.create_foreign_key("{name}", "{step.table.name}", "{step.references.name}", '
            f'{python_list(step.columns)}, ["id"], postgresql_not_valid=True)\n'
            "# in the next revision:\n"
            f'op.execute("alter table {step.table.name} validate constraint {name}")'
        )
    table = quoted(step.table)
    if step.column is not None:
        return _without_constraint(step)
    if step.kind == "add foreign key" and step.references:
        what = f"foreign key ({columns_of(step)}) references {quoted(step.references)}"
    else:
        what = f"check ({step.expression or '…'})"
    return (
        f"alter table {table} add constraint {quoted(name)} {what} not valid;\n"
        f"-- in a later migration:\nalter table {table} validate constraint {quoted(name)};"
    )


def _without_constraint(step: Step) -> str:
    table, column = quoted(step.table), step.column
    assert column is not None
    name = quoted(f"{step.table.name}_{column.name}_{'fkey' if column.references else 'check'}")
    what = f"check ({' and '.join(column.checks) or '…'})"
    if column.references:
        what = f"foreign key ({quoted(column.name)}) references {quoted(column.references.table)}"
    return snippet(
        step,
        [
            f"alter table {table} add column {quoted(column.name)} {column.type or '…'};",
            f"alter table {table} add constraint {name} {what} not valid;",
            IN_NEXT,
            f"alter table {table} validate constraint {name};",
        ],
    )
