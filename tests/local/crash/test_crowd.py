"""Many clients branch from one parent at once, while others write to it."""

from __future__ import annotations

import pytest
from crash_checks import nothing_unowned
from crash_shop import opened
from crowd import checked, run

from neondba.local import launch

CLIENTS = 8


@pytest.mark.shows("storage.moment")
def test_branches_created_and_deleted_at_once_are_each_a_moment_of_their_parent(place):
    shop = opened(launch.ensure(place.state).api_port, "crowd")
    crowd = run(shop, CLIENTS)
    assert crowd.failed == []
    assert (len(crowd.created), len(crowd.deleted)) == (CLIENTS, CLIENTS / 2)
    assert checked(place, shop) == (CLIENTS / 2 + 1, [])
    nothing_unowned(place, [shop])
    assert shop.faults.said == []
