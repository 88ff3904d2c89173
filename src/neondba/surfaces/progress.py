"""One live line on standard error, for a person only."""

from __future__ import annotations

import sys

from neondba.surfaces import output
from neondba.surfaces.blocks import clean


class ProgressLine:
    """Show the newest progress in place; print nothing where nobody looks."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = not quiet and output.moves_the_cursor(sys.stderr)
        self._shown = False

    def __call__(self, message: str, done: float | None) -> None:
        """Replace the line."""
        if not self._on:
            return
        share = f"{done * 100:3.0f} % " if done is not None else ""
        line = (share + clean(message).replace("\n", " "))[: output.width() - 1]
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Remove the line before something else is printed."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._shown = False
