"""The garbage collector rests, and is found as it was."""

from __future__ import annotations

import gc

import pytest

from neondba.core.collector import collector_resting


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_rests_and_is_found_as_it_was(collecting: bool) -> None:
    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        with collector_resting():
            assert not gc.isenabled()
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()
