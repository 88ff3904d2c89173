"""Neon's compute sizes, its formulas for connections, and the limits of its pooler, each with its source.

The one place where these figures stand: the local Neon keeps to them, and advice is computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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
CONNECTIONS_PER_CU: Final = 419.66
FEWEST_CONNECTIONS: Final = 100
MOST_CONNECTIONS: Final = 4000
RESERVED_CONNECTIONS: Final = 7
"""Kept for Neon's own superuser."""
POOL_SHARE: Final = 0.9
"""Of `max_connections`, for each role and database: PgBouncer's `default_pool_size`."""
MAX_CLIENT_CONN: Final = 10_000
QUERY_WAIT_TIMEOUT: Final = 120.0
"""Seconds after which the pooler ends a client that still has no server connection."""
MAX_PREPARED_STATEMENTS: Final = 1000
USUAL_SUSPEND_SECONDS: Final = 300
USUAL_WAKE_SECONDS: Final = 0.5

_POOLING: Final = "Neon docs, connection pooling"
_COMPUTES: Final = "Neon docs, computes"
_COMPATIBILITY: Final = "Neon docs, Postgres compatibility"
_ERRORS: Final = "Neon docs, connection errors"
_ASSISTANT: Final = "Neon docs, import data assistant"
_USAGE: Final = "Neon docs, usage calculations"
_API: Final = "Neon API guidelines, neondatabase/agent-skills"


@dataclass(frozen=True)
class Published:
    """A figure or formula as Neon publishes it."""

    name: str
    formula: str
    source: str
    dated: str


