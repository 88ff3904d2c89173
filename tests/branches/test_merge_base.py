"""The newest moment that two branches share."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neondba.branches.merge_base import base_of
from neondba.core.problem import ConflictProblem
from neondba.neon.models import Branch, Project

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = Project(id="p", name="shop", created_at=NOW)


def branch(name: str, parent: str | None = None, lsn: str | None = None, **more: str) -> Branch:
    return Branch(
        id=name, project_id="p", parent_id=parent, parent_lsn=lsn, name=name, current_state="ready",
        created_at=NOW, init_source=more.get("init_source"),
    )  # fmt: skip


MAIN = branch("main")
THERE = [
    MAIN,
    branch("early", "main", "0/1000000"),
    branch("late", "main", "0/F000000"),
    branch("huge", "main", "1/0"),
    branch("deep", "early", "0/2000000"),
    branch("bare", "main", "0/1000000", init_source="schema-only"),
]


@pytest.mark.parametrize(
    ("theirs", "ours", "base", "lsn"),
    [
        ("early", "main", "main", "0/1000000"),
        ("main", "early", "main", "0/1000000"),
        ("early", "late", "main", "0/1000000"),
        ("huge", "late", "main", "0/F000000"),
        ("deep", "main", "main", "0/1000000"),
        ("deep", "early", "early", "0/2000000"),
        ("late", "deep", "main", "0/1000000"),
    ],
)
def test_the_base_is_where_the_two_lines_part(theirs: str, ours: str, base: str, lsn: str) -> None:
    by_name = {each.name: each for each in THERE}
    found = base_of(SHOP, by_name[theirs], by_name[ours], THERE, None)
    assert found.point is not None
    assert (found.branch.name, found.point.lsn) == (base, lsn)


def test_branches_without_a_common_past_are_refused() -> None:
    by_name = {each.name: each for each in THERE}
    with pytest.raises(ConflictProblem, match="no moment in common"):
        base_of(SHOP, by_name["bare"], by_name["early"], THERE, None)
