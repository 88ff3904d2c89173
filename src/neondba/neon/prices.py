"""What Neon charges, and what a branch therefore costs by the month.

Read from Neon's page of plans (neon.com/docs/introduction/plans) on the date below. Prices move: whatever
shows an amount says which plan and date it is from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from neondba.neon.models import Branch

READ_ON: Final = date(2026, 8, 27)
GB: Final = 1e9
MONTH_HOURS: Final = 744
"""Neon bills every month as one of 31 days."""
SHORTEST_SAMPLE: Final = timedelta(days=1)
"""Compute use is carried forward from at least this long: minutes say nothing about a month."""


@dataclass(frozen=True)
class Prices:
    """The prices of one plan, in US dollars."""

    plan: str
    compute_unit_hour: float
    storage_gb_month: float
    history_gb_month: float
    snapshot_gb_month: float
    extra_branch_month: float
    branches_included: int
    """Branches of a project that cost nothing by themselves, the root among them."""


FREE: Final = Prices("free", 0, 0, 0, 0, 0, 10)
LAUNCH: Final = Prices("launch", 0.106, 0.35, 0.20, 0.09, 1.50, 10)
SCALE: Final = Prices("scale", 0.222, 0.35, 0.20, 0.09, 1.50, 25)
PLANS: Final = {each.plan: each for each in (FREE, LAUNCH, SCALE)}


def of_plan(subscription: str | None) -> Prices:
    """Give a plan's prices by what Neon calls it, such as `launch_v3`; Launch where it is unknown."""
    word = (subscription or "").partition("_")[0].lower()
    return PLANS.get(word, LAUNCH)


def storage(bytes_held: float, prices: Prices) -> float:
    """Give what holding so much costs by the month."""
    return bytes_held / GB * prices.storage_gb_month


@dataclass(frozen=True)
class MonthlyCost:
    """What a branch costs by the month if it goes on as it is."""

    compute: float
    storage: float
    extra_branch: float

    @property
    def total(self) -> float:
        """Give the sum."""
        return self.compute + self.storage + self.extra_branch


def month_of(
    branch: Branch, prices: Prices, *, children: int, period_start: datetime | None, now: datetime
) -> MonthlyCost:
    """Estimate a branch's cost by the month from what Neon says about it.

    Compute: what it used in this period, carried forward. Storage: a root's size; a child's own changes,
    at most its size. `children` counts the project's child branches: beyond those included each costs.
    """
    since = max(filter(None, (branch.created_at, period_start)))
    hours = max(now - since, SHORTEST_SAMPLE) / timedelta(hours=1)
    size = branch.logical_size or 0
    held = size if branch.parent_id is None else min(branch.written_data_bytes, size)
    extra = branch.parent_id is not None and children > prices.branches_included - 1
    return MonthlyCost(
        compute=branch.compute_time_seconds / 3600 / hours * MONTH_HOURS * prices.compute_unit_hour,
        storage=storage(held, prices),
        extra_branch=prices.extra_branch_month if extra else 0.0,
    )
