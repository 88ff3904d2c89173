"""When a schedule's snapshots are due. All moments are in UTC."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

FREQUENCIES: Final = ("hourly", "daily", "weekly", "monthly", "yearly")
RETENTION: Final = 35 * 86_400
"""Seconds that a scheduled snapshot is kept when its entry does not say."""

Item = Mapping[str, Any]


def due(items: Sequence[Item], seen: datetime, now: datetime) -> list[Item]:
    """Give the entries that had a turn after `seen` and until `now`; what was missed is not made up."""
    return [item for item in items if seen < _latest(item, now) <= now]


def _latest(item: Item, now: datetime) -> datetime:
    """Give the last turn of an entry until now."""
    hour = item.get("hour") or 0
    match item["frequency"]:
        case "hourly":
            return now.replace(minute=0, second=0, microsecond=0)
        case "daily":
            return _last([_at(now - timedelta(days=back), hour) for back in (0, 1)], now)
        case "weekly":
            # The first day is Monday, as in ISO 8601.
            weekday = ((item.get("day") or 1) - 1) % 7
            days = (now - timedelta(days=back) for back in range(8))
            return _last([_at(day, hour) for day in days if day.weekday() == weekday], now)
        case "monthly":
            months = (now, now.replace(day=1) - timedelta(days=1))
            return _last([_at(_day(month, item.get("day") or 1), hour) for month in months], now)
        case _:
            month = item.get("month") or 1
            years = (now.replace(day=1, month=month), now.replace(day=1, month=month, year=now.year - 1))
            return _last([_at(_day(year, item.get("day") or 1), hour) for year in years], now)


def _at(day: datetime, hour: int) -> datetime:
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def _day(month: datetime, day: int) -> datetime:
    """Give a day of a month; a short month ends before the 31st."""
    return month.replace(day=min(day, calendar.monthrange(month.year, month.month)[1]))


def _last(turns: list[datetime], now: datetime) -> datetime:
    return max(turn for turn in turns if turn <= now)
