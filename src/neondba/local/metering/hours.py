"""Hours, days and months, as usage is kept and asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from neondba.local.control.worker import stamp

Granularity = Literal["hourly", "daily", "monthly"]
HOUR: Final = timedelta(hours=1)
LOOK_BACK: Final[dict[Granularity, timedelta]] = {
    "hourly": timedelta(hours=168),
    "daily": timedelta(days=60),
    "monthly": timedelta(days=366),
}


def floor(moment: datetime, granularity: Granularity) -> datetime:
    """Give the beginning of the hour, day or month that a moment lies in."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if granularity == "hourly":
        return hour
    day = hour.replace(hour=0)
    return day if granularity == "daily" else day.replace(day=1)


def after(start: datetime, granularity: Granularity) -> datetime:
    """Give the beginning of the next one."""
    if granularity == "hourly":
        return start + HOUR
    if granularity == "daily":
        return start + timedelta(days=1)
    return (start + timedelta(days=32)).replace(day=1)


def frames(start: datetime, end: datetime, granularity: Granularity) -> Iterator[tuple[datetime, datetime]]:
    """Give the time frames between two moments, the last one whole."""
    at = floor(start, granularity)
    while at < end:
        yield at, after(at, granularity)
        at = after(at, granularity)


def shares(start: datetime, end: datetime) -> Iterator[tuple[str, float]]:
    """Split a span into hours: each hour's name and its seconds."""
    at = start
    while at < end:
        border = min(after(floor(at, "hourly"), "hourly"), end)
        yield stamp(floor(at, "hourly")), (border - at).total_seconds()
        at = border


def parse(text: str) -> datetime:
    """Read a moment as we store it."""
    return datetime.fromisoformat(text)


def period(now: datetime) -> tuple[str, str]:
    """Give the consumption period that a moment lies in: a calendar month in UTC."""
    start = floor(now, "monthly")
    return stamp(start), stamp(after(start, "monthly"))
