"""PostgreSQL refuses a statement of the migration, whatever the table holds.

Some statements can never run: a change of type that has no cast without `USING` (error 42804,
fact:alter-type-text-to-int), a foreign key between `text` and `uuid` (fact:add-foreign-key-other-type), a
table or column that the history has made before (42P07, 42701). The migration stops there, in every
environment.

## Instead

```python bad path=alembic/versions/b5_count.py
import sqlalchemy as sa
from alembic import op

revision = "b5"
down_revision = "a4"


def upgrade():
    op.alter_column("pages", "count", existing_type=sa.Text(), type_=sa.Integer())  # <- finding
```

```python good path=alembic/versions/b5_count.py
import sqlalchemy as sa
from alembic import op

revision = "b5"
down_revision = "a4"


def upgrade():
    with op.get_context().autocommit_block():
        op.alter_column(
            "pages", "count", existing_type=sa.Text(), type_=sa.Integer(), postgresql_using="count::integer"
        )
```

```sql bad path=migrations/001_init.sql case=types
create table users (id uuid primary key);
create table posts (
    id bigint primary key,
    author_id text references users (id)  -- <- finding
);
```

```sql bad path=migrations/002_twice.sql case=twice
create table tags (id bigint primary key);
alter table tags add column name text;
alter table tags add column name varchar(20);  -- <- finding
```

```python bad path=app/models.py case=nowhere
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
```

```python bad path=alembic/versions/a1_notes.py case=nowhere
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer()),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),  # <- finding
    )
```

A history that begins later than the tables can not build a database, nor can a type that nothing makes:

```python bad path=app/models.py case=altered
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    due: str | None = None
```

```python bad path=alembic/versions/a1_due.py case=altered
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.alter_column("task", "due", nullable=True)  # <- finding
```

```python bad path=alembic/versions/a1_state.py case=enum
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("jobs", sa.Column("id", sa.Integer(), primary_key=True))
    state = sa.Enum("open", "done", name="jobstate")
    op.add_column("jobs", sa.Column("state", state, nullable=True))  # <- finding
```

```python good path=alembic/versions/a1_state.py case=enum
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("jobs", sa.Column("id", sa.Integer(), primary_key=True))
    state = sa.Enum("open", "done", name="jobstate")
    state.create(op.get_bind(), checkfirst=True)
    op.add_column("jobs", sa.Column("state", state, nullable=True))
```

## When it does not matter

PostgreSQL casts by itself, or the statement says IF NOT EXISTS:

```sql good path=migrations/001_init.sql
create table users (id bigint primary key, code varchar(10));
create table if not exists users (id bigint primary key);
create table posts (id bigint primary key, author_id integer references users (id));
alter table users alter column code type text;
alter table users add column if not exists code text;
alter table users alter column code type integer using code::integer;
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.postgres.sql_types import base_type
from neondba.project.alembic_history import AlembicHistory, Revision
from neondba.project.alembic_operations import Operation
from neondba.project.migration_facts import casts_by_itself
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.schema import Schema
from neondba.project.sqlalchemy_types import is_false, keywords, last_name, text_of
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted, settled, snippet

CHANGES = frozenset(
    {"add column", "drop column", "alter type", "set not null", "drop not null", "set default",
     "create index", "rename column", "add unique", "add check"}
)  # fmt: skip
"""Changes that need a table to be there."""
FAMILIES = (
    frozenset({"smallint", "integer", "bigint", "numeric", "smallserial", "serial", "bigserial"}),
    frozenset({"text", "character varying", "character", "citext"}),
    frozenset({"uuid"}),
)
"""Types between which `=` compares; a foreign key needs that."""


@rule("NDB621", Category.MIGRATION, Severity.HIGH)
@settled
def check(migrations: MigrationSteps, schema: Schema, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find statements on the way forward that PostgreSQL refuses."""
    yield from _nowhere(migrations, schema, alembic)
    yield from _altered(migrations, schema, alembic)
    yield from _types(alembic)
    for step in migrations.steps:
        if not step.forward:
            continue
        if step.kind == "alter type" and needs_using(step):
            yield _type(step)
        elif step.kind in ("reference", "add foreign key") and _other_family(step):
            yield _reference(step)
        elif step.again and not step.if_exists:
            yield _again(step)


