"""A length of time as people write it: `90m`, `3h`, `1d12h`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_TEXT: Final = re.compile(r"(?:\s*[0-9]{1,6}\s*[wdhms])+\s*")
_PART: Final = re.compile(r"([0-9]+)\s*([wdhms])")


def parse(value: Any) -> Any:
    """Read a text such as `3h`; leave anything but text to pydantic.

    Raises:
        PydanticCustomError: the text is no length of time, or is nothing at all.
    """
    if not isinstance(value, str) or value.startswith("P"):
        return value
    if not _TEXT.fullmatch(value):
        raise PydanticCustomError("duration", "give a length of time such as 90m, 3h, 3d or 1d12h")
    total = timedelta()
    for amount, unit in _PART.findall(value):
        total += timedelta(**{_UNITS[unit]: int(amount)})
    if not total:
        raise PydanticCustomError("duration", "give a length of time above zero")
    return total


Duration = Annotated[
    timedelta,
    BeforeValidator(parse),
    WithJsonSchema({"type": "string", "examples": ["90m", "3h", "3d"]}),
]


def spell(length: timedelta) -> str:
    """Write a length of time the way `parse` reads it."""
    left = int(length.total_seconds())
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        amount, left = divmod(left, seconds)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"
