"""The model names an enum type that the database does not have.

SQLAlchemy calls the type of `Enum(BusinessType)` `businesstype`, the migration made `business_type`. asyncpg
and psycopg 3 write the type's name into each statement, so that each query on the column fails; with psycopg2
the difference is only found by the next migration, which wants to make the type again.

## Instead

```python bad path=app/models.py case=names
from enum import StrEnum

from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class BusinessType(StrEnum):
    SHOP = "shop"


class Base(DeclarativeBase):
    pass


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    business: Mapped[BusinessType] = mapped_column(Enum(BusinessType))  # <- finding
```

```python bad path=alembic/versions/1_tenants.py case=names
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("business", sa.Enum("shop", name="business_type")),
    )


def downgrade():
    op.drop_table("tenants")
    sa.Enum(name="business_type").drop(op.get_bind())
```

```python good path=app/models.py case=names
from enum import StrEnum

from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class BusinessType(StrEnum):
    SHOP = "shop"


class Base(DeclarativeBase):
    pass


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    business: Mapped[BusinessType] = mapped_column(Enum(BusinessType, name="business_type"))
```

```python good path=alembic/versions/1_tenants.py case=names
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("business", sa.Enum("shop", name="business_type")),
    )


def downgrade():
    op.drop_table("tenants")
    sa.Enum(name="business_type").drop(op.get_bind())
```

## When it does not matter

Where the type is a text with a check (`native_enum=False`), or a later statement makes or renames it, nothing
is missing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import PythonFile, PythonFiles
from neondba.project.schema import Column, Schema, Table
from neondba.project.sqlalchemy_types import keywords, last_name, text_of
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import modelled, own_tables

NEAR = 8
"""Lines that one column's definition takes at most."""


@rule("NDB727", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, python: PythonFiles) -> Iterator[Finding]:
    """Find enum columns whose type has one name in the model and another in the migrations."""
    for table in own_tables(schema):
        for column in table.columns.values() if modelled(table) else ():
            real = next((r for r in _migrated(schema, table) if r.name == column.name), None)
            if column.type != "enum" or real is None or real.type != "enum":
                continue
            wanted, made = _type_name(python, column), _type_name(python, real)
            if wanted and made and wanted != made and not _made_elsewhere(python, wanted):
                yield Finding(
                    column.path,
                    column.line,
                    f"The model calls the type of `{table.name}.{column.name}` `{wanted}`, "
                    f"{real.path}:{real.line} makes `{made}`: with asyncpg or psycopg 3 each query "
                    "on the column fails.",
                    (f'Name the type in the model: name="{made}".',),
                    f'Enum(…, name="{made}")',
                )


def _migrated(schema: Schema, table: Table) -> Iterator[Column]:
    for other in schema.same(table):
        if other.source == "alembic" and other.shares_database(table):
            yield from other.columns.values()


def _type_name(python: PythonFiles, column: Column) -> str | None:
    """Give the name of the enum type in a column's definition."""
    file = python.get(column.path)
    calls = [c.node for c in file.calls] if file else []
    inside = [c for c in calls if column.line <= c.lineno <= column.line + NEAR and _is_enum(file, c)]
    call = min(inside, key=lambda c: c.lineno, default=None)
    if file is None or call is None:
        return None
    if name := text_of(keywords(call).get("name")):
        return name
    first = call.args[0] if call.args else None
    return first.id.lower() if isinstance(first, ast.Name) else None


def _is_enum(file: PythonFile | None, call: ast.Call) -> bool:
    resolved = (file.resolve(call.func) if file else None) or ""
    return last_name(call) in ("Enum", "ENUM", "SAEnum", "SqlEnum", "SQLEnum", "PgEnum") or (
        resolved.startswith("sqlalchemy") and resolved.lower().endswith(".enum")
    )


def _made_elsewhere(python: PythonFiles, name: str) -> bool:
    """Tell whether some revision makes the type, or renames another one to it."""
    known = re.escape(name)
    said = re.compile(rf"(?:create\s+type|rename\s+to)\s+\"?{known}\b|name=[\"']{known}[\"']", re.IGNORECASE)
    return any(said.search(file.text) for file in python.containing("revision"))
