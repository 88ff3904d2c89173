"""A key or index of a Drizzle table is wrapped in an object, and never made.

The third argument of `pgTable` may give a list of keys and indexes. An object inside that list is none of
them: Drizzle passes over it without a word, and the table is made without its key. The same row can then be
added twice, and an upsert on the key fails.

## Instead
```ts bad path=src/db/schema.ts
import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";

export const accounts = pgTable(
  "accounts",
  {
    provider: text("provider").notNull(),
    providerAccountId: text("provider_account_id").notNull(),
  },
  (account) => [
    {
      compoundKey: primaryKey({ columns: [account.provider, account.providerAccountId] }), // <- finding
    },
  ],
);
```
```ts good path=src/db/schema.ts
import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";

export const accounts = pgTable(
  "accounts",
  {
    provider: text("provider").notNull(),
    providerAccountId: text("provider_account_id").notNull(),
  },
  (account) => [primaryKey({ columns: [account.provider, account.providerAccountId] })],
);
```
## When it does not matter
The older form gives one object and no list; Drizzle reads it:
```ts good path=src/db/schema.ts case=object
import { index, pgTable, text } from "drizzle-orm/pg-core";

export const notes = pgTable(
  "notes",
  { id: text("id").primaryKey(), userId: text("user_id").notNull() },
  (note) => ({ byUser: index("notes_user_id_idx").on(note.userId) }),
);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Array, Block, Call, Function, Node, Object, Return, Text
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

MADE = {"primaryKey": "primary key", "unique": "unique constraint", "uniqueIndex": "unique index",
        "index": "index", "foreignKey": "foreign key", "check": "check"}  # fmt: skip


@rule("NDB728", Category.SCHEMA, Severity.HIGH)
def check(files: TypeScriptFiles) -> Iterator[Finding]:
    """Find objects in the list that the third argument of a table gives."""
    for file in files.containing("pgTable", "drizzle-orm/pg-core"):
        for call in () if is_test(file.path) else file.calls:
            if len(call.arguments) != 3 or not isinstance(call.arguments[1], Object):
                continue
            table, listed = call.arguments[0], _listed(call.arguments[2])
            for item in listed.items if listed is not None and isinstance(table, Text) else ():
                if isinstance(item, Object) and isinstance(table, Text) and (lost := _lost(item)):
                    yield _finding(file.path, lost[0], table.value, lost[1])
                    break


def _listed(node: Node) -> Array | None:
    """Give the list that a callback returns."""
    body = node.body if isinstance(node, Function) else None
    if isinstance(body, Block):
        body = next((s.value for s in body.body if isinstance(s, Return)), None)
    return body if isinstance(body, Array) else None


def _lost(item: Object) -> tuple[int, str] | None:
    """Give the line and kind of the first key or index that an object holds."""
    for part in item.properties:
        value = part.value
        while isinstance(value, Call):
            name = value.name.partition(".")[0]
            if name in MADE:
                return part.line, MADE[name]
            break
    return None


def _finding(path: str, line: int, table: str, kind: str) -> Finding:
    return Finding(
        path,
        line,
        f"Drizzle never makes this {kind} of {table}: it is wrapped in an object, which is passed over.",
        steps=(
            "Put it into the list itself, without the object around it.",
            "Generate a migration, and look for rows that the missing constraint has let in.",
        ),
        snippet="(table) => [primaryKey({ columns: [table.a, table.b] })]",
    )
