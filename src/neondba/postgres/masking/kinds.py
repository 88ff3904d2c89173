"""How a column can be masked: the kinds, the types they fit, and the SQL they become."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from neondba.postgres.connect import trusted
from neondba.postgres.masking.columns import FRACTIONS, WHOLE, Column

TEXT_KINDS: Final = (
    "email", "phone", "name", "handle", "address", "place", "url", "code", "iban", "card", "ip", "date",
    "token", "identity", "text", "scrub",
)  # fmt: skip
"""What a text can become."""
OTHERS: Final = {
    "inet": ("ip",),
    "cidr": ("ip",),
    "macaddr": ("token",),
    "uuid": ("token",),
    "bytea": ("token",),
    "date": ("date",),
    "timestamp": ("date",),
    "timestamptz": ("date",),
    "json": ("json",),
    "jsonb": ("json",),
    "tsvector": ("empty",),
}
"""What other types can become."""
MEANING: Final = {
    "email": "another address that is valid and reaches nobody",
    "phone": "another number with as many digits",
    "name": "an invented word for each word",
    "handle": "an invented name that only one bears",
    "address": "an invented street and number",
    "place": "an invented place",
    "url": "an address at example.com",
    "code": "letters for letters and digits for digits",
    "iban": "another number of the same country with right check digits",
    "card": "another number with a right check digit",
    "ip": "an address that no machine has",
    "date": "a date up to two years earlier",
    "number": "another number with as many digits",
    "token": "a secret of the same length that opens nothing",
    "identity": "an address, a number or a name, by its shape",
    "text": "invented words, as long",
    "scrub": "the text, without the addresses and numbers in it",
    "json": "the document, with its personal keys masked",
    "empty": "nothing",
    "null": "no value",
}
ALONE: Final = {"name": "handle", "address": "handle", "place": "handle", "text": "handle", "url": "token"}
"""What takes the place of a kind where a unique index would find equals."""
HANDLE: Final = 20
"""Characters of an invented name that is told from all others."""
SHORT: Final = 36
"""Room that an address of full length needs."""
SCHEMA: Final = "neondba_mask"
FUNCTIONS: Final = {
    "inet": "net",
    "cidr": "net",
    "macaddr": "mac",
    "uuid": "uuid",
    "bytea": "bytes",
    "date": "day",
    "timestamp": "moment",
    "timestamptz": "moment",
}


def fits(column: Column) -> tuple[str, ...]:
    """Give the kinds that a column's type can take."""
    free = () if column.not_null else ("null",)
    if column.sort in ("e", "c"):
        return free
    if column.is_text:
        return (*TEXT_KINDS, *free)
    if column.is_array:
        return free
    if column.base in WHOLE or column.base in FRACTIONS:
        return ("number", *free)
    return (*OTHERS.get(column.base, ()), *free)


def apart(kind: str, column: Column) -> str:
    """Give the kind that keeps a column's values apart where a unique index asks for it."""
    if not column.is_unique or column.is_array:
        return kind
    kind = ALONE.get(kind, kind)
    return "code" if kind == "handle" and column.room and column.room < HANDLE else kind


def on_type(kind: str, column: Column) -> str | None:
    """Give the kind that does for a column's type what its name asks for; None where none does."""
    possible = fits(column)
    if kind in possible:
        return apart(kind, column)
    if column.is_document and kind != "null":
        return "json"
    if "token" in possible and (column.base == "bytea" or kind == "identity"):
        return "token"
    if kind in ("phone", "code", "iban", "card", "token", "date", "identity") and "number" in possible:
        return "number"
    return None


def expression(column: Column, kind: str, keys: str = "{}", inside: str | None = None) -> sql.Composable:
    """Give the SQL that reads a column masked, in its own type.

    `keys` is a document's personal keys as JSON, `inside` the kind of all other texts in it.
    """
    name = sql.Identifier(column.column)
    if kind == "null":
        return sql.SQL("null")
    if kind == "json":
        made: sql.Composable = sql.SQL("neondba_mask.document({}::jsonb, {}::jsonb, {})").format(
            name, sql.Literal(keys), sql.Literal(inside)
        )
    else:
        made = _made(column, kind, name)
    return sql.SQL("({})::{}").format(made, sql.SQL(trusted(column.type)))


def _made(column: Column, kind: str, name: sql.Identifier) -> sql.Composable:
    if kind == "empty":
        return sql.SQL("case when {} is not null then '' end").format(name)
    if column.is_text:
        return _text(column, kind, name)
    if kind == "number":
        if column.base in WHOLE:
            most = sql.Literal(WHOLE[column.base])
            return sql.SQL("neondba_mask.number({}::bigint, {}::bigint)").format(name, most)
        return sql.SQL("neondba_mask.amount({}::numeric)").format(name)
    function = FUNCTIONS[column.base]
    if column.base != "timestamptz":
        return sql.SQL("{}({})").format(sql.Identifier(SCHEMA, function), name)
    return sql.SQL("{}({} at time zone 'UTC') at time zone 'UTC'").format(
        sql.Identifier(SCHEMA, function), name
    )


def _text(column: Column, kind: str, name: sql.Identifier) -> sql.Composable:
    if column.is_array:
        return sql.SQL("neondba_mask.each({}, {}::text[])").format(sql.Literal(kind), name)
    if kind == "email":
        room = sql.Literal(column.room or 1000)
        return sql.SQL("neondba_mask.email({}::text, {})").format(name, room)
    made = sql.SQL("{}({}::text)").format(sql.Identifier(SCHEMA, kind), name)
    return sql.SQL("left({}, {})").format(made, sql.Literal(column.room)) if column.room else made
