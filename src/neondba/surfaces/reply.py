"""Keep a reply to an agent short: the beginning of everything, and a way to the rest.

A token is counted as three bytes of UTF-8, which overstates every tokeniser that we know on JSON.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neondba.core.problem import NotFoundProblem

BYTES_PER_TOKEN = 3
_DATA_BYTES = 8500
_TEXT_BYTES = 1500
_CAPS = ((100, 2000), (50, 1000), (25, 600), (12, 400), (6, 250), (3, 120), (1, 60))


@dataclass(frozen=True)
class Shortened:
    """Data that fits, and what was left out of it."""

    data: Any
    left_out: list[dict[str, Any]]


@dataclass
class Results:
    """The newest results in full, by id."""

    kept: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    most: int = 16
    untrusted: set[str] = field(default_factory=set)
    """Ids of results that hold values of a database."""

    def keep(self, name: str, data: Any, *, untrusted: bool = False) -> None:
        """Remember a result and forget the oldest."""
        self.kept[name] = data
        if untrusted:
            self.untrusted.add(name)
        while len(self.kept) > self.most:
            self.kept.popitem(last=False)

    def read(self, name: str, path: str) -> Any:
        """Give the part of a result that a path such as `/items/12` points to.

        Raises:
            NotFoundProblem: there is no such result, or no such part in it.
        """
        if name not in self.kept:
            raise NotFoundProblem(
                "result-not-found", f"No result is kept as {name}.", hint="Repeat the call that gave it."
            )
        part = self.kept[name]
        for step in [one for one in path.split("/") if one]:
            part = _step(part, step.replace("~1", "/").replace("~0", "~"), path)
        return part


def shorten(data: Any, start: int = 0) -> Shortened:
    """Cut long lists and texts until the data fits; a list begins at `start`."""
    if start and isinstance(data, list):
        data = data[start:]
    if size(data) <= _DATA_BYTES:
        return Shortened(data, [])
    for items, characters in _CAPS:
        left_out: list[dict[str, Any]] = []
        cut = _cut(data, items, characters, "", left_out)
        if size(cut) <= _DATA_BYTES:
            return Shortened(cut, left_out[:10])
    return Shortened(None, [{"path": "/", "shown": 0}])


def short_text(text: str) -> str:
    """Give the first lines of a text."""
    raw = text.encode()
    if len(raw) <= _TEXT_BYTES:
        return text
    return raw[:_TEXT_BYTES].decode(errors="ignore").rpartition("\n")[0] + "\n..."


def size(data: Any) -> int:
    """Count the bytes of data as compact JSON."""
    return len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


def tokens(data: Any) -> int:
    """Count the tokens of data, rounded up."""
    return -(-size(data) // BYTES_PER_TOKEN)


def _cut(data: Any, items: int, characters: int, path: str, left_out: list[dict[str, Any]]) -> Any:
    if isinstance(data, str):
        if len(data) > characters:
            left_out.append({"path": path, "shown": characters, "of": len(data)})
        return data if len(data) <= characters else data[:characters] + "..."
    if isinstance(data, Mapping):
        names = list(data)[: max(items, 30)]
        if len(names) < len(data):
            left_out.append({"path": path or "/", "shown": len(names), "of": len(data)})
        return {name: _cut(data[name], items, characters, f"{path}/{name}", left_out) for name in names}
    if isinstance(data, Sequence):
        if len(data) > items:
            left_out.append({"path": path or "/", "shown": items, "of": len(data)})
        return [_cut(one, items, characters, f"{path}/{i}", left_out) for i, one in enumerate(data[:items])]
    return data


def _step(part: Any, step: str, path: str) -> Any:
    try:
        return part[int(step)] if isinstance(part, list) else part[step]
    except (KeyError, IndexError, ValueError, TypeError):
        raise NotFoundProblem(
            "part-not-found",
            f"The result has no part {path}.",
            hint="Read it without a path to see its parts.",
        ) from None
