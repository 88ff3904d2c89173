"""A change of type rewrites the table while everyone waits.

`ALTER COLUMN … TYPE` takes an `ACCESS EXCLUSIVE` lock. Unless the old values are valid under the new type
as they stand, PostgreSQL writes every row and every index of the table anew before it lets anyone in. A
narrower type also fails when one value does not fit. Old application code meets the new type at once.

## Instead

```sql bad path=migrations/005_amount.sql
alter table orders alter column amount type bigint;  -- <- finding
```

```sql good path=migrations/005_amount.sql
alter table orders add column amount_big bigint;
```

Then write both columns, copy the old values in batches, and read the new one.

```python bad path=alembic/versions/e5_length.py
import sqlalchemy as sa
from alembic import op

revision = "e5"
down_revision = "d4"


def upgrade():
    op.alter_column("user", "email", existing_type=sa.String(), type_=sa.String(length=255))  # <- finding
```

## When it does not matter

A wider text type changes the catalog only; so does the way back in `downgrade()`:

```python good path=alembic/versions/e5_length.py
import sqlalchemy as sa
from alembic import op

revision = "e5"
down_revision = "d4"


def upgrade():
    op.alter_column("user", "email", existing_type=sa.String(length=100), type_=sa.String(length=255))
    op.alter_column("user", "name", existing_type=sa.String(length=100), type_=sa.Text())


def downgrade():
    op.alter_column("user", "email", existing_type=sa.String(length=255), type_=sa.String(length=100))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.sql_types import AWARE, NAIVE, base_type, size
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import IN_NEXT, by_table, listed, quoted, snippet

TEXT = frozenset({"text", "character varying"})


@rule("NDB604", Category.MIGRATION, Severity.MEDIUM)
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find changes of type that rewrite an existing table."""
    steps = [s for s in migrations.forward("alter type") if not s.batch and rewrites(s) and not s.new_column]
    for group in by_table(steps):
        first = group[0]
        narrow = [s for s in group if _narrows(s)]
        end = f" Values that are too long for {listed(s.name for s in narrow)} stop it." if narrow else ""
        yield Finding(
            first.path,
            first.line,
            f"Nobody can read or write `{first.table}` while it is rewritten for the new type of "
            f"{listed(s.name for s in group)}.{end}",
            _steps(bool(narrow)),
            _snippet(first),
        )


def rewrites(step: Step) -> bool:
    """Tell whether a change of type is more than a change of the catalog."""
    old, new = step.old_type, step.type
    if not new or old == new:
        return False
    if not old:
        return base_type(new) not in TEXT
    if {base_type(old), base_type(new)} == {NAIVE, AWARE}:
        return step.using is not None
    if {base_type(old), base_type(new)} <= TEXT:
        return _narrows(step)
    if base_type(old) == base_type(new) == "numeric":
        return _numeric_narrows(old, new)
    return (old, new) != ("cidr", "inet")


def _narrows(step: Step) -> bool:
    if {base_type(step.old_type or ""), base_type(step.type or "")} <= TEXT:
        new, old = size(step.type or ""), size(step.old_type or "")
        return new is not None and (old is None or new < old)
    return False


def _numeric_narrows(old: str, new: str) -> bool:
    def parts(type_: str) -> list[int]:
        return [int(p) for p in type_.partition("(")[2].rstrip(")").split(",") if p.strip().isdigit()]

    before, after = parts(old), parts(new)
    if not after:
        return False
    return not before or before[1:] != after[1:] or after[0] < before[0]


def _steps(narrow: bool) -> tuple[str, ...]:
    if narrow:
        return (
            "Look for values that are too long before you deploy.",
            "Limit the length with a CHECK constraint, added NOT VALID and validated later.",
        )
    return (
        "Add a column of the new type and write both.",
        "Copy the old values in batches, then let the code read the new column.",
        "Drop the old column in a later release.",
    )


def _snippet(step: Step) -> str:
    table, column = quoted(step.table), quoted(step.name or "…")
    limit = size(step.type or "")
    if _narrows(step) and limit:
        rule_ = quoted(f"{step.table.name}_{step.name}_length")
        sql = [
            f"alter table {table} add constraint {rule_} check (length({column}) <= {limit}) not valid;",
            IN_NEXT,
            f"alter table {table} validate constraint {rule_};",
        ]
    else:
        sql = [f"alter table {table} add column {quoted(f'{step.name}_new')} {step.type or '…'};"]
    return snippet(step, sql)
