"""What Neon's plans include and allow, as read from its pages on the dates below. Prices: `prices.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from neondba.neon.limits import SMALLEST
from neondba.neon.prices import LAUNCH, MONTH_HOURS, SCALE

SOURCE: Final = "Neon docs, plans"
DATED: Final = "2026-08-27"


@dataclass(frozen=True)
class Allowance:
    """One line of the table of plans."""

    name: str
    free: str
    launch: str
    scale: str
    source: str = SOURCE
    dated: str = DATED


_HISTORY: Final = "Neon docs, history window"
_BRANCHES: Final = "Neon docs, branches"
_REPLICAS: Final = "Neon docs, read replicas"
_INCLUDED: Final = 100.0
"""CU-hours that a project on Free has for the month."""


def _costing(size: float, hours: float) -> tuple[str, str, str]:
    """Say what a compute of this size comes to in so many hours awake, by plan."""
    used = size * hours
    free = "within what is included" if used <= _INCLUDED else "more than is included"
    launch, scale = (f"{used:g} CU-hours, ${used * each.compute_unit_hour:,.2f}" for each in (LAUNCH, SCALE))
    return f"{used:g} CU-hours: {free}", launch, scale


ALLOWANCES: Final = (
    Allowance("projects", "100", "100", "1,000"),
    Allowance("branches included", "10 per project", "10 per project", "25 per project"),
    Allowance("root branches", "3", "5", "25", _BRANCHES, "2026-08"),
    Allowance(
        "compute included", f"{_INCLUDED:g} CU-hours per project and month", "none: per use", "none: per use"
    ),
    Allowance("largest autoscaling", "2 CU", "16 CU", "16 CU; fixed sizes to 56 CU"),
    Allowance("scale to zero", "5 minutes, always", "5 minutes, or off", "from 1 minute, or off"),
    Allowance("storage included", "0.5 GB per project", "none: per use", "none: per use"),
    Allowance("data size", "0.5 GB per project", "no limit", "no limit", SOURCE, "2026-11-12"),
    Allowance("history window", "6 hours", "1 day, up to 7", "1 day, up to 30", _HISTORY, "2026-06-05"),
    Allowance("snapshots by hand", "1", "100", "100"),
    Allowance("snapshot schedules", "no", "yes", "yes"),
    Allowance(
        "public transfer included",
        "5 GB per project",
        "500 GB per project",
        "500 GB per project",
        "Neon docs, plans, by pull requests 5344 and 5713 of its site",
        "2026-09-02",
    ),
    Allowance("public transfer beyond", "computes stop", "$0.10 per GB", "$0.10 per GB"),
    Allowance("private transfer", "none", "none", "$0.01 per GB, in and out"),
    Allowance("smallest compute all month", *_costing(SMALLEST, MONTH_HOURS)),
    Allowance("smallest compute two hours a day", *_costing(SMALLEST, 2 * 30)),
    Allowance("smallest compute nine hours a day", *_costing(SMALLEST, 9 * 30)),
    Allowance("half a CU in office hours", *_costing(0.5, 8 * 22)),
    Allowance("one CU all month", *_costing(1, MONTH_HOURS)),
    Allowance("two CU all month", *_costing(2, MONTH_HOURS)),
    Allowance("four CU all month", *_costing(4, MONTH_HOURS)),
    Allowance("monitoring kept", "1 day", "3 days", "14 days"),
    Allowance("metrics and log export", "no", "no", "yes"),
    Allowance("protected branches", "no", "yes", "yes"),
    Allowance("IP allow list", "no", "no", "yes"),
    Allowance("service level agreement", "no", "no", "yes"),
    Allowance("read replicas", "3 computes per project", "no limit", "no limit", _REPLICAS, "2025/26"),
    Allowance("support", "community", "billing", "standard"),
    Allowance("Auth users", "60,000 a month", "1,000,000 a month", "1,000,000 a month"),
    Allowance("object storage", "beta", "$0.023 per GB and month", "$0.023 per GB and month"),
    Allowance("functions while active", "beta", "$0.10 per capacity-hour", "$0.12 per capacity-hour"),
)
"""Read from Neon's pages; what a plan allows changes, so say the date with it."""
