"""What `ask` answers: the short answer, what was looked at, steps, what is open, sources."""

from __future__ import annotations

import re
import shlex
import textwrap
from typing import Final

from pydantic import BaseModel

CODE: Final = re.compile(r"`[^`]+`")
KEPT: Final = "\N{NO-BREAK SPACE}"
"""Stands for a blank in code while lines are broken."""


class Looked(BaseModel):
    """What was looked at in the asker's project, and what was seen."""

    operation: str
    seen: tuple[str, ...]
    """Each with its place, file and line, or what was measured."""


class Passed(BaseModel):
    """A passage that answers, or may."""

    skill: str
    title: str
    address: str
    short: str = ""
    """Its first sentence, where that is short."""


class Answered(BaseModel):
    """An answer with its evidence, a question back, or that nothing is known."""

    kind: str
    """`answer`, `question` or `unknown`."""
    said: str
    """The short answer; or what is asked back; or that nothing fits."""
    looked_at: tuple[Looked, ...] = ()
    steps: tuple[str, ...] = ()
    """Each a line; the lines after it are a block that belongs to it."""
    snippets: tuple[str, ...] = ()
    trade_offs: tuple[str, ...] = ()
    ask_for_help: tuple[str, ...] = ()
    otherwise: str = ""
    """What the second of `passages` says, where the question may as well mean that."""
    not_checked: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    passages: tuple[Passed, ...] = ()
    """Where the answer stands, first, and what else comes near."""
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        width = max(50, width)
        first, *near = self.passages if self.kind == "answer" and self.passages else (None,)
        # The passage's own question: whoever asked something else sees it at once.
        parts = [first.title, ""] if first else []
        parts += [_wrapped(line, width) for line in self.said.splitlines()]
        for looked in self.looked_at:
            parts += _block(f"In your project ({looked.operation}):", looked.seen, width)
        numbered = [f"{number}. {step}" for number, step in enumerate(self.steps, start=1)]
        parts += _block("Steps:", numbered, width)
        for snippet in self.snippets:
            parts += ["", *textwrap.indent(snippet, "    ").splitlines()]
        parts += _block("Trade-offs:", self.trade_offs, width)
        if self.otherwise:
            second = near.pop(0)
            steps = f"Its steps: `neondba ask {shlex.quote(second.title)}`"
            parts += _block(f"Or did you mean: {second.title}", (self.otherwise, steps), width)
        parts += _block("Not checked:", self.not_checked, width)
        parts += _block("When to ask others:", self.ask_for_help, width)
        parts += _block("Sources:", self.sources, width)
        parts += _block("See also:", [_near(each) for each in near], width)
        return "\n".join(parts)


def _near(passed: Passed) -> str:
    joint = "" if not passed.short else " " if passed.title.endswith("?") else ": "
    return f"{passed.title}{joint}{passed.short} ({passed.skill})"


def _block(title: str, items: tuple[str, ...] | list[str], width: int) -> list[str]:
    if not items:
        return []
    laid = ["", _wrapped(title, width)]
    for item in items:
        line, _, rest = item.partition("\n")
        laid.append(_wrapped(line, width, "  ", "     "))
        laid += ["", *textwrap.indent(rest, "       ").splitlines(), ""] if rest else []
    return laid


def _wrapped(text: str, width: int, first: str = "", more: str = "") -> str:
    """Wrap a paragraph, but nothing that is copied: code keeps to one line, also where that is longer."""
    kept = CODE.sub(lambda code: code[0].replace(" ", KEPT), text)
    lines = textwrap.wrap(
        kept,
        width,
        initial_indent=first,
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(KEPT, " ")
