"""A foreign key has no index.

PostgreSQL indexes the referenced column, never the referencing one. Deleting a parent, or changing its
key, then reads the whole child table for every single row; so does every query for the children of one
parent, which is the most frequent query there is.

## Instead

```sql bad path=schema.sql
create table items (
  id bigint primary key,
  owner_id bigint not null references users (id)  -- <- finding
);
```

```sql good path=schema.sql
create table items (
  id bigint primary key,
  owner_id bigint not null references users (id)
);
create index items_owner_id on items (owner_id);
```

```python bad path=app/models.py
from sqlmodel import Field, SQLModel


class Item(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="user.id")  # <- finding
```

```python good path=app/models.py
from sqlmodel import Field, SQLModel


class Item(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="user.id", index=True)
```

```prisma bad path=prisma/schema.prisma
model User {
  id    String @id
  posts Post[]
}
model Post {
  id       String @id
  authorId String
  title    String
  summary  String
  body     String
  author   User   @relation(fields: [authorId], references: [id]) // <- finding
}
```

`--fix` writes the index into the model and into a new migration:

```python bad path=app/models.py case=alembic
from sqlmodel import Field, SQLModel


class Item(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="user.id")  # <- finding
```

```python bad path=alembic/versions/0001_items.py case=alembic
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("item", sa.Column("id", sa.Integer()), sa.Column("owner_id", sa.Integer()))


def downgrade():
    op.drop_table("item")
```

```mako bad path=alembic/script.py.mako case=alembic
# ${message}
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
```

```python fixed path=app/models.py case=alembic
from sqlmodel import Field, SQLModel


class Item(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="user.id", index=True)
```

```python fixed path=alembic/versions/0002_index_item_owner_id.py case=alembic
# Index item owner_id
from alembic import op
import sqlalchemy as sa

revision = '0002'
down_revision = '0001'


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_item_owner_id", "item", ["owner_id"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index("ix_item_owner_id", table_name="item", postgresql_concurrently=True)
```

```prisma bad path=prisma/schema.prisma case=prisma
model User {
  id    String @id
  posts Post[]
}
model Post {
  id       String @id
  authorId String
  title    String
  summary  String
  body     String
  author   User   @relation(fields: [authorId], references: [id]) // <- finding
}
```

```sql bad path=prisma/migrations/20250101000000_init/migration.sql case=prisma
CREATE TABLE "User" ("id" TEXT NOT NULL PRIMARY KEY);
CREATE TABLE "Post" ("id" TEXT NOT NULL PRIMARY KEY, "authorId" TEXT NOT NULL);
```

```prisma fixed path=prisma/schema.prisma case=prisma
model User {
  id    String @id
  posts Post[]
}
model Post {
  id       String @id
  authorId String
  title    String
  summary  String
  body     String
  author   User   @relation(fields: [authorId], references: [id])

  @@index([authorId])
}
```

```sql fixed path=prisma/migrations/20260102030405_index_post_authorid/migration.sql case=prisma
-- CreateIndex
create index concurrently "Post_authorId_idx" on "Post" ("authorId");
```

```typescript bad path=src/schema.ts case=drizzle
import { integer, pgTable } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: integer("id").primaryKey() });
export const items = pgTable("items", {
  id: integer("id").primaryKey(),
  ownerId: integer("owner_id").references(() => users.id), // <- finding
});
export const votes = pgTable("votes", {
  id: integer("id").primaryKey(),
  itemId: integer("item_id").references(() => items.id), // <- finding
  userId: integer("user_id").references(() => users.id),
}, (t) => [
  index("votes_user").on(t.userId),
]);
```

```typescript fixed path=src/schema.ts case=drizzle
import { index, integer, pgTable } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: integer("id").primaryKey() });
export const items = pgTable("items", {
  id: integer("id").primaryKey(),
  ownerId: integer("owner_id").references(() => users.id),
}, (table) => [index("items_owner_id_idx").on(table.ownerId)]);
export const votes = pgTable("votes", {
  id: integer("id").primaryKey(),
  itemId: integer("item_id").references(() => items.id),
  userId: integer("user_id").references(() => users.id),
}, (t) => [
  index("votes_user").on(t.userId),
  index("votes_item_id_idx").on(t.itemId),
]);
```

```sql bad path=migrations/V1__items.sql case=numbered
create table items (
  id bigint primary key,
  owner_id bigint not null references users (id)  -- <- finding
);
```

```sql fixed path=migrations/V2__index_items_owner_id.sql case=numbered
create index concurrently items_owner_id_idx on items (owner_id);
```

## When it does not matter

A unique constraint, a primary key or a longer index that leads with the column serves as well, wherever
it is made; and tables of an authentication provider are its own affair.

```sql good path=migrations/001_members.sql case=covered
create table members (
  team_id bigint references teams (id),
  user_id bigint unique references users (id),
  place_id bigint references places (id),
  primary key (team_id, user_id)
);
```

```sql good path=migrations/002_place.sql case=covered
create index concurrently members_place on members (place_id, user_id);
```

```python good path=app/models.py
from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Vote(Base):
    __tablename__ = "votes"
    __table_args__ = (Index("votes_post_user", "post_id", "user_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.project.schema import ForeignKey, Schema, Table
from neondba.project.schema_provider import AUTH_JS
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._repair import indexed
from neondba.review.rules.schema._shared import EXAMPLES, modelled, quoted


@rule("NDB701", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Find foreign keys that no index serves."""
    for table in schema.tables:
        if table.provider not in (None, AUTH_JS) or EXAMPLES.search(table.path):
            continue
        for key in table.references:
            if not schema.covered(table, key.columns):
                column = table.columns.get(key.columns[0]) if len(key.columns) == 1 else None
                place = key if table.source == "prisma" else column or key
                names = ", ".join(key.columns)
                edits, change = indexed(schema, python, tree, table, key)
                yield Finding(
                    place.path,
                    place.line,
                    f"Deleting one row of `{key.table}` reads all of `{table.name}`, and so does every query "
                    f"by `{names}`: the foreign key has no index.",
                    (f"Add an index on {names}.", "In production build it with CONCURRENTLY."),
                    _snippet(table, key),
                    edits=edits,
                    change=change,
                )


def _snippet(table: Table, key: ForeignKey) -> str:
    if table.source == "prisma":
        return f"@@index([{', '.join(key.columns)}])"
    if table.source == "sqlmodel" and len(key.columns) == 1:
        target = f"{key.table}.{(key.ref_columns or ('id',))[0]}"
        return f'{key.columns[0]}: … = Field(…, foreign_key="{target}", index=True)'
    if modelled(table) and len(key.columns) == 1:
        return f"{key.columns[0]} = mapped_column(…, index=True)"
    name = quoted("_".join([table.name.name, *key.columns, "idx"]))
    if table.source == "drizzle":
        return f"index({name!r}).on(…),  // {', '.join(key.columns)}, in the third argument of pgTable"
    columns = ", ".join(quoted(c) for c in key.columns)
    return f"create index concurrently {name} on {quoted(table.name)} ({columns});"
