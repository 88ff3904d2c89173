"""Names of types as PostgreSQL's `format_type` writes them."""

from __future__ import annotations

import re
from typing import Any

LONG = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "int": "integer",
    "float4": "real", "float8": "double precision", "float": "double precision", "decimal": "numeric",
    "bool": "boolean", "varchar": "character varying", "bpchar": "character", "char": "character",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone",
    "serial4": "serial", "serial8": "bigserial", "serial2": "smallserial",
}  # fmt: skip
NAIVE = "timestamp without time zone"
AWARE = "timestamp with time zone"
TEXTS = ("text", "character varying", "character", "citext")


def type_name(node: Any) -> str:
    """Name the type of a TypeName node: `character varying(20)`, `integer[]`."""
    parts = [part.string.sval for part in node.names]
    if not parts:
        return ""  # A column of a table that takes its types from elsewhere.
    name = LONG.get(parts[-1], parts[-1]) if len(parts) == 1 or parts[0] == "pg_catalog" else ".".join(parts)
    sizes = [str(m.a_const.ival.ival) for m in node.typmods if m.WhichOneof("node") == "a_const"]
    if sizes and not name.startswith(("interval", "bit")):
        head, _, tail = name.partition(" with")
        name = f"{head}({','.join(sizes)})" + (f" with{tail}" if tail else "")
    return name + "[]" * len(node.array_bounds)


def base_type(type_: str) -> str:
    """Leave sizes and array brackets away: `character varying(20)` is `character varying`."""
    return re.sub(r"\([^)]*\)|\[\]", "", type_)


def size(type_: str) -> int | None:
    """Give the first number in brackets: 20 for `character varying(20)`."""
    match = re.search(r"\((\d+)", type_)
    return int(match[1]) if match else None


def is_unbounded_text(type_: str) -> bool:
    """Tell whether a value of the type may be of any length."""
    return type_ in ("text", "character varying", "citext")
