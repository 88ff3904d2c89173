"""Write to the terminal or a pipe without ever crashing on it."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def prepare() -> None:
    """Let no character break the output, whatever the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace" if stream is sys.stderr else "replace")


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether a person looks at the stream; a closed stream is nobody."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def moves_the_cursor(stream: TextIO | None) -> bool:
    """Say whether a line on the stream can be written over."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def wants_colour(stream: TextIO) -> bool:
    """Say whether the stream may carry colour."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_unicode(stream: TextIO) -> bool:
    """Say whether the stream can carry any character."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") in {"utf8", "utf16", "utf32"}


def out(text: str) -> bool:
    """Print a result; false when its reader has gone away, which is no error.

    Raises:
        RemoteProblem: it cannot be written, as on a full disk.
    """
    try:
        return _write(sys.stdout, text)
    except OSError as error:
        from neondba.core.problem import RemoteProblem

        _give_up(sys.stdout)
        raise RemoteProblem(
            "output-not-written",
            f"The result could not be written to standard output: {error.strerror}.",
            hint="Make room there, or print to another place.",
        ) from None


def err(text: str) -> None:
    """Print what is not the result: problems, questions, progress."""
    try:
        _write(sys.stderr, text)
    except OSError:
        _give_up(sys.stderr)


def _write(stream: TextIO | None, text: str) -> bool:
    if stream is None:  # closed by whoever started us
        return False
    try:
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()
    except BrokenPipeError:
        _give_up(stream)
        return False
    return True


def _give_up(stream: TextIO) -> None:
    # What is still buffered would raise again at exit: let it go nowhere.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def width() -> int:
    """Give the number of columns to fill, from 40 to 120."""
    given = os.environ.get("COLUMNS", "")
    if given.isdigit():
        return max(40, min(120, int(given)))
    try:
        columns = os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]
    except (AttributeError, OSError, ValueError):
        columns = 0
    return max(40, min(120, columns or 100))
