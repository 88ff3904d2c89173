"""A new value of an enum is used in the transaction that adds it.

PostgreSQL adds the value but lets nobody use it before the commit: a default, an update or a check with the
new value fails with error 55P04 (fact:use-enum-value-in-its-transaction,
fact:use-enum-value-as-default-in-its-transaction). Migration tools run a file or a revision as one
transaction.

## Instead

```python bad path=alembic/versions/f9_done.py
from alembic import op

revision = "f9"
down_revision = "e8"


def upgrade():
    op.execute("ALTER TYPE state ADD VALUE 'done'")
    op.execute("UPDATE jobs SET state = 'done' WHERE finished_at IS NOT NULL")  # <- finding
```

```python good path=alembic/versions/f9_done.py
from alembic import op

revision = "f9"
down_revision = "e8"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE state ADD VALUE 'done'")
    op.execute("UPDATE jobs SET state = 'done' WHERE finished_at IS NOT NULL")
```

```sql bad path=prisma/migrations/3_done/migration.sql
alter type "State" add value 'done';
alter table jobs alter column state set default 'done';  -- <- finding
```

## When it does not matter

The value is used in a later migration, or the same migration makes the whole type:

```sql good path=prisma/migrations/3_done/migration.sql
alter type "State" add value 'done';
```

```sql good path=prisma/migrations/4_use/migration.sql
alter table jobs alter column state set default 'done';
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from neondba.postgres.facts import fact
from neondba.postgres.statement import AlterEnum, CreateEnum, Statement, Transaction
from neondba.project.alembic_history import AlembicHistory, Revision
from neondba.project.migration_steps import wrapped
from neondba.project.sql import Role, SqlFile, SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

Part = tuple[int, str, Statement | None, bool]
"""Line, text, statement, and whether it is committed by itself."""


@rule("NDB628", Category.MIGRATION, Severity.HIGH)
def check(sql: SqlFiles, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find values of enums that are used before the transaction that adds them ends."""
    if fact("use-enum-value-in-its-transaction").error is None:
        return
    for file in sql.of(Role.MIGRATION):
        if wrapped(file) and "add value" in " ".join(file.text.lower().split()):
            yield from _uses(file.path, _of_file(file))
    for _, revision in alembic.revisions:
        if "value" in revision.file.text.lower():
            yield from _uses(revision.path, _of_revision(revision))


def _of_file(file: SqlFile) -> Iterator[Part]:
    for statement in file.statements:
        yield statement.line, statement.text, statement, False


def _of_revision(revision: Revision) -> Iterator[Part]:
    for operation in revision.upgrade:
        for statement in operation.statements:
            yield statement.line, statement.text, statement, operation.autocommit
        if not operation.statements:
            yield operation.line, ast.unparse(operation.node).replace('"', "'"), None, operation.autocommit


def _uses(path: str, parts: Iterable[Part]) -> Iterator[Finding]:
    added: dict[str, str] = {}
    made: set[str] = set()
    for line, text, statement, committed in parts:
        action = statement.action if statement else None
        if isinstance(action, Transaction):
            added.clear()
        elif isinstance(action, CreateEnum):
            made.add(action.name.key)
        elif isinstance(action, AlterEnum):
            if action.old is None and not committed and action.name.key not in made:
                added[action.value] = str(action.name)
        else:
            used = next((value for value in added if f"'{value}'" in text), None)
            if used is not None:
                yield _finding(path, line, added.pop(used), used)


def _finding(path: str, line: int, type_: str, value: str) -> Finding:
    return Finding(
        path,
        line,
        f"This fails with \"unsafe use of new value\": '{value}' of {type_} may be used after the commit "
        "only, and the migration adds it in the same transaction.",
        ("Add the value in a migration of its own, before this one.",
         "With Alembic, `with op.get_context().autocommit_block():` around ALTER TYPE does it, too."),
        f"alter type {type_} add value if not exists '{value}';",
    )  # fmt: skip
