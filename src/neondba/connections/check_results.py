"""What `connection.check` answers."""

from __future__ import annotations

import textwrap
from typing import Literal

from pydantic import BaseModel

Verdict = Literal["ok", "fault", "note", "not checked"]


class CheckLine(BaseModel):
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    said: str
    """What was seen; or why it was not looked at."""
    do: str = ""
    """What to change."""


class DriverAdvice(BaseModel):
    """What one driver makes of the connection string."""

    driver: str
    takes: tuple[str, ...] = ()
    """Parameters that it understands."""
    changes: tuple[str, ...] = ()
    """What to write otherwise, and why."""
    write: str
    """The string for this driver, without the password."""
    source: str


class ConnectionCheck(BaseModel):
    """What is wrong with a connection, from here, for this use."""

    address: str
    """Where it goes, without the password."""
    found_in: str
    use: str
    lines: tuple[CheckLine, ...]
    drivers: tuple[DriverAdvice, ...]
    drivers_from: Literal["asked", "project"] = "asked"
    """Whether a driver was named, or those are shown that the project uses."""

    @property
    def faults(self) -> int:
        """Count what is wrong."""
        return sum(line.verdict == "fault" for line in self.lines)

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        parts = [f"{self.address}", f"from {self.found_in}, for use as {self.use}", ""]
        for line in self.lines:
            said = f"{line.verdict:11} {line.name}: {line.said}"
            parts += textwrap.wrap(said, max(50, width), subsequent_indent=" " * 12)
            if line.do:
                parts += textwrap.wrap(
                    f"do: {line.do}", max(50, width), initial_indent=" " * 12, subsequent_indent=" " * 16
                )
        if self.drivers_from == "project":
            parts += ["", *textwrap.wrap(self._whose(), max(50, width))]
        for driver in self.drivers:
            parts += ["", f"{driver.driver}", f"  write: {driver.write}"]
            for change in driver.changes:
                parts += textwrap.wrap(change, max(50, width), initial_indent="  ", subsequent_indent="    ")
        return "\n".join(parts)

    def _whose(self) -> str:
        if not self.drivers:
            return "Nothing here names a driver that is known. How to write the string for one: --driver NAME"
        return "For what this project uses; for others: --driver NAME, --driver all"


def ok(name: str, said: str) -> CheckLine:
    """Say that it is as it should be."""
    return CheckLine(name=name, verdict="ok", said=said)


def fault(name: str, said: str, do: str) -> CheckLine:
    """Say what is wrong and what to do."""
    return CheckLine(name=name, verdict="fault", said=said, do=do)


def note(name: str, said: str, do: str = "") -> CheckLine:
    """Say what is worth knowing."""
    return CheckLine(name=name, verdict="note", said=said, do=do)


def not_checked(name: str, why: str) -> CheckLine:
    """Say why it was not looked at."""
    return CheckLine(name=name, verdict="not checked", said=why)
