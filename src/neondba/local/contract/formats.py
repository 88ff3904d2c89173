"""What the formats of the document mean, as Go's readers take them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\Z")


def is_integer(_checker: Any, value: Any) -> bool:
    """Tell whether a JSON value is a whole number, written as one."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_moment(value: Any) -> bool:
    """Tell whether a text is an RFC 3339 time that has a place in UTC."""
    if not isinstance(value, str):
        return True
    if not MOMENT.match(value):
        return False
    try:
        datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _within(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, int) or least <= value <= most


def _like(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, str) or bool(pattern.match(value))


TESTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "date-time": is_moment,
    "uuid": _like(UUID),
    "email": _like(EMAIL),
    "int32": _within(-(2**31), 2**31 - 1),
    "int64": _within(-(2**63), 2**63 - 1),
    "int": _within(-(2**63), 2**63 - 1),
    "uint64": _within(0, 2**63 - 1),
}
