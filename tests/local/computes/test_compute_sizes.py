"""Neon's formulas, against the figures that its documentation prints."""

from __future__ import annotations

import pytest

from neondba.local.computes.sizes import settings_of
from neondba.neon.limits import SIZES, Size

PRINTED = {
    0.25: 104, 0.5: 209, 1: 419, 2: 839, 3: 1258, 4: 1678, 5: 2098, 6: 2517, 7: 2937, 8: 3357, 10: 4000,
}  # fmt: skip


@pytest.mark.parametrize(("cu", "connections"), PRINTED.items())
@pytest.mark.shows("compute.connections")
def test_a_fixed_size_has_the_connections_that_neon_prints(cu, connections):
    assert Size(cu, cu).max_connections == connections


def test_a_wide_span_counts_eight_times_its_smaller_end():
    assert Size(0.25, 8).max_connections == Size(2, 2).max_connections
    assert Size(1, 9).max_connections == Size(8, 8).max_connections


@pytest.mark.shows("compute.connections")
def test_workers_follow_the_larger_end():
    assert [Size(0.25, cu).max_worker_processes for cu in (0.25, 0.5, 8)] == [12, 13, 28]


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.3, 0.3), (0.75, 1), (17, 17), (57, 57), (2, 1), (1, 10), (12, 18), (0.25, 9), (18, 20)],
)
@pytest.mark.shows("compute.sizes")
def test_sizes_that_neon_does_not_have_are_faulty(low, high):
    assert Size(low, high).fault()


@pytest.mark.parametrize("cu", SIZES)
def test_every_fixed_size_is_one(cu):
    assert Size(cu, cu).fault() is None
    assert Size(cu, cu).never_sleeps == (cu > 16)


@pytest.mark.shows("compute.memory")
def test_memory_is_an_eighth_of_neons():
    settings = settings_of(Size(0.25, 0.25))
    assert (settings["shared_buffers"], settings["maintenance_work_mem"]) == ("16384kB", "8192kB")
    assert settings["effective_cache_size"] == "98304kB"


def test_the_bound_that_is_not_given_is_the_usual_one():
    usual = Size(1, 2)
    assert Size.within(None, None, usual) == usual
    assert Size.within(4, None, usual) == Size(4, 4)
    assert Size.within(0.5, None, usual) == Size(0.5, 2)
    assert Size.within(None, 0.5, usual) == Size(0.5, 0.5)
