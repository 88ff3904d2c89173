"""Turn what nobody foresaw into an answer: no stack trace reaches a user."""

from __future__ import annotations

import traceback
from pathlib import Path

from neondba.core.problem import Problem

_OURS = Path(__file__).parents[1]


def unexpected(error: BaseException, subject: str) -> Problem:
    """Give the problem for an error of our own, without its text: that may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_OURS)] or list(frames)
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "unknown"
    return Problem(
        "unexpected",
        f"{subject} stopped on an error of its own: {type(error).__name__} at {place}.",
        hint="Report it with this line. NEONDBA_TRACEBACK=1 on the command line shows the whole trace.",
        error=type(error).__name__,
        at=place,
    )


def interrupted(subject: str) -> Problem:
    """Give the problem for a call that the user cancelled."""
    return Problem("interrupted", f"{subject} was cancelled.", hint="Repeat the call to start again.")