def _nowhere(migrations: MigrationSteps, schema: Schema, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find foreign keys to tables that the code knows and no migration makes."""
    if len(alembic.histories) != 1:
        return
    told: set[str] = set()
    for step in migrations.steps:
        if not (step.alembic and step.forward and step.ref_known is False) or step.references is None:
            continue
        models = [t for t in schema.same_name(step.references) if t.source in ("sqlalchemy", "sqlmodel")]
        made = any(t.source in ("sql", "alembic") and t.whole for t in schema.same_name(step.references))
        if step.references.key in told or made or not models or any(t.provider for t in models):
            continue
        told.add(step.references.key)
        yield Finding(
            step.path,
            step.line,
            f"On a fresh database this fails: no revision makes `{step.references}`, which "
            f"`{step.table}` refers to.",
            ("Write the revision that makes it, before this one.",
             "Mark databases that have the table with `alembic stamp`."),
            "alembic revision --autogenerate  # on an empty branch",
        )  # fmt: skip


def _altered(migrations: MigrationSteps, schema: Schema, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find the first change to a table that the code knows and nothing in the project makes."""
    if len(alembic.histories) != 1 or alembic.histories[0].missing:
        return
    created = {key for revision in alembic.histories[0].revisions for key in revision.creates}
    for step in migrations.steps:
        if step.kind not in CHANGES or not (step.alembic and step.forward) or step.known or step.if_exists:
            continue
        defined = schema.same_name(step.table)
        models = [t for t in defined if t.source in ("sqlalchemy", "sqlmodel")]
        made = any(t.source == "sql" and t.whole for t in defined) or step.table.key in created
        if made or not models or any(t.provider for t in models):
            continue
        yield Finding(
            step.path,
            step.line,
            f"On a fresh database this fails: no revision makes `{step.table}`, which is changed here.",
            ("Write the revision that makes it, before this one.",
             "Mark databases that have the table with `alembic stamp`."),
            "alembic revision --autogenerate  # on an empty branch",
        )  # fmt: skip
        return


def _types(alembic: AlembicHistory) -> Iterator[Finding]:
    """Find columns of an enum that nothing makes: `add_column` brings no type along."""
    for history, revision in alembic.revisions:
        for operation in revision.upgrade:
            name = _enum_of(operation) if operation.kind == "add_column" else ""
            if name and not operation.conditional and not any(_makes(r, name) for r in history.revisions):
                yield Finding(
                    revision.path,
                    operation.line,
                    f"PostgreSQL refuses this: no revision makes the type `{name}`, and adding "
                    f"`{operation.table}.{operation.name}` does not bring it along.",
                    ("Create the type first.",),
                    f'sa.Enum(…, name="{name}").create(op.get_bind(), checkfirst=True)',
                )
                break


def _enum_of(operation: Operation) -> str:
    """Give the name of the enum that a new column has."""
    for node in ast.walk(operation.node):
        if isinstance(node, ast.Name) and node.id in operation.values:
            node = operation.values[node.id]
        if isinstance(node, ast.Call) and last_name(node) in ("Enum", "ENUM"):
            given = keywords(node)
            return "" if is_false(given.get("native_enum")) else text_of(given.get("name")) or ""
    return ""


def _makes(revision: Revision, name: str) -> bool:
    """Tell whether a revision may make a type: alone, with a table, or in SQL."""
    text = revision.file.text
    if name not in text:
        return False
    tables = (o for o in revision.upgrade if o.kind == "create_table")
    alone = ".create(" in text or "create type" in text.lower() or "_alembic_enum" in text
    return alone or any(name in ast.unparse(o.node) or o.values for o in tables)


def needs_using(step: Step) -> bool:
    """Tell whether a change of type lacks the USING without which PostgreSQL refuses it."""
    if step.using is not None or not step.old_type or not step.type:
        return False
    return not casts_by_itself(step.old_type, step.type)


def _other_family(step: Step) -> bool:
    pair = [base_type(t) for t in (step.type, step.ref_type) if t]
    families = [f for t in pair for f in FAMILIES if t in f]
    return len(families) == 2 and families[0] is not families[1]


def _type(step: Step) -> Finding:
    table, column = quoted(step.table), quoted(step.name or "…")
    return Finding(
        step.path,
        step.line,
        f"PostgreSQL refuses this: it does not turn {step.old_type} into {step.type} by itself, so "
        f"`{step.table}.{step.name}` stays as it is and the migration fails.",
        ("Say with USING how a value becomes one of the new type.",
         "If the column has a default, drop it first and set the new one afterwards."),
        f'postgresql_using="{step.name}::{step.type}"' if step.alembic
        else f"alter table {table} alter column {column} type {step.type} using {column}::{step.type};",
    )  # fmt: skip


def _reference(step: Step) -> Finding:
    table, column = quoted(step.table), quoted(step.columns[0])
    return Finding(
        step.path,
        step.line,
        f"PostgreSQL refuses this foreign key: `{step.table}.{step.columns[0]}` is {step.type}, and "
        f"`{step.references}` has {step.ref_type}.",
        (f"Give `{step.columns[0]}` the type of what it refers to.",),
        snippet(step, [f"alter table {table} add column {column} {step.ref_type};"]),
    )


def _again(step: Step) -> Finding:
    what = f"`{step.table}`" if step.kind == "create table" else f"`{step.table}.{step.name}`"
    return Finding(
        step.path,
        step.line,
        f"On a fresh database the migrations fail here: {what} is there since {step.again}.",
        ("Remove the statement, or say IF NOT EXISTS if databases differ.",),
        f"-- {what} was made in {step.again}",
    )
