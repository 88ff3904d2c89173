"""What the name of a column, table or key says about what it holds."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from neondba.postgres.masking import listed

OPEN: Final = "open"
"""Personal, but no mask is right for everybody."""

_NOT: Final = re.compile(
    r"_(?:status|state|type|kind|count|enabled|disabled|format|verified|at|template|provider|limit|used|"
    r"frequency|preference|preferences|settings|opt_in|opt_out|domain|version|expires|expiry|total|"
    r"length|strength|policy|required|sent|opened|confirmed|on|ts|in|left|attempts|cost|usage|budget)$"
    r"|^(?:is|has|can|num|max|min|total|needs|allow|allows|accepts|wants)_"
    r"|^(?:email|mail|phone|sms|token|secret|ip|name)_(?:id|subject|type|count)$"
)
_KINDS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, _, pattern in (line.partition(" ") for line in listed("column_names"))
)


def _called(words: tuple[str, ...]) -> re.Pattern[str]:
    """Match the name of a table that ends in one of these words, in the singular or plural."""
    return re.compile(f"(?:^|_)(?:{'|'.join(word for line in words for word in line.split())})s?$")


_PEOPLE: Final = _called(listed("people"))
_SPEECH: Final = _called(listed("speech"))
_SAID: Final = frozenset(
    {"content", "contents", "text", "data", "value", "answers", "response", "html", "raw"}
)
"""Columns that hold what people wrote, in a table of such."""
_IN_PERSON: Final = {
    "name": "name",
    "display_name": "name",
    "alias": "handle",
    "identifier": "identity",
    "image": "url",
    "website": "url",
    "location": "place",
    "company": "place",
    "description": "text",
}
"""What a plain word means in a table of people."""


@cache
def words(name: str) -> str:
    """Bring spellings together: `firstName`, `First Name` and `first_name`."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    apart = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", apart)
    return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")


@cache
def kind_of(name: str) -> str | None:
    """Give the kind that a column's or key's name asks for."""
    plain = words(name)
    if _NOT.search(plain) and not plain.startswith(("born", "birth")):
        return None
    return next((kind for kind, pattern in _KINDS if pattern.search(plain)), None)


def is_of_people(table: str, columns: list[str]) -> bool:
    """Tell whether a table's rows are people: by its name, or as it has their e-mail or telephone."""
    if _PEOPLE.search(words(table)):
        return True
    return any(kind_of(each) in ("email", "phone", "date") for each in columns)


def kind_in(table: str, columns: list[str], column: str) -> str | None:
    """Give the kind for a column of a table; `columns` are those that may hold texts."""
    kind = kind_of(column)
    if kind is None and _SPEECH.search(words(table)) and words(column) in _SAID:
        return "text"
    if kind is None and is_of_people(table, columns):
        return _IN_PERSON.get(words(column))
    return kind
