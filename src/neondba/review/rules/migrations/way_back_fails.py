"""The way back of a revision fails, or takes more than the revision brought.

`alembic downgrade` is run when a release goes wrong, and this one has never been tried: a constraint
without a name cannot be dropped, a type without a cast cannot come back (fact:alter-type-text-to-int), and
a table that the upgrade has not created is dropped with all its rows.

## Instead

```python bad path=alembic/versions/c6_owner.py
import sqlalchemy as sa
from alembic import op

revision = "c6"
down_revision = "b5"


def upgrade():
    op.add_column("tasks", sa.Column("owner_id", sa.Integer()))
    op.create_foreign_key(None, "tasks", "owners", ["owner_id"], ["id"])


def downgrade():
    op.drop_constraint(None, "tasks", type_="foreignkey")  # <- finding
    op.drop_column("tasks", "owner_id")
```

```python good path=alembic/versions/c6_owner.py
import sqlalchemy as sa
from alembic import op

revision = "c6"
down_revision = "b5"


def upgrade():
    op.add_column("tasks", sa.Column("owner_id", sa.Integer()))
    op.create_foreign_key("tasks_owner", "tasks", "owners", ["owner_id"], ["id"])


def downgrade():
    op.drop_constraint("tasks_owner", "tasks", type_="foreignkey")
    op.drop_column("tasks", "owner_id")
```

```python bad path=alembic/versions/d7_note.py
import sqlalchemy as sa
from alembic import op

revision = "d7"
down_revision = "c6"


def upgrade():
    op.create_table("notes", sa.Column("id", sa.Integer(), primary_key=True))
    op.alter_column("tasks", "kind", existing_type=sa.Integer(), type_=sa.Text())


def downgrade():
    op.alter_column("tasks", "kind", existing_type=sa.Text(), type_=sa.Integer())  # <- finding
    op.drop_table("notes")
    op.drop_table("tasks")  # <- finding
```

A table takes its indexes and constraints along, so they cannot be dropped after it:

```python bad path=alembic/versions/d8_index.py
import sqlalchemy as sa
from alembic import op

revision = "d8"
down_revision = "c6"


def upgrade():
    op.create_table("notes", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("day", sa.Date()))
    op.create_index("notes_day", "notes", ["day"])


def downgrade():
    op.drop_table("notes")
    op.drop_index("notes_day", table_name="notes")  # <- finding
```

## When it does not matter

The way back undoes what the upgrade did, under the names it gave:

```python good path=alembic/versions/e8_rename.py
import sqlalchemy as sa
from alembic import op

revision = "e8"
down_revision = "d7"


def upgrade():
    op.rename_table("tasks", "jobs")
    op.execute("create table sums (id bigint primary key)")


def downgrade():
    op.drop_table("sums")
    op.rename_table("jobs", "tasks")
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from neondba.postgres.statement import CreateTable
from neondba.project.alembic_history import AlembicHistory, History, Revision
from neondba.project.alembic_operations import Operation
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import MANY
from neondba.review.rules.migrations.migration_cannot_run import needs_using

PARTS = ("drop_index", "drop_constraint", "drop_column", "alter_column")


@rule("NDB632", Category.MIGRATION, Severity.MEDIUM)
def check(alembic: AlembicHistory, migrations: MigrationSteps) -> Iterator[Finding]:
    """Find ways back that cannot run, or that drop what the upgrade did not make."""
    for history in alembic.histories:
        yield from _without_names(history)
    for history, revision in alembic.revisions:
        yield from _foreign(history, revision)
        yield from _after_its_table(revision)
        for step in migrations.of(revision.path):
            if step.kind == "alter type" and not step.forward and needs_using(step):
                yield _type(step)


def _without_names(history: History) -> Iterator[Finding]:
    """Report the newest revision of many: what names constraints is missing once for all of them."""
    found = []
    for revision in history.ordered:
        operations = (o for o in (*revision.upgrade, *revision.downgrade) if o.kind == "drop_constraint")
        first = next((o for o in operations if _is_none(o)), None)
        if first is not None:
            found.append(_unnamed(revision, first))
    if len(found) <= MANY:
        yield from found
    else:
        more = f" So it goes in {len(found) - 1} older revisions."
        yield replace(found[-1], message=found[-1].message + more)


def _is_none(operation: Operation) -> bool:
    arguments = operation.node.args
    first = arguments[0] if arguments else operation.arguments.get("constraint_name")
    return isinstance(first, ast.Constant) and first.value is None


def _unnamed(revision: Revision, operation: Operation) -> Finding:
    back = operation in revision.downgrade
    return Finding(
        revision.path,
        operation.line,
        f"`alembic {'downgrade' if back else 'upgrade'}` fails here: a constraint of `{operation.table}` "
        "without a name cannot be dropped.",
        ("Give the constraint a name where it is made, and drop it by that name.",
         "A naming convention on the metadata names them all from now on."),
        f'op.drop_constraint("{operation.table}_…_fkey", "{operation.table}")',
    )  # fmt: skip


def _foreign(history: History, revision: Revision) -> Iterator[Finding]:
    """Find tables that go on the way back without having come on the way there."""
    if not any(o.kind == "create_table" for o in revision.upgrade):
        return
    made = set(revision.creates) | {
        s.action.table.key
        for o in revision.upgrade
        for s in o.statements
        if isinstance(s.action, CreateTable)
    }
    if any(o.kind == "rename_table" or o.conditional for o in (*revision.upgrade, *revision.downgrade)):
        return
    for operation in revision.downgrade:
        if operation.kind == "drop_table" and operation.table and operation.table.key not in made:
            yield _not_ours(history, revision, operation)


def _not_ours(history: History, revision: Revision, operation: Operation) -> Finding:
    maker = next((r for r in history.revisions if operation.table and operation.table.key in r.creates), None)
    if maker is not None:
        what = f"drops `{operation.table}` with all its rows, which revision {maker.id} made, not this one"
    else:
        what = f"drops `{operation.table}`, which no revision makes: it fails, or takes the rows of another"
    return Finding(
        revision.path,
        operation.line,
        f"`alembic downgrade` {what}.",
        ("Remove the drop: the way back undoes what the upgrade did, and no more.",),
        f"# remove: op.drop_table({str(operation.table)!r})",
        Severity.HIGH if maker is not None else None,
    )


def _after_its_table(revision: Revision) -> Iterator[Finding]:
    """Find what is dropped from a table that the same way back has dropped already."""
    gone: set[str] = set()
    for operation in revision.downgrade:
        table = operation.table
        if table is None or operation.conditional or operation.truth("if_exists"):
            continue
        if operation.kind == "drop_table":
            gone.add(table.key)
        elif operation.kind == "create_table":
            gone.discard(table.key)
        elif operation.kind in PARTS and table.key in gone:
            yield Finding(
                revision.path,
                operation.line,
                f"`alembic downgrade` fails here: `{table}` is dropped above, `{operation.name}` with it.",
                (f"Remove the line, or move it above the drop of {table}.",),
                f"op.{operation.kind}({operation.name!r}, {str(table)!r})  # before op.drop_table",
            )
            return


def _type(step: Step) -> Finding:
    return Finding(
        step.path,
        step.line,
        f"The way back fails: PostgreSQL does not turn {step.old_type} into {step.type} by itself.",
        (
            "Say with postgresql_using how a value becomes one of the old type.",
            "If it cannot, raise NotImplementedError.",
        ),
        f'postgresql_using="{step.name}::{step.type}"',
    )
