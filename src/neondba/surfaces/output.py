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


def is_terminal(stream: TextIO) -> bool:
    """Say whether a person looks at the stream; a closed stream is nobody."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def wants_colour(stream: TextIO) -> bool:
    """Say whether the stream may carry colour."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_unicode(stream: TextIO) -> bool:
    """Say whether the stream can carry any character."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") in {"utf8", "utf16", "utf32"}


def out(text: str) -> None:
    """Print a result; a reader who has gone away is no error."""
    _write(sys.stdout, text)


def err(text: str) -> None:
    """Print what is not the result: problems, questions, progress."""
    _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()
    except BrokenPipeError:
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
