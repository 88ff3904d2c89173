"""Values that fit a column, most natural first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from neondba.postgres.shapes import Column, Shape

_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'")
_NUMBER: Final = re.compile(r"(?<![\w'.])-?\d+(?:\.\d+)?(?![\w'.])")
_PLAIN: Final = {
    "bool": "true", "int2": "{n}", "int4": "{n}", "int8": "{n}", "oid": "{n}", "float4": "{n}.5",
    "float8": "{n}.5", "numeric": "{n}", "money": "{n}", "uuid": "00000000-0000-4000-8000-{n:012d}",
    "date": "2026-01-{d:02d}", "timestamp": "2026-01-{d:02d} 12:00:00",
    "timestamptz": "2026-01-{d:02d} 12:00:00+00", "time": "12:{d:02d}:00", "timetz": "12:{d:02d}:00+00",
    "interval": "{n} minutes", "json": '{{"n": {n}}}', "jsonb": '{{"n": {n}}}', "bytea": "\\x{n:08x}",
    "inet": "192.0.2.{d}", "cidr": "192.0.2.{d}/32", "macaddr": "00:00:5e:00:53:{d:02x}",
    "macaddr8": "00:00:5e:ff:fe:00:53:{d:02x}", "tsvector": "row{n}", "tsquery": "row{n}",
    "hstore": "n=>{n}", "xml": "<n>{n}</n>", "point": "({n},{n})", "line": "{{1,-1,{n}}}",
    "lseg": "[(0,0),({n},{n})]", "box": "(({n},{n}),(0,0))", "path": "[(0,0),({n},{n})]",
    "polygon": "((0,0),({n},0),({n},{n}))", "circle": "<(0,0),{n}>", "ltree": "row{n}",
    "int4range": "[{n},{m})", "int8range": "[{n},{m})", "numrange": "[{n},{m})",
    "daterange": "[2026-01-{d:02d},2027-01-01)", "tsrange": "[2026-01-{d:02d},2027-01-01)",
    "tstzrange": "[2026-01-{d:02d},2027-01-01)", "pg_lsn": "0/{n:X}",
}  # fmt: skip
_NUMERIC: Final = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "money", "oid"})


def candidates(shape: Shape, column: Column, number: int) -> list[str]:
    """Give texts to try for a column in row `number`, without doubles."""
    return list(dict.fromkeys(_fitting(column, text) for text in _ideas(shape, column, number)))


def _ideas(shape: Shape, column: Column, number: int) -> Iterator[str]:
    if column.labels:
        yield column.labels[(number - 1) % len(column.labels)]
        yield from column.labels
        return
    if column.element is not None:
        textual = "S" if column.element in ("text", "varchar", "bpchar", "citext", "name") else "U"
        inner = Column(
            name=column.name,
            type=column.element,
            base=column.element,
            category=textual,
            not_null=False,
            generated=False,
        )
        first = next(iter(candidates(shape, inner, number)), "")
        yield '{"' + first.replace("\\", "\\\\").replace('"', '\\"') + '"}'
        yield "{}"
        return
    literals = _literals(shape, column)
    natural = _natural(column, number)
    if natural is not None and not literals:
        yield natural
    yield from _turned(literals, number)
    if natural is not None:
        yield natural
    if column.base in _NUMERIC:
        yield from ("0", "1", "10", "100", "1000", "-1")
    if column.base in ("numeric", "float4", "float8"):
        yield "0.5"
    if column.category == "S":
        yield from _texts(number)


def _natural(column: Column, number: int) -> str | None:
    day = (number - 1) % 28 + 1
    if column.base == "vector":
        size = column.length if column.length and column.length > 0 else 3
        return "[" + ",".join(["0.1"] * (size - 1) + [str(number)]) + "]"
    if column.base in ("bit", "varbit"):
        return "1" * max(column.length or 1, 1)
    if column.base == "bool":
        return "true" if number % 2 else "false"
    if column.base in _PLAIN:
        return _PLAIN[column.base].format(n=number, m=number + 1, d=day)
    if column.category == "S":
        return _named_text(column.name.lower(), number)
    return None


def _named_text(name: str, number: int) -> str:
    if "email" in name or "mail" in name:
        return f"row{number}@example.com"
    if "url" in name or "link" in name or "website" in name:
        return f"https://example.com/{number}"
    if "phone" in name:
        return f"+1555{number:07d}"
    if "slug" in name:
        return f"row-{number}"
    return f"{name.replace('_', ' ')} {number}"


def _texts(number: int) -> Iterator[str]:
    yield from (str(number), f"row{number}", f"row{number}@example.com", f"https://example.com/{number}")
    yield from (f"00000000-0000-4000-8000-{number:012d}", f"A{number}", "AB", "ABC", "#aabbcc", "abc-1")
    yield from ("x" * 12 + str(number), "x" * 40 + str(number), "2026-01-01", "+15550000001", "")


def _literals(shape: Shape, column: Column) -> list[str]:
    """Collect what the column's checks and partition bounds compare it with."""
    rules = [k.definition for k in shape.constraints if k.kind == "c" and column.name in k.columns]
    rules += column.domain_checks
    rules += shape.bounds
    found: list[str] = []
    for rule in rules:
        quoted = [match.replace("''", "'") for match in _QUOTED.findall(rule)]
        numbers = _NUMBER.findall(rule)
        if column.base in _NUMERIC:
            for text in [*numbers, *[q for q in quoted if _NUMBER.fullmatch(q)]]:
                value = float(text)
                found += [f"{n:g}" for n in (value, value + 1, value - 1)]
        elif column.category == "S":
            found += quoted
            # A number beside a text column is mostly a length.
            found += ["x" * max(0, min(int(float(n)), 500)) for n in numbers]
        else:
            found += quoted
    return found


def _turned(texts: list[str], number: int) -> list[str]:
    """Start at another place for each row, so that rows differ."""
    if not texts:
        return []
    at = (number - 1) % len(texts)
    return texts[at:] + texts[:at]


def _fitting(column: Column, text: str) -> str:
    """Cut a text to what the type holds, keeping its end: the end tells rows apart."""
    if column.base in ("varchar", "bpchar") and column.length and column.length > 0:
        return text if len(text) <= column.length else text[-column.length :]
    if column.base == "numeric" and column.length and column.length > 4:
        precision, scale = (column.length - 4) >> 16 & 0xFFFF, column.length - 4 & 0x7FF
        room = precision - scale
        whole = text.lstrip("-").split(".")[0]
        return text if len(whole) <= room else ("0." + "1" * scale if room <= 0 else whole[-room:])
    return text
