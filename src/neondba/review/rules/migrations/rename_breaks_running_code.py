"""A rename breaks the code that is running.

There is no moment in which old code and new code both work: before the rename the new name is missing,
after it the old one is. Every request between the migration and the end of the roll-out fails, and so does
going back to the previous release.

## Instead

```sql bad path=migrations/011_title.sql
alter table tasks rename column name to title;  -- <- finding
```

Keep the column and give it another name in the code alone:

```python good path=app/models.py
from sqlalchemy.orm import Mapped, mapped_column


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column("name")
```

```python bad path=alembic/versions/c1_title.py
from alembic import op

revision = "c1"
down_revision = "b9"


def upgrade():
    op.alter_column("tasks", "name", new_column_name="title")  # <- finding
```

## When it does not matter

The migration renames what it made itself, or renames an index or a constraint:

```sql good path=migrations/012_swap.sql
create table tasks_new (id bigint primary key);
alter table tasks_new rename to tasks_v2;
alter index tasks_name rename to tasks_title;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted, settled
from neondba.review.rules.migrations._swap import swapped


@rule("NDB608", Category.MIGRATION, Severity.MEDIUM)
@settled
def check(migrations: MigrationSteps) -> Iterator[Finding]:
    """Find renames of tables and columns on the way forward."""
    for step in migrations.forward("rename column", "rename table"):
        if (step.new_column and not _replaces_dropped(migrations, step)) or swapped(migrations, step):
            continue
        what = f"`{step.table}.{step.name}`" if step.kind == "rename column" else f"`{step.table}`"
        yield Finding(
            step.path,
            step.line,
            f"Code that is still running asks for {what} and fails until the release is complete.",
            _steps(step),
            _snippet(step),
        )


def _replaces_dropped(migrations: MigrationSteps, step: Step) -> bool:
    """A new column takes the place of a dropped one: the name stays, what it holds changes."""
    return any(
        s.kind == "drop column"
        and s.path == step.path
        and s.forward
        and s.table.key == step.table.key
        and s.name == step.new
        for s in migrations.of(step.path)
    )


def _steps(step: Step) -> tuple[str, ...]:
    if step.kind == "rename table":
        return (
            "Rename the table and create a view under the old name in one transaction.",
            "Drop the view when no old instance runs any more.",
        )
    return (
        "Leave the column's name in the database and change it in the model only.",
        "If the database must change: add the new column, write both, copy in batches, read the new one, "
        "drop the old one in a later release.",
    )


def _snippet(step: Step) -> str:
    if step.kind == "rename table":
        new = step.new or "…"
        sql = f"create view {quoted(step.table.name)} as select * from {quoted(new)}"
        return f'op.execute("{sql}")' if step.alembic else sql + ";"
    if step.alembic:
        return f'{step.new or "new_name"}: Mapped[…] = mapped_column("{step.name}")'
    return f"alter table {quoted(step.table)} add column {quoted(step.new or 'new_name')} …;"
