"""A request is answered with SQL text although the table has a model.

What the model knows (types, defaults, names after a migration, the owner's filter in one place) is not
applied to the text. It breaks when a column is renamed, and no tool sees it.

## Instead

```python bad path=app/main.py
from fastapi import APIRouter
from sqlalchemy import text
from sqlmodel import Field, SQLModel

router = APIRouter()

class Order(SQLModel, table=True):
    __tablename__ = "orders"
    id: int | None = Field(default=None, primary_key=True)
    state: str

@router.get("/orders")
def orders(session, state: str):
    return session.execute(text("SELECT id FROM orders WHERE state = :s"), {"s": state}).all()  # <- finding
```

```python good path=app/main.py
from fastapi import APIRouter
from sqlmodel import Field, SQLModel, select

router = APIRouter()

class Order(SQLModel, table=True):
    __tablename__ = "orders"
    id: int | None = Field(default=None, primary_key=True)
    state: str

@router.get("/orders")
def orders(session, state: str):
    return session.exec(select(Order.id).where(Order.state == state)).all()
```

## When it does not matter

Probes, the catalog, what the ORM cannot say (vectors, full-text search, queues), migrations and scripts:

```python good path=app/main.py
from fastapi import APIRouter
from sqlalchemy import text
from sqlmodel import Field, SQLModel

router = APIRouter()

class Order(SQLModel, table=True):
    __tablename__ = "orders"
    id: int | None = Field(default=None, primary_key=True)

@router.get("/health")
def health(session):
    session.execute(text("SELECT 1"))

@router.get("/tables")
def tables(session):
    return session.execute(text("SELECT table_name FROM information_schema.tables")).all()

@router.get("/near")
def near(session, vector: str):
    return session.execute(text("SELECT id FROM orders ORDER BY embedding <=> :v"), {"v": vector}).all()

@router.post("/next")
def take(session):
    return session.execute(text("SELECT id FROM orders LIMIT 1 FOR UPDATE SKIP LOCKED")).first()
```
```python good path=scripts/count.py
from sqlalchemy import text

def count(session):
    return session.execute(text("SELECT count(*) FROM orders")).scalar()
```
```python good path=backend/fix_status_case.py
from sqlalchemy import text

from app.db import open_session


def fix_status_case():
    with open_session() as session:
        session.execute(text("UPDATE orders SET status = lower(status)"))
        session.commit()


if __name__ == "__main__":
    fix_status_case()
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.owners import Model, Owners
from neondba.project.routes import Routes
from neondba.project.sql_text import SqlText, SqlTexts
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

PLAIN = re.compile(
    r'\s*(?:select\b.*?\bfrom|insert\s+into|update|delete\s+from)\s+(?:public\.|")*(?P<table>\w+)',
    re.IGNORECASE | re.DOTALL,
)
BEYOND = re.compile(
    r"<=>|<->|<#>|@@|tsvector|tsquery|similarity|skip\s+locked|\bover\s*\(|recursive|lateral|generate_series|pg_|"
    r"information_schema|set_config|tablesample|jsonb?_|percentile|date_trunc|for\s+update|copy\b|explain|->|"
    r"setval|nextval|filter\s*\(|\bst_\w+\(|rollup|unnest|on\s+conflict",
    re.IGNORECASE,
)
"""What an ORM cannot say, or not better."""


@rule("NDB302", Category.ORM_BYPASS, Severity.MEDIUM)
def check(texts: SqlTexts, owners: Owners, routes: Routes) -> Iterator[Finding]:
    """Look for plain statements as text on tables that have a model."""
    if not owners.models or not routes.routes:
        return
    tables = {_table(model): model for model in owners.models.values()}
    told: set[int] = set()
    for text in texts.texts:
        if text.is_by_hand or text.function is None or any(f.line for f in text.flows):
            continue
        if id(text.function) in told or BEYOND.search(text.text):
            continue
        match = PLAIN.match(text.text)
        model = tables.get(match["table"].lower()) if match else None
        if model is not None:
            told.add(id(text.function))
            yield _finding(text, model)


def _table(model: Model) -> str:
    given = model.table.value if isinstance(model.table, ast.Constant) else model.name
    return str(given).lower()


def _finding(text: SqlText, model: Model) -> Finding:
    where = text.function.name if text.function else text.file.path
    return Finding(
        text.file.path,
        text.line,
        f"{where}() speaks to the table of {model.name} in SQL text, past the model: a rename or a new "
        f"filter on {model.name} will not reach it.",
        steps=(f"Write the statement with select({model.name}), update({model.name}) or the session.",),
        snippet=f"select({model.name}).where(...)",
    )
