"""Points of a timeline's history, as clients write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from neondba.local.api.call import Refusal
from neondba.local.control.worker import stamp
from neondba.local.storage.point import Point

LSN: Final = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")


def asked(given: Mapping[str, Any], now: datetime, lsn: str, timestamp: str) -> Point:
    """Read the point of a request's two fields of these names."""
    place, moment = given.get(lsn) or None, given.get(timestamp) or None
    if place and moment:
        raise Refusal(400, f"{lsn} and {timestamp} cannot be specified at the same time")
    if place and not LSN.fullmatch(str(place)):
        raise Refusal(400, f"{lsn} must look like 0/1A2B3C8")
    at = read_moment(timestamp, moment) if moment else None
    if at is not None and at > now + timedelta(seconds=1):
        raise Refusal(400, f"{timestamp} must not be in the future")
    return Point(place, at)


def read_moment(name: str, value: Any) -> datetime:
    """Read an RFC 3339 time."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Refusal(400, f"{name} must be an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise Refusal(400, f"{name} must have a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Refusal(400, f"{name} must be an RFC 3339 time") from None


def arguments(point: Point) -> dict[str, str | None]:
    """Write a point down for an operation."""
    return {"lsn": point.lsn, "timestamp": point.timestamp.isoformat() if point.timestamp else None}


def later(now: datetime, seconds: int | None) -> str | None:
    """Give the moment so many seconds later, as the API writes it."""
    return None if seconds is None else stamp(now + timedelta(seconds=seconds))
