"""A revision has no way back.

When a release goes wrong, `alembic downgrade -1` is the way out. If `downgrade()` is missing or empty,
Alembic moves its mark back and leaves the tables as they are: the next upgrade then fails on what already
exists, at the worst moment. A way back that adds a required column without a default fails on the first
row. One that drops a column and not the type that was made for it leaves the type: again the next upgrade
fails.

## Instead

```python bad path=alembic/versions/e3_note.py
import sqlalchemy as sa
from alembic import op

revision = "e3"
down_revision = "d2"


def upgrade():
    op.add_column("tasks", sa.Column("note", sa.Text()))


def downgrade():  # <- finding
    pass
```

```python good path=alembic/versions/e3_note.py
import sqlalchemy as sa
from alembic import op

revision = "e3"
down_revision = "d2"


def upgrade():
    op.add_column("tasks", sa.Column("note", sa.Text()))


def downgrade():
    op.drop_column("tasks", "note")
```

```python bad path=alembic/versions/e4_mood.py
from alembic import op

revision = "e4"
down_revision = "e3"


def upgrade():
    op.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    op.execute("ALTER TABLE tasks ADD COLUMN feeling mood")


def downgrade():  # <- finding
    op.drop_column("tasks", "feeling")
```

```python good path=alembic/versions/e4_mood.py
from alembic import op

revision = "e4"
down_revision = "e3"


def upgrade():
    op.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    op.execute("ALTER TABLE tasks ADD COLUMN feeling mood")


def downgrade():
    op.drop_column("tasks", "feeling")
    op.execute("DROP TYPE mood")
```

`create_table` with a `sa.Enum` makes the type too, and `drop_table` leaves it:

```python bad path=alembic/versions/e4_kind.py
import sqlalchemy as sa
from alembic import op

revision = "e4"
down_revision = "e3"


def upgrade():
    op.create_table("jobs", sa.Column("kind", sa.Enum("a", "b", name="jobkind")))


def downgrade():
    op.drop_table("jobs")  # <- finding
```

```python good path=alembic/versions/e4_kind.py
import sqlalchemy as sa
from alembic import op

revision = "e4"
down_revision = "e3"


def upgrade():
    op.create_table("jobs", sa.Column("kind", sa.Enum("a", "b", name="jobkind")))


def downgrade():
    op.drop_table("jobs")
    sa.Enum(name="jobkind").drop(op.get_bind())
```

## When it does not matter

A merge changes nothing, a change of data alone may have no way back, and one that says so is honest:

```python good path=alembic/versions/f4_merge.py
revision = "f4"
down_revision = ("e3", "e2")


def upgrade():
    pass


def downgrade():
    pass
```

```python good path=alembic/versions/f5_drop.py
from alembic import op

revision = "f5"
down_revision = "f4"


def upgrade():
    op.execute("UPDATE tasks SET title = trim(title) WHERE title <> trim(title)")


def downgrade():
    pass
```

```python good path=alembic/versions/f6_drop.py
from alembic import op

revision = "f6"
down_revision = "f5"


def upgrade():
    op.drop_table("old_tasks")


def downgrade():
    raise NotImplementedError("the rows are gone: restore the branch")
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.postgres.statement import CreateEnum, Name
from neondba.project.alembic_history import AlembicHistory, Revision
from neondba.project.alembic_operations import Operation
from neondba.project.python_index import walk
from neondba.project.sqlalchemy_types import is_false, keywords, last_name, text_of
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import settled

DATA = frozenset({"execute", "bulk_insert", "get_bind", "get_context", "f", "inline_literal"})
INVERSE = {
    "create_table": "drop_table", "add_column": "drop_column", "create_index": "drop_index",
    "create_foreign_key": "drop_constraint", "create_unique_constraint": "drop_constraint",
    "create_check_constraint": "drop_constraint",
}  # fmt: skip


@rule("NDB611", Category.MIGRATION, Severity.LOW)
@settled
def check(alembic: AlembicHistory) -> Iterator[Finding]:
    """Find revisions that cannot be undone."""
    for _, revision in alembic.revisions:
        changes = [o for o in revision.upgrade if _changes_schema(o)]
        back = revision.function("downgrade")
        if changes and (back is None or _is_empty(back)):
            yield Finding(
                revision.path,
                back.lineno if back else revision.line,
                f"`alembic downgrade` forgets revision {revision.id} but leaves its changes in the database; "
                "the next upgrade fails on them.",
                ("Undo each operation in `downgrade()`, last one first.",
                 "If that is impossible, raise NotImplementedError and say what to do instead."),
                _snippet(changes),
            )  # fmt: skip
        elif back is not None:
            yield from _cannot_restore(revision)
            yield from _leaves_type(revision, back)


def _changes_schema(operation: Operation) -> bool:
    if operation.kind == "execute":
        return any(s.kind.startswith(("CREATE", "ALTER", "DROP")) for s in operation.statements)
    return operation.kind not in DATA


def _is_empty(function: ast.FunctionDef) -> bool:
    body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    documented = ast.get_docstring(function) is not None
    return not documented and all(isinstance(n, ast.Pass | ast.Return) for n in body)


def _cannot_restore(revision: Revision) -> Iterator[Finding]:
    for operation in revision.downgrade:
        column = operation.column
        if operation.kind == "add_column" and column and not column.nullable and not column.database_default:
            yield Finding(
                revision.path,
                operation.line,
                f"The way back fails as soon as `{operation.table}` holds a row: `{column.name}` comes back "
                "NOT NULL without a default, and its values are gone.",
                ("Bring the column back nullable, or with a server default.",
                 "Take a snapshot of the branch before the upgrade."),
                f'op.add_column("{operation.table}", sa.Column("{column.name}", …, nullable=True))',
            )  # fmt: skip


def _leaves_type(revision: Revision, back: ast.FunctionDef) -> Iterator[Finding]:
    """Find a type that only the upgrade names; a guarded CREATE TYPE stands in a DO block."""
    start = revision.function("upgrade")
    made = [s.action.name for o in revision.upgrade for s in o.statements if isinstance(s.action, CreateEnum)]
    made += [Name(name) for name in _enums(revision, start)]
    if start is None or not made or _gives_up(back):
        return
    lines = revision.file.text.splitlines()
    elsewhere = "\n".join([*lines[: start.lineno - 1], *lines[start.end_lineno :]]).lower()
    for name in dict.fromkeys(made):
        told = re.search(rf"\b{re.escape(name.name.lower())}\b", elsewhere)
        if "drop type" not in elsewhere and not told and ".drop(" not in elsewhere:
            yield Finding(
                revision.path,
                _last_use(revision, name) or back.lineno,
                f"`alembic downgrade` leaves type `{name}` behind; the next upgrade fails because it exists.",
                (f"Drop {name} at the end of `downgrade()`, after the columns that use it.",),
                f'op.execute("DROP TYPE {name}")',
            )


def _last_use(revision: Revision, name: Name) -> int | None:
    """Give the line on which the way back drops the table that has the type."""
    users = {
        o.table.key
        for o in revision.upgrade
        if o.kind == "create_table" and o.table and name.name in set(_named(o.node))
    }
    drops = [o for o in revision.downgrade if o.kind == "drop_table" and o.table]
    return next((o.line for o in reversed(drops) if o.table and o.table.key in users), None)


def _enums(revision: Revision, start: ast.FunctionDef | None) -> Iterator[str]:
    """Give the types that CREATE TABLE and ADD COLUMN bring along: `sa.Enum("a", "b", name="kind")`."""
    for operation in revision.upgrade:
        if operation.kind == "create_table":
            yield from _named(operation.node)
    for node in walk(start) if start else ():
        function = node.func if isinstance(node, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr == "create":
            yield from _named(function.value)


def _named(node: ast.expr) -> Iterator[str]:
    for call in walk(node):
        if isinstance(call, ast.Call) and last_name(call) in ("Enum", "ENUM"):
            given = keywords(call)
            name = text_of(given.get("name"))
            if name and not is_false(given.get("native_enum")) and not is_false(given.get("create_type")):
                yield name


def _gives_up(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Raise) for node in function.body)


def _snippet(changes: list[Operation]) -> str:
    lines = ["def downgrade() -> None:"]
    for operation in reversed(changes):
        undo = INVERSE.get(operation.kind)
        if undo == "drop_table":
            lines.append(f'    op.drop_table("{operation.table}")')
        elif undo == "drop_column":
            lines.append(f'    op.drop_column("{operation.table}", "{operation.name}")')
        elif undo:
            lines.append(f'    op.{undo}("{operation.name or "…"}", "{operation.table}")')
        else:
            lines.append(f"    ...  # undo {operation.kind}")
    return "\n".join(lines)
