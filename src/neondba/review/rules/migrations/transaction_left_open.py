"""The file leaves a transaction open, or ends one that is not its own.

A `BEGIN` without `COMMIT` changes nothing: when the session ends, everything is undone
(fact:begin-without-commit), and the tool notes the migration as done. And where the tool has opened a
transaction itself, `COMMIT` in the file ends that one: what follows runs outside
(fact:commit-inside-transaction), and a failure leaves half a migration behind.

## Instead

```sql bad path=migrations/004_plan.sql
begin;  -- <- finding
alter table accounts add column plan text;
```

```sql good path=migrations/004_plan.sql
begin;
alter table accounts add column plan text;
commit;
```

```sql bad path=db/migrations/20260101_plan.sql
-- migrate:up
begin;  -- <- finding
alter table accounts add column plan text;
commit;
-- migrate:down
alter table accounts drop column plan;
```

## When it does not matter

No tool is known that opens one, or it was told not to:

```sql good path=db/migrations/20260101_plan.sql
-- migrate:up transaction:false
begin;
alter table accounts add column plan text;
commit;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.statement import Statement, Transaction
from neondba.project.migration_steps import wrapped
from neondba.project.sql import Role, SqlFile, SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

OPENS_ITS_OWN = frozenset({"goose or dbmate", "Flyway", "sqlx", "Drizzle"})
"""Tools that open a transaction around a file; others only send its statements together."""


@rule("NDB634", Category.MIGRATION, Severity.LOW)
def check(sql: SqlFiles) -> Iterator[Finding]:
    """Find transactions that a migration leaves open, or that are not its own."""
    for file in sql.of(Role.MIGRATION):
        if "begin" not in file.text.lower() and "start transaction" not in file.text.lower():
            continue
        for statements in (file.statements, file.down):
            first = next((s for s in statements if _kind(s) == "begin"), None)
            if first is not None:
                yield from _judged(file, first, statements)


def _kind(statement: Statement) -> str:
    return statement.action.kind if isinstance(statement.action, Transaction) else ""


def _judged(file: SqlFile, first: Statement, statements: list[Statement]) -> Iterator[Finding]:
    opened = sum(_kind(s) == "begin" for s in statements)
    closed = sum(_kind(s) in ("commit", "rollback") for s in statements)
    if not closed and opened and not any(s.error for s in statements):
        yield Finding(
            file.path,
            first.line,
            "Nothing of this file stays: the transaction is never committed, and ends with the session.",
            ("Write COMMIT at the end, or leave BEGIN to the tool.",),
            "commit;",
            Severity.HIGH if file.tool is None else None,
        )
    elif closed and file.tool in OPENS_ITS_OWN and wrapped(file):
        yield Finding(
            file.path,
            first.line,
            f"{file.tool} has opened a transaction of its own, and COMMIT ends it: if a later "
            "statement fails, half of the migration stays.",
            ("Leave BEGIN and COMMIT to the tool.",),
            "-- remove begin and commit",
        )
