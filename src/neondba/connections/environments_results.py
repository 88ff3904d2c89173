"""What `setup.environments` answers: never a password, and none that could be guessed from it."""

from __future__ import annotations

import textwrap
from typing import Literal

from pydantic import BaseModel

from neondba.connections.explain_results import Place


class EnvironmentLine(BaseModel):
    """An environment, and where it leads."""

    name: str
    files: tuple[str, ...]
    goes_to: tuple[str, ...]
    """Endpoint or host, and database."""
    branches: tuple[str, ...] = ()
    """Branches of these endpoints, where the API was asked."""
    roles: tuple[str, ...] = ()


class IsolationFault(BaseModel):
    """Two environments that are not apart."""

    id: str
    said: str
    why: str
    evidence: Literal["shown", "read"]
    """`shown`: by the API; `read`: in the files."""
    places: tuple[Place, ...]
    steps: tuple[str, ...]

    def lines(self, width: int) -> list[str]:
        """Give it as lines of a terminal."""
        parts = textwrap.wrap(f"{self.said}  [{self.id}, {self.evidence}]", width, subsequent_indent="  ")
        parts += [f"  {place.path}:{place.line}  {place.why}" for place in self.places]
        parts += textwrap.wrap(f"why: {self.why}", width, initial_indent="  ", subsequent_indent="    ")
        for step in self.steps:
            parts += textwrap.wrap(f"do: {step}", width, initial_indent="  ", subsequent_indent="    ")
        return parts


class EnvironmentsCheck(BaseModel):
    """Whether a project's environments are apart."""

    said: str
    environments: tuple[EnvironmentLine, ...]
    faults: tuple[IsolationFault, ...]
    looked_at: tuple[str, ...] = ()
    """What was looked for."""
    not_checked: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        width = max(50, width)
        parts = [*textwrap.wrap(self.said, width)]
        for each in self.environments:
            where = ", ".join(each.goes_to) or "no database"
            named = f" (branch {', '.join(each.branches)})" if each.branches else ""
            roles = f" as {', '.join(each.roles)}" if each.roles else ""
            text = f"{each.name}: {where}{named}{roles}, from {', '.join(each.files)}"
            parts += textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")
        for fault in self.faults:
            parts += ["", *fault.lines(width)]
        parts += [""] if self.not_checked else []
        parts += [line for each in self.not_checked for line in textwrap.wrap(f"not checked: {each}", width)]
        return "\n".join(parts)
