"""A point in a timeline's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Point:
    """A place in the write-ahead log, or a moment; neither means now."""

    lsn: str | None = None
    """Such as `0/1A2B3C8`: what is committed up to here is in."""
    timestamp: datetime | None = None
    """With a time zone: what was committed by then is in."""

    @property
    def now(self) -> bool:
        """Tell whether this is the present moment."""
        return self.lsn is None and self.timestamp is None


@dataclass(frozen=True)
class Fork:
    """Where a new directory left its source."""

    lsn: str | None
    """None when a sleeping source was copied and nothing asked where it stood."""
    at: datetime | None = None
