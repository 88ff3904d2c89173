"""What the operations on allow lists answer."""

from __future__ import annotations

import textwrap
from typing import Literal

from pydantic import BaseModel

Verdict = Literal["ok", "fault", "note", "not checked"]


class AllowedEntry(BaseModel):
    """One entry of the list."""

    entry: str
    kind: str
    addresses: int
    note: str = ""


class IpAllowList(BaseModel):
    """From which addresses a project may be reached."""

    project: str
    entries: tuple[AllowedEntry, ...]
    protected_branches_only: bool
    blocks_public: bool
    protected_branches: tuple[str, ...]
    means: str
    """What it comes to, in one sentence."""
    changed: tuple[str, ...] = ()
    """What was changed just now."""
    shown: str = ""
    """What a connection from here met with afterwards."""
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        wide = max(50, width)
        parts = textwrap.wrap(f"Project {self.project}: {self.means}", wide)
        longest = max((len(each.entry) for each in self.entries), default=0)
        for each in self.entries:
            size = f", {each.addresses:,} addresses" if each.addresses > 1 else ""
            line = f"  {each.entry:<{longest}}  {each.kind}{size if each.addresses < 1 << 33 else ''}"
            parts += [line.rstrip(), *([f"    {each.note}"] if each.note else [])]
        for sentence in (*self.changed, self.shown):
            if sentence:
                parts += textwrap.wrap(sentence, wide)
        return "\n".join([*parts, *(f"next: {each}" for each in self.next)])


class IpAllowLine(BaseModel):
    """One place that connects, or may."""

    place: str
    verdict: Verdict
    said: str
    evidence: str
    """`shown`, `read` with the file, `computed`, or what is missing."""
    do: str = ""


class IpAllowCheck(BaseModel):
    """Whether those who must connect can."""

    project: str
    means: str
    lines: tuple[IpAllowLine, ...]

    @property
    def faults(self) -> int:
        """Count what is wrong."""
        return sum(line.verdict == "fault" for line in self.lines)

    def as_text(self, width: int) -> str:
        """Show it in a terminal: faults first."""
        wide = max(50, width)
        parts = [*textwrap.wrap(f"Project {self.project}: {self.means}", wide), ""]
        order = ("fault", "note", "not checked", "ok")
        for line in sorted(self.lines, key=lambda each: order.index(each.verdict)):
            said = f"{line.verdict:11} {line.place}: {line.said} [{line.evidence}]"
            parts += textwrap.wrap(said, wide, subsequent_indent=" " * 12)
            if line.do:
                parts += textwrap.wrap(
                    f"do: {line.do}", wide, initial_indent=" " * 12, subsequent_indent=" " * 16
                )
        return "\n".join(parts)
