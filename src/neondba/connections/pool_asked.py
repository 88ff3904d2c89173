"""What `pool.advise` is asked: options that stand in for what cannot be read or measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Way = Literal["pooled", "direct"]


@dataclass(frozen=True)
class Asked:
    """The options; what is absent is looked for."""

    folder: Path
    variable: str = "DATABASE_URL"
    branch: str | None = None
    measure: bool = False
    way: Way | None = None
    serverless: bool = False
    instances: int | None = None
    workers: int | None = None
    threads: int | None = None
    pool_size: int | None = None
    overflow: int | None = None
    compute_min: float | None = None
    compute_max: float | None = None
    burst: int | None = None
    per_second: float | None = None
    statement_ms: float | None = None
    wake_ms: float | None = None
