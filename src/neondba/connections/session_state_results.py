"""What `pool.rehearse` answers."""

from __future__ import annotations

import textwrap
from typing import Literal

from pydantic import BaseModel

from neondba.connections.explain_results import Known, Place
from neondba.connections.rehearse_results import RunTold, counted

Evidence = Literal["shown", "read"]


class StateUse(BaseModel):
    """A statement that depends on the state of its session."""

    kind: str
    statement: str
    times: int
    evidence: Evidence
    """`shown`: something went wrong here; `read`: the statement says so."""
    said: str
    """What was seen, or why it matters."""
    instead: str
    places: tuple[Place, ...] = ()

    def lines(self, width: int) -> list[str]:
        """Give it as lines of a terminal."""
        often = f", {self.times} times" if self.times > 1 else ""
        head = f"{self.evidence:6} {self.statement}{often}"
        parts = textwrap.wrap(head, width, subsequent_indent=" " * 9)
        for text in (self.said, f"instead: {self.instead}"):
            parts += textwrap.wrap(text, width, initial_indent=" " * 7, subsequent_indent=" " * 9)
        return parts + [f"       {place.path}:{place.line}  {place.why}" for place in self.places]


class Different(BaseModel):
    """A statement that was answered otherwise through the pooler."""

    statement: str
    direct: str
    pooled: str


class PoolRehearsal(BaseModel):
    """What a command makes of a pooled connection."""

    command: tuple[str, ...]
    project: str
    copied: str
    """Branch that was copied."""
    said: str
    direct: RunTold
    pooled: RunTold
    uses: tuple[StateUse, ...] = ()
    different: tuple[Different, ...] = ()
    """Statements with other answers than direct, which were no errors."""
    failed: tuple[Different, ...] = ()
    """Other statements that failed through the pooler alone."""
    errors: tuple[Known, ...] = ()
    output: tuple[str, ...] = ()
    """The end of its output, where it failed direct already."""
    variables: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    """Statements that looked like session state, and of which another client saw nothing."""
    not_checked: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """Count what depends on the session; a run that reached no database counts too."""
        if not self.pooled.statements:
            return 1
        worse = self.pooled.status != self.direct.status or self.pooled.hung
        return len(self.uses) + len(self.failed) + (1 if worse and not self.uses and not self.failed else 0)

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        width = max(50, width)
        parts = [*textwrap.wrap(self.said, width), f"on copies of {self.copied}, project {self.project}", ""]
        parts += [*_run("direct", self.direct, width), *_run("pooled", self.pooled, width)]
        for use in self.uses:
            parts += ["", *use.lines(width)]
        for title, rows in (
            ("failed through the pooler alone", self.failed),
            ("answered otherwise, by the pooler or by the program's own chance", self.different),
        ):
            parts += ["", f"{title}:"] if rows else []
            for row in rows:
                parts += textwrap.wrap(row.statement, width, initial_indent="  ", subsequent_indent="    ")
                parts.append(f"    direct: {row.direct}; pooled: {row.pooled}")
        if self.output:
            parts += ["", "It printed last, direct:", *(f"  {line}" for line in self.output)]
        for error in self.errors:
            parts += ["", *error.lines(width)]
        for each in self.harmless:
            parts += textwrap.wrap(f"harmless: {each}", width, subsequent_indent="  ")
        parts += [""] if self.not_checked or self.variables else []
        if self.variables:
            parts += textwrap.wrap(f"led to the branch by: {', '.join(self.variables)}", width)
        parts += [line for each in self.not_checked for line in textwrap.wrap(f"not checked: {each}", width)]
        return "\n".join(parts)


def _run(name: str, run: RunTold, width: int) -> list[str]:
    ended = "did not end, and was ended by us" if run.hung else f"ended with status {run.status}"
    ended = "ran until it was told to end" if run.ended_by_us else ended
    text = (
        f"{name}: {ended} after {run.seconds:.1f} s; {counted(run.connections, 'connection')}, "
        f"{counted(run.statements, 'statement')}, {run.errors} failed"
    )
    return textwrap.wrap(text, width, subsequent_indent="  ")
