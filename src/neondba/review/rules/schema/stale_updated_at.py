"""The column for the last change never changes.

A default fills `updated_at` when the row is made. Nothing renews it: no trigger, no `onupdate`, no line of
code. Caches, synchronisation and “recently changed” lists that trust it never see a change.

## Instead

```sql bad path=schema.sql
create table tasks (
  id bigint primary key,
  title text,
  updated_at timestamptz not null default now()  -- <- finding
);
```

```sql good path=schema.sql
create table tasks (
  id bigint primary key,
  title text,
  updated_at timestamptz not null default now()
);
create function touch() returns trigger language plpgsql as $$
begin
  new.updated_at = now();
  return new;
end $$;
create trigger tasks_touch before update on tasks for each row execute function touch();
```

```python bad path=app/models.py case=factory
from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    updated_at: datetime = Field(  # <- finding
        default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True)
    )
```

```python fixed path=app/models.py case=factory
from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    updated_at: datetime = Field(
        default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True),
        sa_column_kwargs={"onupdate": lambda: datetime.now(UTC)},
    )
```

```prisma bad path=prisma/schema.prisma case=prisma
model Task {
  id        String   @id
  updatedAt DateTime @default(now()) // <- finding
}
```

```prisma fixed path=prisma/schema.prisma case=prisma
model Task {
  id        String   @id
  updatedAt DateTime @default(now()) @updatedAt
}
```

## When it does not matter

The model renews it, or the code does:

```python good path=app/models.py
from datetime import datetime

from sqlalchemy import DateTime, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )
```

```python good path=app/models.py case=code
from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
```

```python good path=app/routes.py case=code
def rename(task, title, now):
    task.title = title
    task.updated_at = now
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.project.schema import Column, Schema, Table
from neondba.project.tree import Tree
from neondba.review.editing import rows, with_keywords
from neondba.review.finding import Category, Edit, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._repair import attribute
from neondba.review.rules.schema._shared import modelled, own_tables, quoted, spellings

NAMES = frozenset({"updated_at", "updatedat", "modified_at", "last_modified", "last_updated", "updated_on"})
CODE = (".py", ".ts", ".tsx", ".js", ".mjs", ".go", ".rs", ".rb", ".java", ".kt", ".sql", ".php", ".cs")


@rule("NDB709", Category.SCHEMA, Severity.LOW)
def check(schema: Schema, tree: Tree, python: PythonFiles) -> Iterator[Finding]:
    """Find columns of the last change that nothing renews."""
    stale = []
    triggered = {t.table.key for t in schema.triggers if t.on_update}
    for table in own_tables(schema):
        for column in table.columns.values():
            known = column.name.lower() in NAMES and column.default not in (None, "None")
            elsewhere = any(
                o.columns[column.name].on_update for o in schema.same(table) if column.name in o.columns
            )
            if known and not elsewhere and table.name.key not in triggered:
                stale.append((table, column))
    written = {name: _is_written(tree, name) for name in {c.name for _, c in stale}}
    for table, column in stale:
        if not written[column.name]:
            yield Finding(
                column.path,
                column.line,
                f"`{column.name}` of `{table.title}` keeps the time of creation: nothing renews it.",
                ("Renew it in the model with onupdate, or in the database with a trigger.",),
                _snippet(table, column.name),
                edits=_edits(tree, python, table, column),
            )


def _edits(tree: Tree, python: PythonFiles, table: Table, column: Column) -> tuple[Edit, ...]:
    """Renew the column as it is filled: with the same function, in the application.

    An expression of the database would expire the attribute at every flush, and an asynchronous session
    cannot read it again by itself.
    """
    if table.source == "prisma":
        old = rows(tree.text(column.path) or "")[column.line - 1]
        plain = re.fullmatch(r"(\s*\w+\s+DateTime\s[^/]*?)(\s*//.*)?", old)
        return (
            (Edit(column.path, column.line, old, f"{plain[1]} @updatedAt{plain[2] or ''}"),) if plain else ()
        )
    found = attribute(python, table, column.path, column.line) if modelled(table) else None
    if found is None:
        return ()
    text, call = found
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    filled = given.get("default_factory") if table.source == "sqlmodel" else given.get("default")
    if not isinstance(filled, (ast.Lambda, ast.Name, ast.Attribute)) or "sa_column" in given:
        return ()
    renewed = ast.unparse(filled)
    if table.source == "sqlmodel":
        return with_keywords(column.path, text, call, sa_column_kwargs=f'{{"onupdate": {renewed}}}')
    return with_keywords(column.path, text, call, onupdate=renewed)


def _is_written(tree: Tree, name: str) -> bool:
    """Tell whether any code sets the column; a definition with a type or default is none."""
    names = spellings(name)
    snake = "(?:" + "|".join(map(re.escape, sorted(names))) + ")"
    pattern = re.compile(
        rf"\.{snake}\s*=[^=]|[\"']{snake}[\"']\s*[:\]]"
        rf"|\b{snake}\s*:\s*(?:new Date|Date\.|sql\b|now\b|dayjs|datetime\.)"
        rf"|[({{,]\s*{snake}\s*=|\bset\b[^;]{{0,300}}\b\"?{snake}\"?\s*=|\b{snake}\s*=\s*(?:now|current_timestamp|datetime)",
        re.IGNORECASE,
    )
    texts = (tree.text(path) or "" for path in tree.named(suffix=CODE))
    return any(pattern.search(text) for text in texts if any(n in text for n in names))


def _snippet(table: Table, name: str) -> str:
    if table.source == "prisma":
        return f"{name} DateTime @updatedAt"
    if table.source == "sqlmodel":
        return f'{name}: datetime = Field(…, sa_column_kwargs={{"onupdate": func.now()}})'
    if modelled(table):
        return f"{name}: Mapped[datetime] = mapped_column(…, onupdate=func.now())"
    return (
        f"create trigger {quoted(table.name.name + '_touch')} before update on {quoted(table.name)}\n"
        "  for each row execute function touch();"
    )
