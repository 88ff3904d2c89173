"""Rehearsals are kept for each target, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from neondba.core.problem import ArgumentProblem
from neondba.core.rehearsal_store import KEPT
from neondba.core.rehearsed import Rehearsals, Rehearsed


def rehearsed(before: str, branch: str = "br-1") -> Rehearsed:
    return Rehearsed(
        at=datetime(2026, 1, 1, tzinfo=UTC), project="p", branch=branch, database="d'b", place="a/ü",
        tool="Alembic", before=before,
    )  # fmt: skip


def test_the_newest_comes_first_and_other_targets_do_not(tmp_path: Path) -> None:
    store = Rehearsals(tmp_path / "state" / "rehearsals.sqlite")
    assert store.of("p", "br-1", "d'b", "a/ü") == []
    for name in ("one", "two"):
        store.add(rehearsed(name))
    store.add(rehearsed("other", branch="br-2"))
    assert [each.before for each in store.of("p", "br-1", "d'b", "a/ü")] == ["two", "one"]
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_the_oldest_make_room(tmp_path: Path) -> None:
    store = Rehearsals(tmp_path / "rehearsals.sqlite")
    for number in range(KEPT + 3):
        store.add(rehearsed(str(number)))
    there = store.of("p", "br-1", "d'b", "a/ü")
    assert len(there) == KEPT
    assert there[0].before == str(KEPT + 2)


def test_a_file_that_is_no_database_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "rehearsals.sqlite"
    path.write_text("not a database, but long enough to be taken for one" * 40)
    with pytest.raises(ArgumentProblem) as caught:
        Rehearsals(path).of("p", "b", "d", "x")
    assert caught.value.code == "state-dir-unusable"
