"""Find operations by words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from neondba.core.operation import Operation
from neondba.surfaces import tools

_MOST = 6


def find_operations(words: str, operations: Mapping[str, Operation]) -> list[dict[str, Any]]:
    """Give the operations that fit the words best, as tools; names only for the rest."""
    wanted = set(_words(words))
    scored = [(_score(wanted, found), name) for name, found in operations.items()]
    best = [name for score, name in sorted(scored, key=lambda row: (-row[0], row[1])) if score > 0]
    return [_shown(operations[name]) for name in best[:_MOST]]


def _shown(found: Operation) -> dict[str, Any]:
    return {
        "name": found.name,
        "effect": found.effect.value,
        "summary": found.summary,
        "arguments": tools.schema(found, consent=False),
    }


def _score(wanted: set[str], found: Operation) -> int:
    name, summary = _words(found.name), _words(found.summary)
    rest = _words(" ".join([found.description, *(p.name + " " + p.description for p in found.parameters)]))
    return sum(4 * _has(word, name) + 2 * _has(word, summary) + _has(word, rest) for word in wanted)


def _has(word: str, words: list[str]) -> bool:
    return any(one.startswith(word) or (len(one) > 3 and word.startswith(one)) for one in words)


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 2]
