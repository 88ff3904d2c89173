"""What `connection.rehearse` answers."""

from __future__ import annotations

import textwrap

from pydantic import BaseModel

from neondba.connections.explain_results import Known


def counted(number: int, thing: str) -> str:
    """Write how many of a thing there are."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


class RunTold(BaseModel):
    """One run of the command."""

    disturbed: bool
    status: int
    """Its exit status; 128 and the number for a signal that ended it."""
    seconds: float
    ended_by_us: bool
    """True where it was told to end, so that its status says nothing."""
    hung: bool
    """True where it did not end in time."""
    connections: int
    statements: int
    errors: int
    """Statements that the server refused, or that were cut off."""


class Met(BaseModel):
    """What one disturbance did, and what the application made of it."""

    kind: str
    what: str
    at: float
    """Seconds after the run began."""
    within: bool
    """True when it fell into an open transaction."""
    statement: str = ""
    """The statement that met it."""
    connections_open: int
    connections_cut: int
    transactions_cut: int
    statements_failed: int
    sent_again: int
    """Of these, how many came again with the same values."""
    reopened: int
    refused: int
    """Connections that were refused afterwards."""
    back_after: float | None
    """Seconds until a statement was answered again; absent where none came."""
    trouble: str = ""
    visits_failed: int = 0
    """Requests that the application did not answer, or answered with an error, until the next one."""

    @property
    def survived(self) -> bool:
        """True when nothing that failed was left failed."""
        came_back = self.back_after is not None or not self.statements_failed
        return came_back and self.sent_again >= self.statements_failed and not self.visits_failed

    def lines(self, width: int) -> list[str]:
        """Give it as lines of a terminal."""
        head = f"{self.at:6.1f} s  {self.kind}: {self.what}"
        place = "in an open transaction" if self.within else "between transactions"
        parts = textwrap.wrap(f"{head}, {place}.", width, subsequent_indent=" " * 10)
        said = self.trouble or self._said()
        return [*parts, *textwrap.wrap(said, width, initial_indent=" " * 10, subsequent_indent=" " * 10)]

    def _said(self) -> str:
        parts = [
            f"{self.connections_cut} of {counted(self.connections_open, 'connection')} and "
            f"{counted(self.transactions_cut, 'transaction')} cut, "
            f"{counted(self.statements_failed, 'statement')} failed"
            + (f", {self.sent_again} sent again" if self.statements_failed else "")
        ]
        if self.refused:
            parts.append(f"{counted(self.refused, 'connection')} refused")
        parts.append(f"{counted(self.reopened, 'connection')} opened anew")
        parts.append(
            "no statement was answered afterwards"
            if self.back_after is None
            else f"a statement was answered again {self.back_after:.2f} s after"
        )
        if self.visits_failed:
            parts.append(f"{counted(self.visits_failed, 'request')} failed")
        return "; ".join(parts) + "."


class Advice(BaseModel):
    """What to set in place of what is there."""

    what: str
    why: str
    where: str = ""
    write: str = ""


class Visits(BaseModel):
    """What the application's own addresses answered."""

    asked: int
    failed: int
    longest: float
    """Seconds that the slowest answer took."""


class ConnectionRehearsal(BaseModel):
    """What an application makes of a compute that goes away."""

    command: tuple[str, ...]
    project: str
    copied: str
    """Branch that was copied."""
    said: str
    runs: tuple[RunTold, ...]
    met: tuple[Met, ...]
    visits: Visits | None = None
    errors: tuple[Known, ...] = ()
    """Errors in its output that were not there undisturbed, with cause and remedy."""
    output: tuple[str, ...] = ()
    """The lines of its output that tell of errors."""
    advice: tuple[Advice, ...] = ()
    variables: tuple[str, ...] = ()
    """The project's own variables that led to the branch, beside the usual ones."""
    not_checked: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """Count what the application did not get over; a run in which nothing was disturbed counts too."""
        if not self.met:
            return 1
        plain = [run for run in self.runs if not run.disturbed]
        normal = plain[0].status if plain else 0
        ended = sum(
            run.hung or (not run.ended_by_us and run.status != normal) for run in self.runs if run.disturbed
        )
        return ended + sum(not met.survived for met in self.met)

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        width = max(50, width)
        parts = [*textwrap.wrap(self.said, width), f"on copies of {self.copied}, project {self.project}"]
        parts += ["", *(line for run in self.runs for line in _run_lines(run, width))]
        if self.visits:
            v = self.visits
            parts.append(f"requests: {v.asked} asked, {v.failed} failed, slowest {v.longest:.2f} s")
        for met in self.met:
            parts += ["", *met.lines(width)]
        for advice in self.advice:
            parts += ["", *_advice_lines(advice, width)]
        for error in self.errors:
            parts += ["", *error.lines(width)]
        if self.output and not self.errors:
            parts += ["", "It printed:", *(f"  {line}" for line in self.output)]
        if self.variables:
            parts += ["", *textwrap.wrap(f"led to the branch by: {', '.join(self.variables)}", width)]
        parts += [""] if self.not_checked else []
        parts += [line for each in self.not_checked for line in textwrap.wrap(f"not checked: {each}", width)]
        return "\n".join(parts)


def _run_lines(run: RunTold, width: int) -> list[str]:
    name = "disturbed" if run.disturbed else "undisturbed"
    if run.hung:
        ended = "did not end, and was ended by us"
    elif run.ended_by_us:
        ended = "ran until it was told to end"
    else:
        ended = f"ended with status {run.status}"
    text = (
        f"{name + ':':13} {ended} after {run.seconds:.1f} s; {counted(run.connections, 'connection')}, "
        f"{counted(run.statements, 'statement')}, {run.errors} failed"
    )
    return textwrap.wrap(text, width, subsequent_indent=" " * 14)


def _advice_lines(advice: Advice, width: int) -> list[str]:
    head = f"do: {advice.what}" + (f"  ({advice.where})" if advice.where else "")
    parts = textwrap.wrap(head, width, subsequent_indent="    ")
    parts += textwrap.wrap(advice.why, width, initial_indent="    ", subsequent_indent="    ")
    return parts + ([textwrap.indent(advice.write, "      ")] if advice.write else [])
