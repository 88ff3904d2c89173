"""The columns that rows are copied through, and how foreign keys tie them."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.masking import text

TEXTS: Final = frozenset({"text", "varchar", "bpchar", "citext", "name", "char"})
DOCUMENTS: Final = frozenset({"json", "jsonb"})
WHOLE: Final = {"int2": 32767, "int4": 2147483647, "int8": 999999999999999999}
"""Whole numbers and the largest that is written."""
FRACTIONS: Final = frozenset({"numeric", "float4", "float8", "money"})
PLAIN: Final = frozenset(
    {"bool", "date", "timestamp", "timestamptz", "time", "timetz", "interval", "oid", "uuid", "pg_lsn", "bit",
     "varbit", "tsquery", *WHOLE, *FRACTIONS}
)  # fmt: skip
"""Types that say nothing of a person by themselves."""


class Column(BaseModel):
    """A column of a table that holds rows."""

    model_config = ConfigDict(frozen=True)

    table_oid: int
    schema_name: str
    table: str
    column: str
    position: int
    partitioned: bool
    owner: str
    type: str
    base: str
    """The type below domains, or an array's elements'."""
    sort: str
    """`b` base type, `e` enum, `c` composite and so on."""
    is_array: bool
    room: int | None
    """Characters that fit, where that is limited."""
    not_null: bool
    generated: bool
    is_unique: bool
    """True where some unique index counts on it."""
    is_key: bool

    @property
    def where(self) -> str:
        """Name it as the project file does: schema.table.column."""
        return f"{self.schema_name}.{self.table}.{self.column}"

    @property
    def of(self) -> tuple[str, str]:
        """Name its table."""
        return self.schema_name, self.table

    @property
    def is_text(self) -> bool:
        """True for a text, or an array of texts."""
        return self.base in TEXTS

    @property
    def is_document(self) -> bool:
        """True for JSON."""
        return self.base in DOCUMENTS and not self.is_array

    @property
    def is_plain(self) -> bool:
        """True where its type alone keeps texts of people out."""
        return self.base in PLAIN or self.sort == "e"


Link = tuple[str, str]
"""Two columns that a foreign key ties together."""


def columns_of(session: Connection) -> list[Column]:
    """Read the columns of every table, in order."""
    rows = session.execute(trusted(text("columns"))).fetchall()
    return [Column.model_validate({**row, "schema_name": row["schema"]}) for row in rows]


def links_of(session: Connection) -> list[Link]:
    """Read which columns hold each other's values."""
    rows = session.execute(trusted(text("links"))).fetchall()
    return [
        (
            f"{row['schema']}.{row['table']}.{row['column']}",
            f"{row['to_schema']}.{row['to_table']}.{row['to_column']}",
        )
        for row in rows
    ]
