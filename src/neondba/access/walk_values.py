"""Values that a schema accepts, each carrying the mark of the user it is made for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from neondba.access.walk_openapi import Document, Schema

Pointer = tuple[str | int, ...]
"""Where in a body a value stands."""
_WORDS: Final = {"date": "2031-02-03", "time": "12:34:56", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}
_CLASS: Final = re.compile(
    r"\[(?P<set>[^\]]+)\](?:\{(?P<n>\d+)(?:,\d*)?\}|(?P<many>[+*])|)|\\d(?:\{(?P<d>\d+)[^}]*\})?|[^\\\[\]^$(){}?+*|]"
)


@dataclass
class Marks:
    """Texts that stand nowhere but in what was made for one user."""

    word: str
    """Eight letters that name the user and this run."""
    made: int = 0

    def next(self) -> str:
        """Give another one."""
        self.made += 1
        return f"{self.word}{self.made:04d}"


@dataclass
class Maker:
    """Makes parameters and bodies from schemas."""

    document: Document
    marks: Marks
    identify: Callable[[Pointer, Schema], Any]
    """Gives the value of what is an identifier, else `None`."""
    turn: int = 0
    """Which of several allowed values to take."""
    full: bool = True
    """False to leave out all that is not required."""
    without: set[Pointer] = field(default_factory=set)
    fixed: dict[Pointer, Any] = field(default_factory=dict)

    def make(self, schema: Schema, at: Pointer = (), depth: int = 0) -> Any:
        """Give a value for a schema at a place of the body."""
        schema = self.document.plain(schema)
        if at in self.fixed:
            return self.fixed[at]
        known = self.identify(at, schema) if at else None
        if known is not None:
            return known
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][self.turn % len(schema["enum"])]
        kind = schema.get("type") or ("object" if "properties" in schema else "string")
        if kind == "object":
            return self._object(schema, at, depth)
        if kind == "array":
            return self._array(schema, at, depth)
        return self.scalar(schema, kind, str(at[-1]) if at else "")

    def _object(self, schema: Schema, at: Pointer, depth: int) -> dict[str, Any]:
        required = set(schema.get("required", []))
        made: dict[str, Any] = {}
        for name, inner in schema.get("properties", {}).items():
            here = (*at, name)
            plain = self.document.plain(inner)
            nested = plain.get("type") in ("object", "array") or "properties" in plain
            wanted = name in required or (
                self.full and not (nested and depth > 2) and not plain.get("readOnly")
            )
            if wanted and here not in self.without:
                made[name] = self.make(plain, here, depth + 1)
        return made

    def _array(self, schema: Schema, at: Pointer, depth: int) -> list[Any]:
        least = int(schema.get("minItems", 0))
        inner = self.document.plain(schema.get("items", {}))
        one = self.identify((*at, 0), inner)
        if one is not None:
            return one if isinstance(one, list) else [one]
        if depth > 3 and not least:
            return []
        return [self.make(inner, (*at, i), depth + 1) for i in range(max(least, 1))]

    def scalar(self, schema: Schema, kind: str, name: str) -> Any:
        """Give a plain value."""
        if kind == "boolean":
            return bool(schema.get("default", False))
        if kind in ("integer", "number"):
            return _number(schema, kind)
        if kind == "null":
            return None
        return self.text(schema, name)

    def text(self, schema: Schema, name: str) -> str:
        """Give a text that keeps the format, the pattern and the lengths."""
        kind, mark, low = str(schema.get("format", "")), self.marks.next(), name.lower()
        if kind == "date-time" or (not kind and re.search(r"(?:_at|_time|deadline)$", low)):
            return (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0).isoformat()
        if kind == "uuid":
            return f"{abs(hash(mark)) % 16**8:08x}-0000-4000-8000-{self.marks.made:012d}"
        if kind in _FORMATS:
            return _FORMATS[kind].format(mark=mark)
        made = patterned(str(schema["pattern"]), mark) if schema.get("pattern") else None
        if made is not None:
            return made
        for words, form in _NAMED:
            if words.search(low):
                return form.format(mark=mark, number=self.marks.made)
        return fitted(mark, schema)


def fitted(mark: str, schema: Schema) -> str:
    """Make a mark as long as it may be; its end tells marks apart."""
    least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 10_000))
    text = mark if len(mark) >= least else mark + "x" * (least - len(mark))
    return text if len(text) <= most else text[-most:]


def _number(schema: Schema, kind: str) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return 1
    if low is None:
        return min(1, (high or 0) - 1)
    above = low + (1 if "exclusiveMinimum" in schema else 0)
    value = max(above, 1) if high is None or max(above, 1) <= high else (low + high) / 2
    return int(value) if kind == "integer" else value


_NAMED: Final = (
    (re.compile(r"(?:^|_)(?:url|uri|link|website)$"), "https://example.com/{mark}"),
    (re.compile(r"email"), "{mark}@example.com"),
    (re.compile(r"(?:^|_)(?:date|day)$"), "2031-02-03"),
    (re.compile(r"password"), "Aa1!{mark}"),
    (re.compile(r"phone"), "+1555{number:07d}"),
    (re.compile(r"colou?r"), "#336699"),
)
_FORMATS: Final = {"uri": "https://example.com/{mark}", "url": "https://example.com/{mark}",
                   "email": "{mark}@example.com", "duration": "PT1H", **_WORDS}  # fmt: skip


def patterned(pattern: str, mark: str) -> str | None:
    """Give a text that a simple pattern accepts; nothing when none is found."""
    tries = [
        mark,
        mark.lower(),
        mark.upper(),
        "#336699",
        "12345",
        "1234567890",
        "abc",
        "ABC",
        "a-b",
        "2031-02-03",
        "12:34",
    ]
    words = re.findall(r"[A-Za-z_-]{2,}", re.sub(r"\\.|\[[^\]]*\]", " ", pattern))
    built: str = "".join(_piece(found) for found in _CLASS.finditer(pattern))
    every: list[str] = [*tries, *words, built]
    try:
        return next((text for text in every if re.search(pattern, text)), None)
    except re.error:
        return None


def _piece(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("\\d"):
        return "1" * int(found["d"] or 1)
    if text.startswith("["):
        first = found["set"][0] if found["set"][0] not in "\\^" else "1"
        return first * (int(found["n"]) if found["n"] else 3 if found["many"] else 1)
    return text
