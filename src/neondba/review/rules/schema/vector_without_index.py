"""A vector column has no index for its distance.

A search for the nearest rows computes the distance to every row of the table, however many there are. With an
HNSW index it looks at a few hundred; each distance (cosine, L2, inner product) needs an index of its own.

## Instead

```sql bad path=schema.sql
create table chunks (
  id bigint primary key,
  content text,
  embedding vector(1536)  -- <- finding
);
```

```sql good path=schema.sql
create table chunks (id bigint primary key, content text, embedding vector(1536));
create index chunks_embedding on chunks using hnsw (embedding vector_cosine_ops);
```

```python bad path=app/models.py
from pgvector.sqlalchemy import Vector
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Chunk(Base):
    __tablename__ = "chunks"
    id: Mapped[int] = mapped_column(primary_key=True)
    embedding = mapped_column(Vector(1536))  # <- finding
```

## When it does not matter

An index of another file or kind serves as well, on the column or on an expression of it:

```sql good path=migrations/001_chunks.sql case=later
create table chunks (id bigint primary key, embedding vector(1536));
create table images (id bigint primary key, embedding vector(3072));
```

```sql good path=migrations/002_index.sql case=later
create index on chunks using ivfflat (embedding vector_l2_ops) with (lists = 100);
create index on images using hnsw ((embedding::halfvec(3072)) halfvec_cosine_ops);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Schema, Table
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted

VECTORS = ("vector", "halfvec")
METHODS = frozenset({"hnsw", "ivfflat", "diskann", "vchordrq", "rum"})


@rule("NDB719", Category.SCHEMA, Severity.LOW)
def check(schema: Schema, tree: Tree) -> Iterator[Finding]:
    """Find vector columns of tables without a vector index, once a table."""
    tables = [t for t in own_tables(schema) if any(_is_vector(c.type) for c in t.columns.values())]
    by_hand = bool(tables) and _made_in_code(tree)
    for table in tables:
        if by_hand or any(i.method in METHODS for other in schema.same(table) for i in other.indexes):
            continue
        column = next(c for c in table.columns.values() if _is_vector(c.type))
        yield Finding(
            column.path,
            column.line,
            f"Each search by `{column.name}` computes the distance to every row of `{table.title}`: the "
            "column has no vector index.",
            (
                "Add an HNSW index for the distance that the queries use.",
                "Build it with CONCURRENTLY, after the first rows are loaded.",
            ),
            _snippet(table, column.name),
        )


def _is_vector(type_: str | None) -> bool:
    return (type_ or "").partition("(")[0].strip().lower() in VECTORS


def _made_in_code(tree: Tree) -> bool:
    """Tell whether a program makes the index itself, in a text that no schema shows."""
    for path in tree.named(suffix=(".py", ".ts", ".js", ".mjs")):
        text = (tree.text(path) or "").lower()
        if "create index" in text and any(f"using {m}" in text for m in METHODS):
            return True
    return False


def _snippet(table: Table, name: str) -> str:
    if table.source == "drizzle":
        return f'index("{table.name.name}_{name}_idx").using("hnsw", table.{name}.op("vector_cosine_ops"))'
    return f"create index concurrently on {quoted(table.name)} using hnsw ({quoted(name)} vector_cosine_ops);"
