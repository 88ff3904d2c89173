"""Code looks for a row before it adds one, and the database allows two.

Two requests at once both look, both find nothing, and both add: a like counts twice, a user has two carts,
and code that expects one row fails from then on. Only a unique constraint decides which of the two was first.

## Instead
```prisma bad path=prisma/schema.prisma case=link
model User {
  id String @id
}
model Job {
  id String @id
}
model Application { // <- finding
  id     String @id
  userId String
  user   User   @relation(fields: [userId], references: [id])
  jobId  String
  job    Job    @relation(fields: [jobId], references: [id])
}
```
```typescript bad path=src/apply.ts case=link
export async function apply(userId: string, jobId: string) {
  const known = await prisma.application.findFirst({ where: { userId, jobId } });
  if (known) {
    throw new Error("You have applied already");
  }
  return prisma.application.create({ data: { userId, jobId } });
}
```
```prisma good path=prisma/schema.prisma case=link
model Application {
  id     String @id
  userId String
  jobId  String
  @@unique([jobId, userId])
}
```
```typescript good path=src/apply.ts case=link
export async function apply(userId: string, jobId: string) {
  const known = await prisma.application.findFirst({ where: { userId, jobId } });
  if (known) {
    throw new Error("You have applied already");
  }
  return prisma.application.create({ data: { userId, jobId } });
}
```
```python bad path=app/chat.py case=python
from sqlmodel import Field, SQLModel, select

class Conversation(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)

def conversation_of(session, user_id):
    found = session.exec(  # <- finding
        select(Conversation).where(Conversation.user_id == user_id)
    ).first()
    if found is None:
        found = Conversation(user_id=user_id)
        session.add(found)
        session.commit()
    return found
```
What somebody signs in with has to be one account's, whoever looks before adding it:
```python bad path=app/models.py case=account
from sqlmodel import Field, SQLModel

class UserBase(SQLModel):
    email: str  # <- finding

class User(UserBase, table=True):
    id: int | None = Field(default=None, primary_key=True)
    hashed_password: str
```
```python bad path=app/login.py case=account
from sqlmodel import select
from app.models import User

def user_of(session, email):
    return session.exec(select(User).where(User.email == email)).first()
```
## When it does not matter
A unique constraint or the primary key already decides, the insert says what happens in a conflict, or the
read has nothing to do with the new row:
```typescript good path=src/likes.ts case=settled
import { pgTable, text } from "drizzle-orm/pg-core";
import { and, eq } from "drizzle-orm";

export const likes = pgTable("likes", { userId: text("user_id"), postId: text("post_id") });
export const views = pgTable("views", { userId: text("user_id"), postId: text("post_id") });

export async function like(userId: string, postId: string) {
  const [known] = await db.select().from(likes)
    .where(and(eq(likes.userId, userId), eq(likes.postId, postId)));
  if (!known) {
    await db.insert(likes).values({ userId, postId }).onConflictDoNothing();
  }
  const [last] = await db.select().from(views).where(eq(views.userId, userId));
  console.log(last);
  await db.insert(views).values({ userId, postId });
}
```
```python good path=app/users.py case=unique
from sqlmodel import Field, SQLModel, select

class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)

def register(session, email):
    if session.exec(select(User).where(User.email == email)).first():
        raise ValueError("taken")
    known = session.exec(select(User).where(User.email == email)).first()
    if known:
        raise ValueError("taken")
    session.add(User(email=email))
    session.commit()
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls
from neondba.project.python import PythonFiles
from neondba.project.schema import Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._existence import NAMES, Existence, accounts, in_python, in_scripts
from neondba.review.rules.schema._shared import listed, own_tables, quoted


@rule("NDB718", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, python: PythonFiles, calls: OrmCalls) -> Iterator[Finding]:
    """Find rows that are told apart by columns without a unique constraint, once a table."""
    own = {t.name.key for t in own_tables(schema)}
    told: set[str] = set()
    for found in [*in_scripts(calls), *in_python(python, schema)]:
        key = found.table.name.key
        if key in own and key not in told and not _is_unique(schema, found):
            told.add(key)
            yield _finding(found)
    for found in accounts(python, schema):
        if found.table.name.key in own and found.table.name.key not in told:
            told.add(found.table.name.key)
            yield _account(found)


def _is_unique(schema: Schema, found: Existence) -> bool:
    """Tell whether some unique index holds no more than these columns."""
    return any(
        index.unique and set(index.columns) <= found.columns
        for other in schema.same(found.table)
        for index in other.all_indexes
    )


def _finding(found: Existence) -> Finding:
    table, columns = found.table, sorted(found.columns, key=list(found.table.columns).index)
    keys = {c for key in table.references for c in key.columns}
    links = len(keys & found.columns) > 1
    where = f"{found.function}()" if found.function else f"{found.path}:{found.line}"
    named = table.columns[columns[0]] if len(columns) == 1 and columns[0] in NAMES else None
    path, line = _place(table, found) if links else (found.path, found.line)
    written = next((i for i in table.indexes if set(i.columns) == found.columns), None)
    place = named or written
    path, line = (place.path, place.line) if place else (path, line)
    return Finding(
        path,
        line,
        f"Two requests at once both find no `{table.title}` with this {listed(columns)} in "
        f"{where} and both add one: nothing in the database forbids the second.",
        (
            f"Add a unique constraint on {listed(columns)}.",
            "Remove rows that are there twice first.",
            "Insert with ON CONFLICT DO NOTHING, or catch the error and read the row again.",
        ),
        _snippet(table, columns),
        also=((found.path, found.line),) if links or place else ((table.path, table.line),),
    )


def _account(found: Existence) -> Finding:
    (name,) = found.columns
    column = found.table.columns[name]
    return Finding(
        column.path,
        column.line,
        f"Two accounts may have the same `{name}`: nothing in the database forbids it, and who signs in with "
        f"it in {found.path} gets either of the two.",
        (f"Add a unique constraint on {name}.", "Remove accounts that are there twice first."),
        _snippet(found.table, [name]),
        also=((found.path, found.line),),
    )


def _place(table: Table, found: Existence) -> tuple[str, int]:
    """Give the place where the constraint is missing: beside an index of these columns, else the table."""
    index = next((i for i in table.indexes if set(i.columns) <= found.columns), None)
    return (index.path, index.line) if index else (table.path, table.line)


def _snippet(table: Table, columns: list[str]) -> str:
    fields = [table.columns[c].field or c for c in columns]
    if table.source == "prisma":
        return f"@@unique([{', '.join(fields)}])" if len(fields) > 1 else f"{fields[0]} … @unique"
    if table.source == "drizzle":
        return f"unique().on({', '.join(f'table.{f}' for f in fields)}),"
    if table.source in ("sqlmodel", "sqlalchemy"):
        return f"__table_args__ = (UniqueConstraint({', '.join(repr(c) for c in columns)}),)"
    name = quoted("_".join([table.name.name, *columns, "key"]))
    listed_ = ", ".join(quoted(c) for c in columns)
    return f"create unique index concurrently {name} on {quoted(table.name)} ({listed_});"
