"""A name in the database holds the text of a template.

The `f` before the string is missing, so the index or constraint is really called `idx_{table}_email`. Two
tables with the same mistake collide, and the next migration looks for a name that is not there.

## Instead

```python bad path=app/models.py
from sqlalchemy import Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column()


name = Item.__tablename__
by_email = Index("idx_{name}_email", Item.email)  # <- finding
```

```python good path=app/models.py
from sqlalchemy import Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column()


name = Item.__tablename__
by_email = Index(f"idx_{name}_email", Item.email)
```

## When it does not matter

SQL templates are filled in before they run:

```sql good path=templates/tenant.sql
create table items (id bigint primary key, email text);
create index "idx_{{ tenant }}_email" on items (email);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.schema import Schema
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import modelled

FIELD = re.compile(r"(?<!\{)\{[A-Za-z_][\w.]*\}(?!\})")


@rule("NDB717", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find index and constraint names of models that were never formatted."""
    for table in schema.tables:
        for index in table.indexes if modelled(table) else ():
            if index.name and FIELD.search(index.name):
                yield Finding(
                    index.path,
                    index.line,
                    f"The index is really called `{index.name}`: the f before the string is missing.",
                    ("Put an f before the string.", "Rename the index in databases that have it."),
                    f'f"{index.name}"',
                )
