"""A unique index on text of any length refuses long texts.

An entry of a btree index may take a third of a page, about 2.7 kB. A longer text cannot be inserted at all:
the application works in every test and fails for the first user who writes much.

## Instead

```prisma bad path=prisma/schema.prisma
model Post {
  id      String @id
  content String

  @@unique([content]) // <- finding
}
```

```sql good path=schema.sql
create table posts (
  id bigint primary key,
  content text not null,
  content_digest text generated always as (md5(content)) stored unique
);
```

## When it does not matter

The length is limited, or the text is short by nature:

```sql good path=schema.sql
create table posts (
  id bigint primary key,
  slug text unique,
  body varchar(500) unique,
  description text unique check (length(description) <= 1000)
);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.sql_types import is_unbounded_text
from neondba.project.schema import Schema
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted, words

LONG = frozenset(
    {
        *(
            "content",
            "body",
            "description",
            "message",
            "bio",
            "notes",
            "markdown",
            "html",
            "comment",
            "prompt",
        ),
        *("answer", "transcript", "summary", "payload", "query"),
    }
)
SHORT = frozenset({"hash", "digest", "id", "key", "slug", "code", "type", "checksum", "sha256", "md5"})


@rule("NDB711", Category.SCHEMA, Severity.HIGH)
def check(schema: Schema) -> Iterator[Finding]:
    """Find unique indexes on long texts."""
    for table in own_tables(schema):
        for index in table.all_indexes:
            for name in index.columns if index.unique and index.method == "btree" else ():
                column = table.columns.get(name or "")
                parts = set(words(name or ""))
                if (
                    column is None
                    or not is_unbounded_text(column.type or "")
                    or not parts & LONG
                    or parts & SHORT
                ):
                    continue
                if schema.checks_of(table, column.name):
                    continue
                yield Finding(
                    index.path,
                    index.line,
                    f"A `{column.name}` of more than about 2.7 kB cannot be inserted into `{table.title}`: "
                    "it does not fit into the unique index.",
                    ("Make a digest of the text unique instead, or limit its length.",),
                    f"create unique index concurrently on {quoted(table.name)} (md5({quoted(column.name)}));",
                )
