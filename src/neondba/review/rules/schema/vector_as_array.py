"""An embedding is stored as an array of numbers.

PostgreSQL cannot compare arrays by distance or index them for it: each search reads every row, sends it to
the application and computes there. With pgvector, which Neon has, the database answers the nearest ones
from an index.

## Instead

```prisma bad path=prisma/schema.prisma
model Chunk {
  id        String  @id
  content   String
  embedding Float[] // <- finding
}
```

```sql good path=schema.sql
create extension if not exists vector;
create table chunks (id bigint primary key, content text, embedding vector(1536));
create index on chunks using hnsw (embedding vector_cosine_ops);
```

## When it does not matter

Arrays that are no embeddings:

```sql good path=schema.sql
create table readings (id bigint primary key, samples double precision[]);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Schema
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted

NUMBERS = ("double precision[]", "real[]", "numeric[]")


@rule("NDB712", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find embeddings in arrays."""
    for table in own_tables(schema):
        for column in table.columns.values():
            if "embedding" in column.name.lower() and column.type in NUMBERS:
                yield Finding(
                    column.path,
                    column.line,
                    f"A search by `{column.name}` reads every row of `{table.title}`: arrays have no "
                    "distance and no index for it.",
                    (
                        "Enable pgvector and store the embedding as vector.",
                        "Add an HNSW index for the distance you use.",
                    ),
                    "create extension if not exists vector;\n"
                    f"alter table {quoted(table.name)} alter column {quoted(column.name)} type vector(1536);",
                )
