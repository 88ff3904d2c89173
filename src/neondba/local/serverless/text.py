"""Between JSON and PostgreSQL's texts: parameters in, values out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final

from neondba.postgres import wire_types

_ITEM: Final = re.compile(
    r'\s*(?:(?P<open>\{)|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^,{}"]+))\s*', re.DOTALL
)
_BOUNDS: Final = re.compile(r"(?:\[[^\]]*\])*=")


def parameter(value: Any) -> str | None:
    """Write a JSON value as the text that PostgreSQL takes for a parameter."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return _array(value)
    return _dumped(value)


def _array(values: Sequence[Any]) -> str:
    """Write an array literal; texts in it are quoted, as JSON quotes them."""
    parts = []
    for value in values:
        match value:
            case None:
                parts.append("NULL")
            case list():
                parts.append(_array(value))
            case dict():
                parts.append(_dumped(_dumped(value)))
            case _:
                parts.append(_dumped(value))
    return "{" + ",".join(parts) + "}"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def converted(text: str | None, type_id: int) -> str:
    """Write a value as JSON of its own kind; what JSON has no kind for is a string."""
    if text is None:
        return "null"
    if (element := wire_types.elements().get(type_id)) is not None:
        return _converted_array(text, element)
    if type_id == wire_types.BOOL:
        return "true" if text == "t" else "false"
    finite = type_id in wire_types.FLOATS and math.isfinite(float(text))
    if finite or type_id in wire_types.INTEGERS or type_id in wire_types.JSONS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _converted_array(text: str, element: int) -> str:
    if text.startswith("["):
        # Bounds such as `[0:1]=` have no place in JSON.
        text = _BOUNDS.sub("", text, count=1)
    try:
        value, end = _read(text, 1, element)
    except (IndexError, ValueError):
        return json.dumps(text, ensure_ascii=False)
    return value if end == len(text) else json.dumps(text, ensure_ascii=False)


def _read(text: str, at: int, element: int) -> tuple[str, int]:
    """Read behind an opening brace; give the JSON and where the array has ended.

    Raises:
        ValueError: it is no array, such as one of a type with another separator.
    """
    parts: list[str] = []
    while text[at] != "}":
        found = _ITEM.match(text, at)
        if not found:
            raise ValueError
        at = found.end()
        if found["open"]:
            inner, at = _read(text, at, element)
            parts.append(inner)
        elif found["quoted"] is not None:
            parts.append(converted(re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL), element))
        else:
            plain = found["plain"].strip()
            parts.append("null" if plain == "NULL" else converted(plain, element))
        if text[at] == ",":
            at += 1
    return "[" + ",".join(parts) + "]", at + 1
