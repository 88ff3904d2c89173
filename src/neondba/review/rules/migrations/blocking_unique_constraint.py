"""A unique constraint or primary key builds its index under a lock on everything.

`ADD UNIQUE` and `ADD PRIMARY KEY` take an `ACCESS EXCLUSIVE` lock (fact:add-unique) and build an index
before they let it go: nobody reads or writes the table meanwhile, and one duplicate makes it all fail.
Build the unique index with CONCURRENTLY first; turning it into a constraint is then a matter of a moment.

## Instead

```sql bad path=migrations/008_email.sql
alter table users add constraint users_email_key unique (email);  -- <- finding
```

```sql good path=migrations/008_email.sql
create unique index concurrently users_email_key on users (email);
alter table users add constraint users_email_key unique using index users_email_key;
```

```python bad path=alembic/versions/a8_email.py
from alembic import op

revision = "a8"
down_revision = "f6"


def upgrade():
    op.create_unique_constraint("users_email_key", "users", ["email"])  # <- finding
```

## When it does not matter

The same migration creates the table:

```sql good path=migrations/001_init.sql
create table users (id bigint, email text not null);
alter table users add primary key (id);
alter table users add unique (email);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import (
    alone,
    blocks,
    columns_of,
    python_list,
    quoted,
    rewrites,
    settled,
    snippet,
)


@rule("NDB606", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find unique constraints and primary keys built on existing tables."""
    for step in migrations.live("add unique", "add primary key", "add exclude", "add column"):
        column = step.column
        if (
            not blocks(step)
            or rewrites(step)
            or (column is not None and not (column.unique or column.primary_key))
        ):
            continue
        if step.using_index:
            yield _unproven(step)
            continue
        what = (
            "primary key"
            if step.kind == "add primary key" or (column and column.primary_key)
            else "index"
            if step.kind == "add exclude"
            else "unique index"
        )
        yield Finding(
            step.path,
            step.line,
            f"Nobody can read or write `{step.table}` while its {what} is built; one duplicate stops it.",
            ("Build the unique index with CONCURRENTLY first.", alone(step),
             "Then add the constraint USING INDEX."),
            _snippet(step),
        )  # fmt: skip


def _snippet(step: Step) -> str:
    suffix = "pkey" if step.kind == "add primary key" else "_".join([*step.columns, "key"])
    name = step.name if step.kind != "add column" and step.name else f"{step.table.name}_{suffix}"
    kind = "primary key" if step.kind == "add primary key" else "unique"
    table = quoted(step.table)
    attach = f"alter table {table} add constraint {quoted(name)} {kind} using index {quoted(name)}"
    if step.alembic:
        return (
            "with op.get_context().autocommit_block():\n"
            f'    op.create_index("{name}", "{step.table.name}", {python_list(step.columns)}, unique=True, '
            f"postgresql_concurrently=True)\nop.execute({attach!r})"
        )
    columns = columns_of(step) if step.columns else quoted(step.name or "…")
    return f"create unique index concurrently {quoted(name)} on {table} ({columns});\n{attach};"


def _unproven(step: Step) -> Finding:
    """The index is there, but the column may hold NULL (fact:add-primary-key-using-index-nullable)."""
    column = step.before.name if step.before else "…"
    return Finding(
        step.path,
        step.line,
        f"Nobody can read or write `{step.table}` while Postgres looks for NULL in `{column}`: a primary key "
        "needs it NOT NULL first.",
        ("Prove the column with a CHECK that is validated, then SET NOT NULL.", "Then take the index."),
        snippet(step, [f"alter table {quoted(step.table)} alter column {quoted(column)} set not null;"]),
    )
