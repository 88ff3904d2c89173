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

```python bad path=alembic/versions/b2_email.py case=alembic
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_index("users_email", "users", ["email"])  # <- finding
```

```python fixed path=alembic/versions/b2_email.py case=alembic
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)
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

Nor when an earlier migration has built it, and IF NOT EXISTS passes over it; nor after a column that only an
empty table takes:

```sql good path=migrations/002_email.sql case=again
create index if not exists users_id on users (id);
alter table users add column email text not null;
create unique index users_email on users (email);
```

```sql good path=migrations/001_init.sql case=again
create table users (id bigint);
create index users_id on users (id);
```

On a partitioned table CONCURRENTLY is refused (fact:create-index-concurrently-partitioned); the way around is
an index on the parent ONLY, and one on each partition that is attached to it:

```sql good path=migrations/003_partition.sql
create index concurrently events_2026_at on events_2026 (at);
```

Alembic's batch mode, which exists for SQLite, and the way back (`downgrade()`) are left alone too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from neondba.postgres.statement import Name
from neondba.project.alembic_history import AlembicHistory
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.editing import with_keywords
from neondba.review.finding import Category, Edit, Finding, Severity
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
def check(migrations: MigrationSteps, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find indexes built on existing tables without CONCURRENTLY."""
    steps = [s for s in migrations.live("create index") if blocks(s) and not s.again]
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
            edits=_edits(first, alembic) if len(group) == 1 else (),
        )


def _edits(step: Step, alembic: AlembicHistory) -> tuple[Edit, ...]:
    """Build it concurrently where nothing else is in the newest revision: what stands before would be kept
    when the build fails, and an older revision has run.
    """
    heads = [head for history in alembic.histories for head in history.heads]
    revision = next((head for head in heads if head.path == step.path), None)
    upgrade = revision.function("upgrade") if revision else None
    if revision is None or upgrade is None:
        return ()
    doc = ast.get_docstring(upgrade) is not None
    statement = upgrade.body[-1]
    call = statement.value if isinstance(statement, ast.Expr) else None
    if len(upgrade.body) != 1 + doc or not isinstance(call, ast.Call) or call.lineno != call.end_lineno:
        return ()
    made = with_keywords(step.path, revision.file.text, call, postgresql_concurrently="True")
    if not made or not isinstance(call.func, ast.Attribute) or call.func.attr != "create_index":
        return ()
    head = made[0].old[: len(made[0].old) - len(made[0].old.lstrip())]
    block = f"{head}with {ast.unparse(call.func.value)}.get_context().autocommit_block():"
    return (replace(made[0], new=f"{block}\n{head}    {made[0].new.lstrip()}"),)


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
