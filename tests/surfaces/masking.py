"""Take out of results what differs between two runs of the same thing."""

from __future__ import annotations

import re
from typing import Any

_MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b(br|ep|ro|op|snap)-[a-z0-9-]+"), r"<\1>"),
    (re.compile(r"\b[a-z]+-[a-z]+-[a-z0-9]{8}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    # A long reply to an agent cuts texts at 60 characters.
    (re.compile(r"\b[0-9a-f]{60,64}(?:\.\.\.|\b)"), "<hash>"),
    (re.compile(r"\b[0-9A-F]{1,8}/[0-9A-F]{1,8}\b"), "<lsn>"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), "<host>"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s|seconds|MB|kB|bytes)\b"), "<measure>"),
    (re.compile(r"/[^\s\"]*/state\b"), "<state>"),
    (re.compile(r"\babout \d+\b"), "about <measure>"),
]
_MEASURES = re.compile(r"seconds|duration|elapsed|_ms$|bytes|size|cost|port|pid|^held$|^wal$|blocked|longest")
_LATER = {"size_bytes"}
"""What the server measures every few seconds: of a new branch it is not there yet."""


def masked(data: Any, key: str = "") -> Any:
    """Give the data with ids, times, places and measurements masked."""
    if isinstance(data, dict):
        return {name: masked(value, name) for name, value in data.items()}
    if isinstance(data, list):
        return [masked(value, key) for value in data if not _by_chance(value)]
    if isinstance(data, (int, float)) and not isinstance(data, bool) and _MEASURES.search(key):
        return "<measure>"
    if data is None and key in _LATER:
        return "<measure>"
    if isinstance(data, str):
        for pattern, mask in _MASKS:
            data = pattern.sub(mask, data)
    return data


def _by_chance(value: Any) -> bool:
    """Say whether this was seen by sampling: a lock with no statement, which another run may miss."""
    return isinstance(value, dict) and "held" in value and value["held"] is None


def difference(part: Any, whole: Any, *, beginning: bool = False, path: str = "") -> str | None:
    """Give the first place where two results differ; shortened data need only be the beginning."""
    if isinstance(part, dict) and isinstance(whole, dict):
        missing = set(part) ^ set(whole) if not beginning else set(part) - set(whole)
        if missing:
            return f"{path}: only one has {', '.join(sorted(missing))}"
        pairs = [(name, value, whole[name]) for name, value in part.items()]
    elif isinstance(part, list) and isinstance(whole, list):
        if len(part) > len(whole) or (not beginning and len(part) < len(whole)):
            return f"{path}: {len(part)} items instead of {len(whole)}: {part[:3]} {whole[:3]}"
        pairs = [(str(n), *both) for n, both in enumerate(zip(part, whole, strict=False))]
    else:
        shortened = beginning and isinstance(part, str) and part.endswith("...")
        same = str(whole).startswith(part[:-3]) if shortened else part == whole
        return None if same else f"{path}: {part!r} instead of {whole!r}"
    found = (difference(a, b, beginning=beginning, path=f"{path}/{name}") for name, a, b in pairs)
    return next((one for one in found if one is not None), None)
