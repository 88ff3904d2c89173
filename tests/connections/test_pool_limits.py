"""Pool arithmetic equals the published formulas at every compute size."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import product

import pytest

from neondba.local.proxy.pooling.settings import Limits
from neondba.neon.limits import (
    MAX_CLIENT_CONN,
    PUBLISHED,
    QUERY_WAIT_TIMEOUT,
    SIZES,
    Size,
    pool_size,
    published,
)
from neondba.review.rules.connections import oversized_pool

PRINTED = {
    0.25: 104, 0.5: 209, 1: 419, 2: 839, 3: 1258, 4: 1678, 5: 2098, 6: 2517, 7: 2937, 8: 3357,
    **{cu: 4000 for cu in SIZES if cu >= 10},
}  # fmt: skip
"""Neon docs, connection pooling, 2026-02-06; but for 9 CU, where that table says 4000."""
PAIRS = [(low, high) for low, high in product(SIZES, SIZES) if Size(low, high).fault() is None]


def by_formula(low: float, high: float) -> int:
    counted = math.floor(min(Decimal(high), 8 * Decimal(low)) * Decimal("419.66"))
    return max(100, min(4000, counted))


@pytest.mark.parametrize("cu", SIZES)
def test_each_size_has_the_connections_that_neon_prints(cu):
    if cu != 9:
        assert Size(cu, cu).max_connections == PRINTED[cu]
    assert Size(cu, cu).usable_connections == Size(cu, cu).max_connections - 7
    assert Size(cu, cu).pool_size == math.floor(Decimal("0.9") * Size(cu, cu).max_connections)


def test_at_nine_cu_the_printed_table_contradicts_its_formula_and_the_smaller_number_is_used():
    assert Size(9, 9).max_connections == by_formula(9, 9) == 3776


def test_all_bounds_that_neon_takes_follow_the_formula():
    assert len(PAIRS) == 147
    wrong = [pair for pair in PAIRS if Size(*pair).max_connections != by_formula(*pair)]
    assert wrong == []


def test_the_smallest_compute_leaves_97_connections_to_clients():
    assert Size(0.25, 0.25).usable_connections == 97
    assert pool_size(104) == 93


def test_what_is_built_uses_the_published_numbers():
    assert (MAX_CLIENT_CONN, QUERY_WAIT_TIMEOUT) == (10_000, 120)
    kept = Limits()
    assert (kept.max_client_conn, kept.share, kept.query_wait_timeout) == (10_000, 0.9, 120)
    assert kept.max_prepared_statements == 1000


def test_the_rule_about_large_pools_counts_with_the_same_number():
    assert f"compute takes {Size(0.25, 0.25).usable_connections} clients" in " ".join(
        (oversized_pool.__doc__ or "").split()
    )


def test_every_published_figure_says_from_where_and_when():
    assert all(each.source and each.dated[:2] == "20" for each in PUBLISHED)
    assert published("default_pool_size").formula.startswith("0.9 x max_connections")
