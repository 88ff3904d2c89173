"""What `tls.check` answers."""

from __future__ import annotations

import textwrap
from typing import Literal

from pydantic import BaseModel

Verdict = Literal["ok", "note", "fault", "not checked"]
_ORDER = ("fault", "note", "not checked", "ok")


class StringLine(BaseModel):
    """One connection string, and what its mode protects from."""

    place: str
    host: str
    mode: str
    verdict: Verdict
    said: str
    do: str = ""


class ServerLine(BaseModel):
    """One server's certificate, as it showed it just now."""

    host: str
    verdict: Verdict
    said: str
    do: str = ""


class TlsCheck(BaseModel):
    """Encryption of every connection string in a project's files of variables."""

    strings: tuple[StringLine, ...]
    servers: tuple[ServerLine, ...]

    @property
    def faults(self) -> int:
        """Count what is wrong."""
        verdicts = [each.verdict for each in self.strings] + [each.verdict for each in self.servers]
        return verdicts.count("fault")

    def as_text(self, width: int) -> str:
        """Show it in a terminal, faults first."""
        if not self.strings:
            return "No file of variables here holds a connection string: there is nothing to check."
        lines = [(each.verdict, f"{each.place}, {each.mode}: {each.said}.", each.do) for each in self.strings]
        lines += [(each.verdict, f"{each.host} shows {each.said}", each.do) for each in self.servers]
        parts = []
        for verdict, said, do in sorted(lines, key=lambda each: _ORDER.index(each[0])):
            parts += textwrap.wrap(f"{verdict:11} {said}", max(50, width), subsequent_indent=" " * 12)
            if do:
                parts += textwrap.wrap(
                    f"do: {do}", max(50, width), initial_indent=" " * 12, subsequent_indent=" " * 16
                )
        return "\n".join(parts)
