"""Two classes define one table.

`extend_existing` tells SQLAlchemy to merge a second definition of a table into the first instead of
refusing it. Which columns, constraints and defaults are in force then depends on the order of imports, and
a change of one class silently leaves the other behind.

## Instead

```python bad path=app/models/user.py case=two
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    __table_args__ = {"extend_existing": True}
    id: int | None = Field(default=None, primary_key=True)
```

```python bad path=app/old/user.py case=two
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):  # <- finding
    __table_args__ = {"extend_existing": True}
    id: int | None = Field(default=None, primary_key=True)
    email: str
```

```python good path=app/models/user.py
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str
```

## When it does not matter

Two services have databases of their own:

```toml good path=services/a/pyproject.toml case=services
```

```python good path=services/a/models.py case=services
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    __table_args__ = {"extend_existing": True}
    id: int | None = Field(default=None, primary_key=True)
```

```toml good path=services/b/pyproject.toml case=services
```

```python good path=services/b/models.py case=services
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Schema
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import EXAMPLES, modelled


@rule("NDB715", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema) -> Iterator[Finding]:
    """Find tables that several model classes define with `extend_existing`."""
    for tables in schema.by_key.values():
        models = sorted(
            (t for t in tables if modelled(t) and t.label and not EXAMPLES.search(t.path)),
            key=lambda t: (t.path, t.line),
        )
        for table in models[1:]:
            if table.shares_database(models[0]) and (table.extends or models[0].extends):
                yield Finding(
                    table.path,
                    table.line,
                    f"`{table.name}` is also defined in {models[0].path}: the order of imports decides which "
                    "columns and defaults hold.",
                    ("Keep one class and import it everywhere.", "Remove extend_existing."),
                    f"from {models[0].path.removesuffix('.py').replace('/', '.')} import {models[0].label}",
                )
