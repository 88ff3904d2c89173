"""What a list and a page about a branch tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from neon_world import World

from neondba.branches.listing import ago, in_tree, spell_size
from neondba.neon.models import Branch


def test_a_list_shows_the_tree_with_age_cost_and_expiry(world: World, store: str) -> None:
    world.call("branch.create", store, name="b", no_compute=True)
    world.call("branch.create", store, name="leaf of b", parent="b")
    world.call("branch.create", store, name="c", expires="3h", no_compute=True)
    found = world.call("branch.list", store)
    lines = {line.name: line for line in found.branches}
    assert [(line.name, line.depth) for line in found.branches] == [
        ("main", 0),
        ("b", 1),
        ("leaf of b", 2),
        ("c", 1),
    ]
    assert lines["main"].last_used_at is not None
    assert lines["main"].month_cost >= 0
    assert (lines["c"].host, lines["c"].last_used_at) == (None, None)
    text = found.as_text(100)
    assert "main (default)" in text
    assert "    leaf of b" in text
    assert "in 2h59m" in text
    assert "no compute" in text
    assert "prices of 2026-08-27 (this machine charges nothing)" in " ".join(text.split())


def test_the_older_branch_stands_first() -> None:
    """Neon tells moments in whole seconds: those of one second go by name."""
    moments = {"main": 0, "z": 1, "b": 2, "a": 2}
    there = [
        Branch(
            id=f"br-{name}",
            project_id="p",
            name=name,
            parent_id=None if name == "main" else "br-main",
            current_state="ready",
            created_at=datetime(2026, 11, 22, second=second, tzinfo=UTC),
        )
        for name, second in reversed(moments.items())
    ]
    assert [(each.name, depth) for each, depth in in_tree(there)] == [
        ("main", 0),
        ("z", 1),
        ("a", 1),
        ("b", 1),
    ]


def test_a_page_tells_what_one_asks_next(world: World, store: str) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    main, dev = (world.call("branch.show", store, name=name) for name in ("main", "dev"))
    assert (main.children, main.parent, dev.parent) == (("dev",), None, "main")
    assert (main.roles, main.databases, main.history) == (("neondb_owner",), ("neondb",), "1d back")
    assert len(main.computes) == 1
    assert dev.parent_at is not None
    assert datetime.now(UTC) - dev.parent_at < timedelta(minutes=5)
    assert "npg_" not in main.model_dump_json()


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=-1), "0s"),
        (timedelta(seconds=59), "59s"),
        (timedelta(minutes=9, seconds=5), "9m"),
        (timedelta(minutes=25, seconds=5), "25m"),
        (timedelta(days=2, hours=23, minutes=59), "2d23h"),
        (timedelta(days=400, hours=1), "400d"),
    ],
)
def test_lengths_are_short(length: timedelta, text: str) -> None:
    assert ago(length) == text


def test_sizes_are_in_the_units_that_are_billed() -> None:
    assert [spell_size(count) for count in (None, 0, 25_091_308, 1_500_000_000)] == [
        "-",
        "0 MB",
        "25 MB",
        "1.5 GB",
    ]


def test_what_branches_used_and_what_neon_did_is_told(world: World, store: str) -> None:
    with world.client() as client:
        project = client.find_project(store)
        now = datetime.now(UTC)
        (main,) = client.usage(project, now - timedelta(days=1), now + timedelta(hours=1))
        assert main.branch_id == client.default_branch(project).id
        assert main.total("root_branch_bytes_month") >= 0
        assert main.total("nothing") == 0
        done = client.operations(project.id)
        assert "start_compute" in {each.action for each in done}
        assert done[0].created_at is not None
