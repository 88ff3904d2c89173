"""Costs: Neon's own worked examples, and what a branch costs by the month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from scripted_api import branch

from neondba.neon.models import Branch
from neondba.neon.prices import FREE, GB, LAUNCH, SCALE, Prices, month_of, of_plan, storage

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("prices", "hours", "root", "child", "history", "total"),
    [
        (LAUNCH, 10, 2, 1, 1, 2.31),
        (LAUNCH, 120, 20, 5, 10, 23.47),
        (LAUNCH, 250, 40, 10, 20, 48.00),
        (SCALE, 1700, 100, 25, 50, 431.15),
    ],
)
def test_neons_worked_examples_come_out(
    prices: Prices, hours: float, root: float, child: float, history: float, total: float
) -> None:
    held = storage((root + child) * GB, prices) + history * prices.history_gb_month
    assert round(hours * prices.compute_unit_hour + held, 2) == total


def at(**more: object) -> Branch:
    return Branch.model_validate(branch(**more))


def test_a_root_costs_its_size_and_a_child_its_own_changes() -> None:
    size = {"logical_size": 10 * GB, "written_data_bytes": 2 * GB}
    root = month_of(at(**size), LAUNCH, children=0, period_start=None, now=NOW)
    child = month_of(at(parent_id="br-1", **size), LAUNCH, children=1, period_start=None, now=NOW)
    assert (root.total, child.total) == (pytest.approx(3.5), pytest.approx(0.7))


def test_compute_of_the_period_is_carried_forward_but_minutes_are_not() -> None:
    always = at(compute_time_seconds=int(0.25 * 10 * 86400), created_at="2026-10-01T00:00:00Z")
    begun = NOW - timedelta(days=10)
    assert round(month_of(always, LAUNCH, children=0, period_start=begun, now=NOW).total, 2) == 19.72
    assert round(month_of(always, SCALE, children=0, period_start=begun, now=NOW).total, 2) == 41.29
    fresh = at(compute_time_seconds=60, created_at=(NOW - timedelta(minutes=4)).isoformat())
    assert month_of(fresh, LAUNCH, children=0, period_start=begun, now=NOW).total < 0.06


def test_children_beyond_those_included_cost_by_themselves() -> None:
    child = at(parent_id="br-1")
    assert month_of(child, LAUNCH, children=9, period_start=None, now=NOW).total == 0
    assert month_of(child, LAUNCH, children=10, period_start=None, now=NOW).total == 1.50
    assert month_of(at(), LAUNCH, children=10, period_start=None, now=NOW).total == 0


def test_plans_are_known_by_neons_words() -> None:
    words = ["free_v3", "launch_v3", "scale", None, "business"]
    assert [of_plan(word) for word in words] == [FREE, LAUNCH, SCALE, LAUNCH, LAUNCH]
