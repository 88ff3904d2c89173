"""Take out of results what differs between two runs of the same thing."""

from __future__ import annotations

import re
from typing import Any

_MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b(br|ep|ro|op|snap)-[a-z0-9-]+"), r"<\1>"),
    (re.compile(r"\b[a-z]+-[a-z]+-[a-z0-9]{8}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9A-F]{1,8}/[0-9A-F]{1,8}\b"), "<lsn>"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), "<host>"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s|seconds|MB|kB|bytes)\b"), "<measure>"),
    (re.compile(r"/[^\s\"]*/state\b"), "<state>"),
]
_MEASURES = re.compile(r"seconds|duration|elapsed|_ms$|bytes|size|port|pid|^held$")


def masked(data: Any, key: str = "") -> Any:
    """Give the data with ids, times, places and measurements masked."""
    if isinstance(data, dict):
        return {name: masked(value, name) for name, value in data.items()}
    if isinstance(data, list):
        return [masked(value, key) for value in data]
    if isinstance(data, (int, float)) and not isinstance(data, bool) and _MEASURES.search(key):
        return "<measure>"
    if isinstance(data, str):
        for pattern, mask in _MASKS:
            data = pattern.sub(mask, data)
    return data


def begins(part: Any, whole: Any) -> bool:
    """Say whether shortened data is the beginning of the whole."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and begins(value, whole[name]) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(begins(a, b) for a, b in zip(part, whole, strict=False))
    if isinstance(part, str) and isinstance(whole, str) and part.endswith("..."):
        return whole.startswith(part[:-3]) or part == whole
    return bool(part == whole)
