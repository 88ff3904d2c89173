"""Read an operation's description: what it says, and which problems it may end in."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neondba.core import problem as kinds

if TYPE_CHECKING:
    from neondba.core.operation import Operation

_RAISES = re.compile(r"^Raises:\n(?P<body>(?:[ \t]+.*(?:\n|$)|\n)+)", re.MULTILINE)
_ENTRY = re.compile(r"^(\w+): ", re.MULTILINE)


@dataclass(frozen=True)
class Ending:
    """One way in which an operation may fail."""

    kind: str
    when: str

    @property
    def exit_status(self) -> int:
        """The exit status of its kind."""
        kind = getattr(kinds, self.kind, kinds.Problem)
        return int(getattr(kind, "exit_status", kinds.Problem.exit_status))


def prose(operation: Operation) -> str:
    """Give the description without the list of problems."""
    return _RAISES.sub("", operation.description).strip()


def endings(operation: Operation) -> list[Ending]:
    """Give the problems that the description lists."""
    found = _RAISES.search(operation.description)
    if found is None:
        return []
    _, *parts = _ENTRY.split(textwrap.dedent(found["body"]))
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [Ending(kind, " ".join(when.split())) for kind, when in pairs]
