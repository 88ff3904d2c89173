"""What `connection.explain` answers."""

from __future__ import annotations

import textwrap

from pydantic import BaseModel


class Place(BaseModel):
    """A line of the project that an error concerns."""

    path: str
    line: int
    why: str


class Known(BaseModel):
    """A known error that was found in the text."""

    id: str
    title: str
    line: int
    """Line of the pasted text that tells."""
    quoted: str
    """That line, without passwords."""
    cause: str
    steps: tuple[str, ...]
    tells: str = ""
    """What tells it from the others, where several read alike."""
    source: str
    """Who says so."""
    date: str
    """Of what date that is."""
    places: tuple[Place, ...] = ()
    snippet: str | None = None

    def lines(self, width: int) -> list[str]:
        """Give it as lines of a terminal."""
        parts = [f"{self.title}  [{self.id}]", f"  line {self.line}: {self.quoted}"]
        parts += _wrapped("why: " + self.cause, width)
        parts += _wrapped("it is this one if: " + self.tells, width) if self.tells else []
        for number, step in enumerate(self.steps, start=1):
            parts += _wrapped(f"{number}. {step}", width)
        parts += [f"  {place.path}:{place.line}  {place.why}" for place in self.places]
        if self.snippet:
            parts += ["", *textwrap.indent(self.snippet, "    ").splitlines(), ""]
        return [*parts, f"  source: {self.source} ({self.date})"]


class Explanation(BaseModel):
    """What is known about a text."""

    said: str
    """In a sentence: one error, several, or none that is known."""
    errors: tuple[Known, ...] = ()
    not_checked: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        parts = [self.said]
        for error in self.errors:
            parts += ["", *error.lines(max(50, width))]
        parts += [f"not checked: {each}" for each in self.not_checked]
        return "\n".join(parts)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="     ")
