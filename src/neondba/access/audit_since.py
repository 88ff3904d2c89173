"""A moment as people write it behind `--since`: a time, a day, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pydantic_core import PydanticCustomError

from neondba.core.context import Context
from neondba.core.duration import parse as length_of
from neondba.core.problem import ArgumentProblem


def moment(text: str | None, ctx: Context) -> datetime | None:
    """Read a moment; one without a time zone is in UTC.

    Raises:
        ArgumentProblem: it is none.
    """
    if text is None:
        return None
    written = text.strip()
    try:
        ago = length_of(re.sub(r"\s+ago$", "", written))
        if isinstance(ago, timedelta):
            return ctx.clock.now() - ago
    except PydanticCustomError:
        pass
    try:
        found = datetime.fromisoformat(re.sub(r"\s+UTC$", "+00:00", written))
    except ValueError:
        raise ArgumentProblem(
            "moment-invalid",
            f"{text} is no moment.",
            hint="Write a day (2026-11-22), a time (2026-11-22T10:00Z), or how long ago (2h, 3d).",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
