"""An index is built while writes wait.

`CREATE INDEX` takes a `SHARE` lock (fact:create-index): until the build ends, every INSERT, UPDATE and
DELETE on the table waits, and so does everyone who waits behind them. On a table of some gigabytes that is
minutes in which the application looks dead. `CREATE INDEX CONCURRENTLY` builds the same index while writes
go on; it takes longer, cannot run inside a transaction, and leaves an invalid index behind when it fails.

## Instead

```sql bad path=migrations/002_email.sql
create index users_email on users (email);  -- <- finding
```

```sql good path=migrations/002_email.sql
create index concurrently users_email on users (email);
```

```python bad path=alembic/versions/b2_email.py
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_index("users_email", "users", ["email"])  # <- finding
```

```python good path=alembic/versions/b2_email.py
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)
```

## When it does not matter

The same migration creates the table, so it is empty and nobody waits:

```sql good path=migrations/001_init.sql
create table users (id bigint primary key, email text not null);
create index users_email on users (email);
```

On a partitioned table CONCURRENTLY is refused (fact:create-index-concurrently-partitioned); the way around is
an index on the parent ONLY, and one on each partition that is attached to it:

```sql good path=migrations/003_partition.sql
create index concurrently events_2026_at on events_2026 (at);
```

Alembic's batch mode, which exists for SQLite, and the way back (`downgrade()`) are left alone too.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.statement import Name
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import (
    alone,
    blocks,
    by_table,
    columns_of,
    index_name,
    listed,
    python_list,
    quoted,
    settled,
    snippet,
)


@rule("NDB601", Category.MIGRATION, Severity.HIGH)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find indexes built on existing tables without CONCURRENTLY."""
    steps = [s for s in migrations.live("create index") if blocks(s)]
    for group in by_table(steps):
        first = group[0]
        several = len({index_name(s) for s in group}) > 1
        yield Finding(
            first.path,
            first.line,
            f"Writes to `{first.table}` wait until {listed(index_name(s) for s in group)} "
            f"{'are' if several else 'is'} built.",
            _steps(first),
            "\n".join(_snippet(s) for s in group),
        )


def _steps(step: Step) -> tuple[str, ...]:
    if step.partitioned:
        return (
            "Create the index on the parent ONLY: it stays invalid and takes a moment.",
            "Build one on each partition with CONCURRENTLY, and attach it to the parent's.",
        )
    return (
        "Build the index with CONCURRENTLY.",
        alone(step),
        "If the build fails, drop the invalid index before trying again.",
    )


def _snippet(step: Step) -> str:
    unique = "unique " if step.unique else ""
    if step.partitioned:
        return _of_partitions(step, unique)
    if step.alembic:
        more = ", unique=True" if step.unique else ""
        made = f'"{index_name(step)}", "{step.table.name}", {python_list(step.columns)}{more}'
        return (
            "with op.get_context().autocommit_block():\n"
            f"    op.create_index({made}, postgresql_concurrently=True)"
        )
    name, table = quoted(index_name(step)), quoted(step.table)
    return f"create {unique}index concurrently {name} on {table} ({columns_of(step)});"


def _of_partitions(step: Step, unique: str) -> str:
    name, columns = index_name(step), columns_of(step)
    part = Name(f"{step.table.name}_…", step.table.schema)
    return snippet(
        step,
        [
            f"create {unique}index {quoted(name)} on only {quoted(step.table)} ({columns});",
            "-- for each partition, outside a transaction:",
            f"create {unique}index concurrently {quoted(name + '_…')} on {quoted(part)} ({columns});",
            f"alter index {quoted(name)} attach partition {quoted(name + '_…')};",
        ],
    )
