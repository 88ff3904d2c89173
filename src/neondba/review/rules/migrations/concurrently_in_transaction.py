"""CONCURRENTLY stands inside a transaction, where PostgreSQL refuses it.

`CREATE INDEX CONCURRENTLY` commits several times while it works, so it is refused inside a transaction block
with error 25001 (fact:create-index-concurrently). Migration tools wrap each migration in a transaction, or
send its statements together, which is the same: the migration fails, and the release with it.

## Instead

```python bad path=alembic/versions/b2_email.py
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)  # <- finding
```

```python good path=alembic/versions/b2_email.py
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)
```

```sql bad path=prisma/migrations/2_email/migration.sql
alter table users add column nick text;
create index concurrently users_nick on users (nick);  -- <- finding
```

```sql good path=prisma/migrations/3_email/migration.sql
create index concurrently users_email on users (email);
```

```sql bad path=migrations/004_email.sql
begin;
create index concurrently users_email on users (email);  -- <- finding
commit;
```

## When it does not matter

The tool is told to use no transaction, or none is known and the file opens none:

```sql good path=db/migrations/004_email.sql
-- +goose NO TRANSACTION
-- +goose Up
create index concurrently users_email on users (email);
drop index concurrently users_mail;
```

```sql good path=migrations/004_email.sql
create index concurrently users_email on users (email);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_facts import fact_of
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import alone, quoted, settled


@rule("NDB617", Category.MIGRATION, Severity.HIGH)
@settled
def check(migrations: MigrationSteps, python: PythonFiles) -> Iterator[Finding]:
    """Find CONCURRENTLY in migrations that run inside a transaction."""
    outside = any(
        f.path.endswith("env.py") and "AUTOCOMMIT" in f.text for f in python.containing("AUTOCOMMIT")
    )
    for step in migrations.steps:
        seen = fact_of(step) if step.concurrently else None
        if seen is None or seen.in_transaction or not step.wrapped or (step.alembic and outside):
            continue
        what = step.kind.upper()
        yield Finding(
            step.path,
            step.line,
            f"{what} CONCURRENTLY is refused inside a transaction, and {_who(step)}: "
            f"the {'migration' if step.forward else 'way back'} fails.",
            (alone(step),),
            _snippet(step),
        )


def _who(step: Step) -> str:
    if step.alembic:
        return "Alembic runs every revision in one"
    if step.tool in ("Prisma", "Supabase"):
        return f"{step.tool} sends the statements of a file together, which is one"
    return f"{step.tool} runs the file in one" if step.tool else "the file has opened one"


def _snippet(step: Step) -> str:
    if step.alembic:
        return "with op.get_context().autocommit_block():\n    op.execute(…)"
    name = quoted(step.name or "…")
    if step.kind == "create index":
        columns = ", ".join(quoted(c) for c in step.columns)
        made = f"create index concurrently {name} on {quoted(step.table)} ({columns});"
        return f"-- in a migration of its own:\n{made}"
    return f"-- in a migration of its own:\n{step.kind} concurrently {name};"
