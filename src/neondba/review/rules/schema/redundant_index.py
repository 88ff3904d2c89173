"""An index does what another index already does.

Every index is written with every insert, takes space and memory, and slows VACUUM. An index whose columns
lead another one is never needed beside it, and a unique constraint that contains another unique one can
never be violated first.

## Instead

```sql bad path=schema.sql
create table visits (id bigint primary key, user_id bigint not null, at timestamptz not null);
create index visits_user on visits (user_id);  -- <- finding
create index visits_user_at on visits (user_id, at);
```

```sql good path=schema.sql
create table visits (id bigint primary key, user_id bigint not null, at timestamptz not null);
create index visits_user_at on visits (user_id, at);
```

```python bad path=app/models.py
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True, index=True)  # <- finding
```

```prisma bad path=prisma/schema.prisma
model Invite {
  id    String @id
  email String
  token String @unique

  @@unique([token, email]) // <- finding
}
```

```sql bad path=migrations/V1__visits.sql case=numbered
create table visits (id bigint primary key, user_id bigint not null, at timestamptz not null);
create index visits_user on visits (user_id);  -- <- finding
create index visits_user_at on visits (user_id, at);
```

```sql fixed path=migrations/V2__drop_index_visits_user.sql case=numbered
drop index concurrently visits_user;
```

The same habit in every model of a file is told once.

```python bad path=app/models.py case=habit
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True, index=True)  # <- finding


class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True, index=True)
```

A revision adds an index to a column that it has made unique before, whatever the model says.

```python bad path=app/models.py case=revision
from sqlmodel import Field, SQLModel


class Tag(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
```

```python bad path=alembic/versions/a1_tags.py case=revision
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_tag_name", "tag", ["name"])  # <- finding
```

## When it does not matter

A wider unique index that begins with another column serves queries by that one. SQLAlchemy makes one index
of `unique=True, index=True`; other methods, operator classes, orders and
conditions serve other queries; and a foreign key may need the wider unique constraint.

```python good path=app/models.py
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, index=True)
```

```prisma good path=prisma/schema.prisma
model Invite {
  id    String @id
  email String
  token String @unique

  @@unique([email, token])
}
```

```sql good path=schema.sql
create table items (
  id bigint primary key, team_id bigint not null, title text not null, unique (team_id, id)
);
create table parts (
  id bigint primary key, team_id bigint, item_id bigint,
  foreign key (team_id, item_id) references items (team_id, id)
);
create index parts_item on parts (team_id, item_id);
create index items_title on items (title);
create index items_title_like on items (title text_pattern_ops);
create index items_title_open on items (title, team_id) where team_id > 0;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Index, Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._repair import dropped
from neondba.review.rules.schema._shared import modelled, own_tables, quoted


@rule("NDB708", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find indexes that another index of the same definition replaces."""
    targets = {(k.table.key, frozenset(k.ref_columns)) for t in schema.definitions for k in t.references}
    told: set[str] = set()
    provided = (t for t in schema.tables if t.provider and t.source in ("prisma", "drizzle"))
    tables = [*own_tables(schema), *provided]
    for table in tables:
        indexes = [i for i in table.all_indexes if _comparable(i)]
        for index in indexes:
            other = next((o for o in indexes if o is not index and _replaces(o, index, indexes)), None)
            wanted = (table.name.key, frozenset(c for c in index.columns if c)) in targets
            if other is None or (index.unique and wanted):
                continue
            copied = other.kind == "primary key" and index.columns == other.columns
            if copied and modelled(table) and index.path in told:
                continue
            if copied:
                told.add(index.path)
            yield _finding(table, index, other)
    yield from _revised(schema)


def _revised(schema: Schema) -> Iterator[Finding]:
    """Find what revisions index twice; the models beside them make no second index of their own."""
    told: set[str] = set()
    for table in schema.definitions:
        if table.source != "alembic" or not table.generated:
            continue
        mirrored = {i.columns for t in schema.same(table) if not t.generated for i in t.indexes}
        constraints = [i for i in table.all_indexes if _comparable(i) and i.kind == "unique"]
        for index in table.indexes:
            other = next((o for o in constraints if o.columns == index.columns), None)
            copies = index.kind == "index" and _comparable(index) and index.columns not in mirrored
            if copies and other is not None and index.path not in told:
                told.add(index.path)
                yield _finding(table, index, other)


def _comparable(index: Index) -> bool:
    return index.plain and not index.partial and index.method == "btree" and None not in index.columns


def _replaces(other: Index, index: Index, indexes: list[Index]) -> bool:
    if index.kind == "primary key":
        return False
    if index.unique:
        wider = set(other.columns) < set(index.columns) and other.unique
        twin = other.columns == index.columns and other.unique
        earlier = other.kind == "primary key" or indexes.index(other) < indexes.index(index)
        return (wider and not _leads_elsewhere(index, indexes)) or (
            twin and earlier and other.name != index.name
        )
    if other.columns == index.columns:
        return other.unique or indexes.index(other) < indexes.index(index)
    return other.columns[: len(index.columns)] == index.columns


def _leads_elsewhere(index: Index, indexes: list[Index]) -> bool:
    """A wider unique index also serves queries by its first column, where no other index begins with it."""
    return not any(o is not index and o.columns[:1] == index.columns[:1] for o in indexes)


def _finding(table: Table, index: Index, other: Index) -> Finding:
    columns, more = ", ".join(map(str, index.columns)), ", ".join(map(str, other.columns))
    what = {"primary key": "the primary key", "unique": "the unique constraint"}.get(other.kind, "the index")
    return Finding(
        index.path,
        index.line,
        f"Every insert into `{table.title}` writes the index on ({columns}) for nothing: {what} on "
        f"({more}) already does its work.",
        (f"Remove the index on ({columns}).",),
        f"drop index concurrently {quoted(index.name)};" if index.name and table.source == "sql" else "",
        change=dropped(table, index) if table.source == "sql" and index.kind == "index" else None,
    )
