"""A local Neon killed at any moment loses nothing it promised and leaves nothing behind."""

from __future__ import annotations

import pytest
from crash_points import Crashes

POINTS = 4
SEED = "20261122"


@pytest.mark.timeout(400)
@pytest.mark.shows("machine.durability")
def test_nothing_promised_is_lost_when_server_and_computes_are_killed_at_any_moment(place):
    crashes = Crashes(place, SEED, longest=1.5)
    points = [crashes.point(number, amcheck=number % 4 == 3) for number in range(POINTS)]
    assert [(point.number, point.kind, point.faults) for point in points if point.faults] == []
    assert sum(bool(point.inflight) for point in points) > POINTS / 2, (
        "too few came in the middle of something"
    )
    assert all(shop.acknowledged for shop in crashes.shops)
