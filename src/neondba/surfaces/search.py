"""Find operations by words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from neondba.core.operation import Operation
from neondba.surfaces import tools

_MOST = 6
_SAY_NOTHING = frozenset(
    re.findall(
        "[a-z]+",
        "all and are can did does for from have how into its like make need not one our out over some that"
        " the them then there this too want was were what when where which who why will with would you your",
    )
)
_ALSO = {
    "ago": "restore",
    "allowlist": "allow",
    "backup": "snapshot restore",
    "clone": "create branch",
    "copy": "create branch",
    "drop": "delete",
    "fork": "create branch",
    "password": "rotate",
    "recover": "restore",
    "remove": "delete",
    "rls": "isolation",
    "rollback": "revert restore",
    "secret": "rotate",
    "select": "query",
    "slow": "query",
    "sql": "query",
    "undo": "revert restore",
    "yesterday": "restore",
}
"""Words that people say, and those that operations are called by."""
_ENDING = re.compile(r"(?<=...)(ing|ed|es|s|e)$")


def find_operations(words: str, operations: Mapping[str, Operation]) -> list[dict[str, Any]]:
    """Give the operations that fit the words best, as tools; names only for the rest."""
    said = set(_words(words)) - _SAY_NOTHING
    wanted = said | {other for word in said for other in _ALSO.get(word, "").split()}
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
    # Only its ending may differ: a backup is no way back.
    stem = _ENDING.sub("", word)
    return any(one.startswith(word) or _ENDING.sub("", one) == stem for one in words)


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 2]
