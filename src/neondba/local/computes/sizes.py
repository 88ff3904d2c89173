"""Compute sizes and what PostgreSQL is given for them, by Neon's formulas.

Memory is an eighth of Neon's, so that a laptop holds dozens of computes; connections and workers are
Neon's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCALE: Final = 8
"""Every memory figure is Neon's divided by this."""
CU_MEMORY_KB: Final = 4 << 20
"""What one compute unit has on Neon."""
SIZES: Final = (
    0.25,
    0.5,
    *(float(size) for size in range(1, 17)),
    *(float(size) for size in range(18, 57, 2)),
)
LARGEST_AUTOSCALED: Final = 16.0
WIDEST: Final = 8.0
SMALLEST: Final = SIZES[0]
LOCKS: Final = 64 * 419
"""Locks that every size can hold, however few a connection may."""


@dataclass(frozen=True)
class Size:
    """The bounds between which a compute scales; equal ones are a fixed size."""

    min_cu: float
    max_cu: float

    def fault(self) -> str | None:
        """Say why Neon has no such compute; None when it has."""
        for name, value in (("min", self.min_cu), ("max", self.max_cu)):
            if value not in SIZES:
                return (
                    f"autoscaling_limit_{name}_cu {value:g} is not a compute size: choose 0.25, 0.5, "
                    "1 to 16 by 1, or 18 to 56 by 2"
                )
        if self.min_cu > self.max_cu:
            return "autoscaling_limit_min_cu must not be greater than autoscaling_limit_max_cu"
        if self.min_cu == self.max_cu:
            return None
        if self.max_cu > LARGEST_AUTOSCALED:
            return "autoscaling is supported up to 16 CU: a larger compute has a fixed size"
        if self.max_cu - self.min_cu > WIDEST:
            return (
                "the difference between autoscaling_limit_max_cu and autoscaling_limit_min_cu must not "
                "exceed 8"
            )
        return None

    @classmethod
    def within(cls, low: float | None, high: float | None, usual: Size) -> Size:
        """Give the size between the bounds that are given, with usual ones for the others."""
        if low is None:
            return usual if high is None else cls(min(usual.min_cu, high), high)
        return cls(low, max(usual.max_cu, low) if high is None else high)

    @property
    def never_sleeps(self) -> bool:
        """Tell whether the compute is too large to be suspended."""
        return self.min_cu > LARGEST_AUTOSCALED

    @property
    def max_connections(self) -> int:
        """Neon's `max_connections`."""
        return max(100, min(4000, int(min(self.max_cu, 8 * self.min_cu) * 419.66)))

    @property
    def max_worker_processes(self) -> int:
        """Neon's `max_worker_processes`."""
        return 12 + int(2 * self.max_cu)

    @property
    def file_cache_mb(self) -> int:
        """Neon's Local File Cache: three quarters of the largest memory."""
        return int(self.max_cu * CU_MEMORY_KB * 0.75) >> 10

    def settings(self) -> dict[str, str]:
        """Give the PostgreSQL settings of this size."""
        connections, workers = self.max_connections, self.max_worker_processes
        buffers_mb = max(128, (1023 + (1 + connections + workers) * 256) // 1024)
        maintenance_kb = max(int(self.min_cu * CU_MEMORY_KB * 1024) * 1024 // 63_963_136, 65_536)
        return {
            "max_connections": str(connections),
            "max_worker_processes": str(workers),
            # Lock tables are touched when they are made: with thousands of connections that is memory.
            "max_locks_per_transaction": str(min(64, max(10, -(-LOCKS // connections)))),
            "max_pred_locks_per_transaction": str(min(64, max(10, -(-LOCKS // connections)))),
            "shared_buffers": f"{buffers_mb * 1024 // SCALE}kB",
            "maintenance_work_mem": f"{maintenance_kb // SCALE}kB",
            "effective_cache_size": f"{self.file_cache_mb * 1024 // SCALE}kB",
            "neon.file_cache_size_limit": f"{self.file_cache_mb // SCALE}MB",
        }
