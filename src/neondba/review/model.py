"""The review as one value, from which every report is made."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from neondba.core.proof import Proof
from neondba.project.facts import Unparsed
from neondba.review.engine import NotChecked, Suppressed
from neondba.review.finding import Reported
from neondba.review.verdict import Verdict


class Compared(BaseModel):
    """What a review was held against, and what that left out."""

    base: str = ""
    """The revision that the change is compared with, as the user gave it."""
    commit: str = ""
    """The merge base itself."""
    older: int = 0
    """Findings left out because they stood there before."""
    repaired: int = 0
    """Findings of the base that are gone."""
    baseline: str = ""
    """The file of accepted findings."""
    accepted: int = 0
    """Findings left out because the baseline holds them."""
    stale: list[str] = Field(default_factory=list)
    """Entries of the baseline that answer nothing any more."""


class Review(BaseModel):
    """What was found, shown and left unchecked in one project."""

    project: str
    """The path or revision under review, as the user gave it."""
    prefix: str = Field(default="", exclude=True)
    """The folder's place in its repository, with a slash at its end: hosts name files from the top."""
    files: int
    lines: int
    seconds: float
    verdicts: list[Verdict]
    findings: list[Reported]
    proofs: list[Proof] = Field(default_factory=list)
    suppressed: list[Suppressed] = Field(default_factory=list)
    not_checked: list[NotChecked] = Field(default_factory=list)
    unparsed: list[Unparsed] = Field(default_factory=list)
    compared: Compared | None = None
    """Present where findings were left out on purpose: `--base`, a baseline."""
    isolation: str = ""
    """Statements that somebody outside can reach, counted by what binds them to that somebody."""
    next: list[str] = Field(default_factory=list)
    """Commands that make sense now."""

    @property
    def is_of_a_change(self) -> bool:
        """True with a base: the verdicts speak of the whole project, and are left out of what people read."""
        return self.compared is not None and bool(self.compared.base)

    def as_spans(self, width: int) -> list[list[tuple[str, str]]]:
        """Give the report's lines as styled pieces, for a terminal of this width."""
        from neondba.review.terminal import lines

        return lines(self, width)

    def as_text(self, width: int) -> str:
        """Give the report as plain text."""
        return "\n".join("".join(text for _, text in line).rstrip() for line in self.as_spans(width))

    def as_markdown(self) -> str:
        """Give the report as Markdown: for a pull request or a page."""
        from neondba.review.markdown import document

        return document(self)

    def as_html(self) -> str:
        """Give the report as one page that needs nothing else: to send to a colleague."""
        from neondba.review.html import page

        return page(self)

    def as_github(self) -> str:
        """Give the report as workflow commands: GitHub shows them beside the lines."""
        from neondba.review.github import commands

        return commands(self)

    def as_sarif(self) -> dict[str, Any]:
        """Give the report as SARIF 2.1.0: for code scanning."""
        from neondba.review.sarif import log

        return log(self)