PUBLISHED: Final = (
    Published("compute sizes", "0.25, 0.5, 1 to 16 by 1, 18 to 56 by 2 CU", _COMPUTES, "2026-08-26"),
    Published(
        "autoscaling", "up to 16 CU, max CU - min CU <= 8; larger sizes are fixed", _COMPUTES, "2026-08-26"
    ),
    Published("memory", "4 GB x CU", _COMPUTES, "2026-08-26"),
    Published(
        "max_connections",
        "max(100, min(4000, floor(min(max CU, 8 x min CU) x 419.66)))",
        _COMPATIBILITY,
        "2026-01",
    ),
    Published(
        "max_connections by size",
        "104 at 0.25 CU, 839 at 0.25 to 2 CU, 3357 at 1 to 8 CU",
        _COMPATIBILITY,
        "2026-01",
    ),
    Published("reserved connections", "7, for Neon's superuser", _POOLING, "2026-02-06"),
    Published("pool_mode", "transaction", _POOLING, "2026-02-06"),
    Published(
        "default_pool_size", "0.9 x max_connections, for each role and database", _POOLING, "2026-02-06"
    ),
    Published("max_client_conn", "10000", _POOLING, "2026-02-06"),
    Published("query_wait_timeout", "120 s", _POOLING, "2026-02-06"),
    Published("max_prepared_statements", "1000", _POOLING, "2026-02-06"),
    Published("scale to zero", "after 5 minutes, unless set otherwise", "Neon docs, plans", "2026-08-27"),
    Published("postgres versions", "14, 15, 16, 17 and 18", "Neon API, OpenAPI document", "2026-07-13"),
    Published("wake time", "about 0.5 s", "Neon docs, production checklist", "2025-08-02"),
    Published("idle in transaction", "5 minutes", _COMPATIBILITY, "2026-01"),
    Published("disk for temporary files", "max(20 GiB, 15 GiB x max CU)", _COMPUTES, "2026-08-26"),
    Published("smallest compute", f"{SMALLEST:g} CU", _COMPUTES, "2026-08-26"),
    Published("cache", "up to 75% of the memory", _COMPUTES, "2026-08-26"),
    Published("cache hit goal", "99% or more", "Neon docs, the neon extension", "2025-07-11"),
    Published(
        "autoscaling goals",
        "CPU load up to 90%, memory up to 75%, working set within 75% of the memory",
        "Neon docs, autoscaling algorithm",
        "2025/26",
    ),
    Published(
        "archiving",
        "older than 14 days and not used for 24 hours",
        "Neon docs, branch archiving",
        "2025/26",
    ),
    Published("unclaimed database kept", "72 hours", "Claimable Postgres, neondatabase/agent-skills", "2026"),
    Published("maintenance_work_mem", "64 MB up to 0.5 CU, then 67 MB x min CU", _COMPATIBILITY, "2026-01"),
    Published("databases", "500 per branch", "Neon FAQ, create a new database", "2026"),
    Published("roles", "500 per branch", "Neon docs, roles", "2025/26"),
    Published(
        "password strength",
        "at least 60 bits of entropy (about 12 mixed characters)",
        "Neon docs, roles",
        "2025/26",
    ),
    Published(
        "Vercel preview kept",
        "after 180 days, unless you set another time, and hours to days for the clean-up",
        "Neon docs, managing Vercel preview branch cleanup",
        "2026-03-20",
    ),
    Published(
        "idle in functions", "5 to 10 seconds", "Neon docs, highly elastic serverless platforms", "2026-09-16"
    ),
    Published("free history", "1 GB of changes", "Neon docs, history window", "2026-06-05"),
    Published("reset after snapshot", "24 hours", "Neon docs, reset from parent", "2026-09-24"),
    Published("active computes", "20 at once, the default branch's not counted", _ERRORS, "2025/26"),
    Published("branch expiry", "30 days", "Neon API, OpenAPI document", "2026-07-13"),
    Published("deleted project kept", "7 days", "Neon API, OpenAPI document", "2026-07-13"),
    Published(
        "indexed dimensions",
        "2,000 as vector, 4,000 as halfvec, 64,000 as bit",
        "pgvector, README",
        "2026-08-19",
    ),
    Published("replication slots", "10, and as many senders", _COMPATIBILITY, "2026-01"),
    Published(
        "agreed uptime in 2024", "99.95 % of a month", "Neon, Business service level agreement", "2024-09-02"
    ),
    Published("slot unused", "about 40 hours", "Neon docs, logical replication in Neon", "2025/26"),
    Published("import assistant", "10 GB and 1 hour, AWS, Postgres 14 to 17", _ASSISTANT, "2025/26"),
    Published("api rate", "700 requests a minute, bursts of 40 a second and route", _API, "2026-02-04"),
    Published("billing month", "744 hours", _USAGE, "2026-05-28"),
    Published("spending alerts", "80% and 100% of the limit", "Neon docs, spending limit", "2026"),
    Published("usage delay", "about 15 minutes", "Neon docs, consumption metrics", "2025/26"),
    Published("webhook age", "5 minutes", "Neon docs, Auth webhooks", "2026-03-07"),
    Published("webhook attempts", "3 within 15 seconds", "Neon docs, Auth webhooks", "2026-03-07"),
    Published("fetch connect timeout", "10 s", "undici documentation, Client, connect timeout", "2026"),
    Published(
        "node attempt timeout",
        "250 ms up to Node.js 24, 500 ms in 25 and 26",
        "Node.js 20 to 26, net.getDefaultAutoSelectFamilyAttemptTimeout(), run",
        "2026-11-23",
    ),
    Published("http answer", "64 MB", "Neon docs, serverless driver", "2026"),
    Published("auth token", "15 minutes", "Neon docs, Auth, JWT", "2026-09-16"),
    Published("prisma connect_timeout", "5 s", "Neon docs, Prisma (before Prisma 7)", "2025"),
    Published("prisma pool_timeout", "10 s", "Neon docs, Prisma (before Prisma 7)", "2025"),
    Published("prisma transaction timeout", "5 s", "Prisma documentation", "2026"),
)
"""What the figures here are taken from."""


def published(name: str) -> Published:
    """Give one of the published figures by its name."""
    return next(each for each in PUBLISHED if each.name == name)


def pool_size(max_connections: int) -> int:
    """Give the server connections that the pooler may open for one role and database."""
    return max(1, int(max_connections * POOL_SHARE))


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
        counted = int(min(self.max_cu, 8 * self.min_cu) * CONNECTIONS_PER_CU)
        return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, counted))

    @property
    def usable_connections(self) -> int:
        """What is left of `max_connections` for everybody but Neon."""
        return self.max_connections - RESERVED_CONNECTIONS

    @property
    def pool_size(self) -> int:
        """The pooler's server connections for each role and database."""
        return pool_size(self.max_connections)

    @property
    def max_worker_processes(self) -> int:
        """Neon's `max_worker_processes`."""
        return 12 + int(2 * self.max_cu)

    @property
    def file_cache_mb(self) -> int:
        """Neon's Local File Cache: three quarters of the largest memory."""
        return int(self.max_cu * CU_MEMORY_KB * 0.75) >> 10
