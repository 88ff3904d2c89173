"""What SQLModel makes of a plain `datetime`, by the version that the project installs."""

from __future__ import annotations

import re

from neondba.postgres.sql_types import AWARE, NAIVE, base_type
from neondba.project.schema_table import Column, Table
from neondba.project.tree import Tree

AWARE_SINCE = 45
"""SQLModel 0.0.45 maps `datetime` to a timestamp with time zone; older ones to one without."""
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")
LOCKED = re.compile(
    r"(?:name = \"sqlmodel\"\s+version = \"|\"sqlmodel\": \{[^}]*\"version\": \"==)0\.0\.(\d+)"
)
LISTED = re.compile(r"^[\s\"'-]*sqlmodel(?:\[[^\]]*\])?[\"']?\s*(?P<version>[^#\n;]*)", re.MULTILINE)
AT_MOST = re.compile(r"(?:==|=\s*[\"']|<=?|~=)\s*v?0\.0\.(\d+)")
AT_LEAST = re.compile(r"(?:>=?|\^|~)\s*v?0\.0\.(\d+)")
NAIVE_VALUE = re.compile(r"utcnow|datetime\.now(?:\(\))?$|datetime\.now\(\)")


def settle_datetimes(tree: Tree, tables: list[Table], others: list[Table]) -> None:
    """Give columns of a plain `datetime` the type that the installed SQLModel gives them."""
    loose = [(t, c) for t in tables for c in t.columns.values() if c.by_library]
    if not loose:
        return
    aware_by_folder = _versions(tree, AWARE_SINCE)
    shown = {(t.name.key, c.name) for t in others for c in t.columns.values() if _is_naive(c)}
    for table, column in loose:
        aware = _nearest(aware_by_folder, column.path)
        if aware:
            column.type = AWARE
        elif aware is None and (table.name.key, column.name) not in shown and not _filled_naive(column):
            column.type = None


def has_release(tree: Tree, path: str, since: int) -> bool | None:
    """Tell whether a file's project installs SQLModel 0.0.`since` or later; `None` where it does not say."""
    return _nearest(_versions(tree, since), path)


def _is_naive(column: Column) -> bool:
    return base_type(column.type or "") == NAIVE


def _filled_naive(column: Column) -> bool:
    """Tell whether the values carry no zone, whichever type takes them."""
    return bool(NAIVE_VALUE.search(column.default or ""))


def _versions(tree: Tree, since: int) -> dict[str, bool | None]:
    """Tell for each folder whether its SQLModel is that new; what is locked outweighs what is asked for."""
    found: dict[str, bool | None] = {}
    named = [p for p in tree.named(suffix=(".txt", ".in", ".toml")) if _is_list(p)]
    for path in [*named, *tree.named(*LOCKS)]:
        text = tree.text(path) or ""
        if "sqlmodel" not in text:
            continue
        is_lock = path.rpartition("/")[2] in LOCKS
        match = LOCKED.search(text) if is_lock else LISTED.search(text)
        if match:
            folder = path.rpartition("/")[0]
            newer = int(match[1]) >= since if is_lock else _asked_for(match["version"], since)
            if newer is not None or folder not in found:
                found[folder] = newer
    return found


def _is_list(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name == "pyproject.toml" or "requirements" in path


def _asked_for(version: str, since: int) -> bool | None:
    if exact := AT_MOST.search(version):
        if int(exact[1]) < since:
            return False
        return True if "<" not in exact[0] else None
    least = AT_LEAST.search(version)
    return True if least and int(least[1]) >= since else None


def _nearest(found: dict[str, bool | None], path: str) -> bool | None:
    """Give the answer of the nearest folder above a file that has one, or of the only one there is."""
    parts = path.split("/")[:-1]
    for depth in range(len(parts), -1, -1):
        answer = found.get("/".join(parts[:depth]))
        if answer is not None:
            return answer
    answers = set(found.values())
    return next(iter(answers)) if len(answers) == 1 else None
