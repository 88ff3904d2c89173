"""The time of creation may be missing.

A default fills it in the program, and the column allows NULL: rows that a script, a migration or another
service adds have no time. They fall out of every list that sorts or filters by it, and code that expects a
value fails on them.

## Instead

```python bad path=app/models.py
from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime | None = Field(  # <- finding
        default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True)
    )
```

```python good path=app/models.py
from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(
        default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True)
    )
```

```prisma bad path=prisma/schema.prisma
model Task {
  id        String    @id
  createdAt DateTime? @default(now()) // <- finding
}
```

## When it does not matter

Other times may be missing, and so may a column that never had a default:

```python good path=app/models.py
from datetime import datetime

from sqlalchemy import DateTime, func
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime | None = Field(
        default=None,
        nullable=False,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now()},
    )
    done_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Column, Schema, Table
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted, words

NAMES = (
    ["created", "at"],
    ["created"],
    ["created", "on"],
    ["inserted", "at"],
    ["creation", "date"],
    ["date", "created"],
)


@rule("NDB721", Category.SCHEMA, Severity.LOW)
def check(schema: Schema, tree: Tree) -> Iterator[Finding]:
    """Find columns for the time of creation that are declared optional and have a default."""
    told: set[tuple[str, int]] = set()
    for table in own_tables(schema):
        if table.source not in ("sqlmodel", "prisma"):
            continue  # Elsewhere a column is optional unless it says otherwise, mostly without a thought.
        for column in table.columns.values():
            if _is_missing(tree, column) and (column.path, column.line) not in told:
                told.add((column.path, column.line))
                yield Finding(
                    column.path,
                    column.line,
                    f"A row of `{table.title}` may have no `{column.name}`: the model fills it, the column "
                    "allows NULL, and lists that sort by it lose the rows that others add.",
                    (
                        "Fill the rows that have none.",
                        "Declare the column as required, with a default in the database.",
                    ),
                    _snippet(table, column),
                )


def _is_missing(tree: Tree, column: Column) -> bool:
    """Tell whether a column is filled and yet said to be optional, not only left so."""
    if not column.nullable or column.default in (None, "None") or words(column.name) not in NAMES:
        return False
    said = (tree.text(column.path) or "").split("\n")[column.line - 1]
    return "None" in said or "Optional[" in said or "?" in said


def _snippet(table: Table, column: Column) -> str:
    if table.source == "prisma":
        return f"{column.field or column.name} DateTime @default(now())"
    name, of = quoted(column.name), quoted(table.name)
    return (
        f"update {of} set {name} = now() where {name} is null;\n"
        f"alter table {of} alter column {name} set not null;"
    )
