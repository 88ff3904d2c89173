"""An amount of money is stored as a binary fraction.

`real` and `double precision` cannot hold 0.10. Sums drift by cents, two amounts that should be equal are
not, and which cents are missing depends on the order of the rows. `numeric` is exact; so is an integer
of the smallest unit.

## Instead

```sql bad path=schema.sql
create table orders (
  id bigint primary key,
  total_price double precision not null  -- <- finding
);
```

```sql good path=schema.sql
create table orders (
  id bigint primary key,
  total_price numeric(12, 2) not null,
  shipping_cents bigint not null
);
```

```python bad path=app/models.py
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[float] = mapped_column()  # <- finding
```

## When it does not matter

Scores, rates, shares and measured values are no money, and neither is a request body:

```sql good path=schema.sql
create table metrics (
  id bigint primary key,
  score double precision,
  discount_percent real,
  cost_ratio real,
  price_score real
);
create table candles (at timestamptz primary key, open real, close real, price real, volume real);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Column, Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import first, listed, own_tables, quoted, words

MONEY = frozenset(
    {
        *(
            "price",
            "prices",
            "amount",
            "cost",
            "balance",
            "fee",
            "fees",
            "salary",
            "revenue",
            "payment",
            "budget",
        ),
        *("tax", "subtotal", "wage", "rent", "payout", "refund", "deposit", "invoice"),
    }
)
NO_MONEY = frozenset(
    {
        *(
            "rate",
            "score",
            "ratio",
            "percent",
            "percentage",
            "pct",
            "factor",
            "weight",
            "probability",
            "share",
        ),
        *(
            "multiplier",
            "change",
            "index",
            "scale",
            "estimate",
            "prediction",
            "predicted",
            "avg",
            "mean",
            "std",
        ),
        *("norm", "function", "volatility", "seconds", "ms", "hours"),
    }
)
FLOATS = ("real", "double precision")


@rule("NDB704", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema) -> Iterator[Finding]:
    """Find floating point columns that hold money, once a table."""
    for table in own_tables(schema):
        if {"close", "volume"} <= set(table.columns):
            continue
        money = [c for c in table.columns.values() if c.type in FLOATS and _is_money(c.name)]
        if money:
            place = first(money)
            yield Finding(
                place.path,
                place.line,
                f"No amount of 0.10 fits into {listed(c.name for c in money)} of `{table.title}` exactly: "
                "sums drift, and equal amounts differ.",
                ("Store the amount as numeric, or as an integer of the smallest unit.",
                 "Use Decimal in the code, never float."),
                _snippet(table, place),
            )  # fmt: skip


def _is_money(name: str) -> bool:
    parts = set(words(name))
    return bool(parts & MONEY) and not parts & NO_MONEY


def _snippet(table: Table, column: Column) -> str:
    if table.source == "prisma":
        return f"{column.name} Decimal @db.Decimal(12, 2)"
    if table.source == "sqlmodel":
        return f"{column.name}: Decimal = Field(max_digits=12, decimal_places=2)"
    if table.source == "sqlalchemy":
        return f"{column.name}: Mapped[Decimal] = mapped_column(Numeric(12, 2))"
    return (
        f"alter table {quoted(table.name)} alter column {quoted(column.name)} type numeric(12, 2) "
        f"using round({quoted(column.name)}::numeric, 2);"
    )
