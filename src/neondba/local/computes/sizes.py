"""What PostgreSQL is given for a compute's size, by Neon's formulas.

Memory is an eighth of Neon's, so that a laptop holds dozens of computes; connections and workers are
Neon's own numbers.
"""

from __future__ import annotations

from typing import Final

from neondba.neon.limits import CU_MEMORY_KB, Size

SCALE: Final = 8
"""Every memory figure is Neon's divided by this."""
LOCKS: Final = 64 * 419
"""Locks that every size can hold, however few a connection may."""


def settings_of(size: Size) -> dict[str, str]:
    """Give the PostgreSQL settings of a size."""
    connections, workers = size.max_connections, size.max_worker_processes
    buffers_mb = max(128, (1023 + (1 + connections + workers) * 256) // 1024)
    maintenance_kb = max(int(size.min_cu * CU_MEMORY_KB * 1024) * 1024 // 63_963_136, 65_536)
    return {
        "max_connections": str(connections),
        "max_worker_processes": str(workers),
        # Lock tables are touched when they are made: with thousands of connections that is memory.
        "max_locks_per_transaction": str(min(64, max(10, -(-LOCKS // connections)))),
        "max_pred_locks_per_transaction": str(min(64, max(10, -(-LOCKS // connections)))),
        "shared_buffers": f"{buffers_mb * 1024 // SCALE}kB",
        "maintenance_work_mem": f"{maintenance_kb // SCALE}kB",
        "effective_cache_size": f"{size.file_cache_mb * 1024 // SCALE}kB",
        "neon.file_cache_size_limit": f"{size.file_cache_mb // SCALE}MB",
    }
