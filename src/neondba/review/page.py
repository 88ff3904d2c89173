"""The examples on a rule's page, taken apart so that they can be run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<language>[\w-]*)[ \t]+(?P<kind>bad|good|fixed)\b(?P<options>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=ticks)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
MARKER = re.compile(r"[ \t]*(?:#|--|//|/\*|<!--)?[ \t]*<- finding[^\n]*")


@dataclass
class Case:
    """A tree of example files and where findings must be in it."""

    kind: str
    """`bad`, `good` or `fixed`."""
    name: str
    rule: str = ""
    """Code of the rule it belongs to, where it does not stand on that rule's own page."""
    files: dict[str, str] = field(default_factory=dict)
    expected: set[tuple[str, int]] = field(default_factory=set)
    """Path and line of each expected finding."""


def cases(page: str) -> list[Case]:
    """Give the examples of a page; fences with the same `case=` form one tree.

    A fence names its file: ```` ```sql bad path=migrations/002_email.sql case=two-files ````.
    """
    found: dict[str, Case] = {}
    for number, fence in enumerate(FENCE.finditer(page)):
        options = dict(part.split("=", 1) for part in fence["options"].split() if "=" in part)
        name = f"{fence['kind']} {options.get('case', number)}"
        case = found.setdefault(name, Case(fence["kind"], name, options.get("rule", "")))
        path = options.get("path", f"example.{fence['language']}")
        lines = fence["body"].split("\n")
        case.expected |= {(path, i) for i, line in enumerate(lines, start=1) if "<- finding" in line}
        case.files[path] = MARKER.sub("", fence["body"])
    return list(found.values())
