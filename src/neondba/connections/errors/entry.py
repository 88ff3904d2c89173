"""One known error: how its text reads, why it comes, what to do, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Concern(StrEnum):
    """A part of a project that an error may come from."""

    ENGINE = "engine"
    """The calls that make engines, pools and clients."""
    ADDRESS = "address"
    """The connection strings in files."""
    VARIABLE = "variable"
    """The places that read a connection string from the environment."""


@dataclass(frozen=True)
class Source:
    """Who says so, and from when that is."""

    title: str
    date: str


@dataclass(frozen=True)
class Entry:
    """A known error.

    Signs are regular expressions without regard to case, over text in which every run of white space is
    one blank. A group `name` is a name from the user's own text.
    """

    id: str
    title: str
    signs: tuple[str, ...]
    cause: str
    steps: tuple[str, ...]
    source: Source
    tells: str = ""
    """What tells it from others with the same text."""
    concerns: tuple[Concern, ...] = ()
    lacks: tuple[str, ...] = ()
    """Settings of a pool whose absence makes it likely."""
    snippet: str = ""
    """Name of the change to show, in `snippets.py`."""
    over: tuple[str, ...] = ()
    """Entries that it rules out when both are found."""
    follows: bool = False
    """True for a text that often follows another, which says more: that the connection is closed."""
    general: bool = False
    """True for a text that only wraps another, which says more."""
