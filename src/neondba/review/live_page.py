"""The examples on the page of a rule that looks at a database: SQL that makes the fault and mends it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FENCE = re.compile(
    r"^```sql[ \t]+(?P<kind>fault|repair|silent)\b(?P<options>[^\n]*)\n(?P<body>.*?)^```[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
REFUSED = "-- refused"
"""Stands beside a statement that must fail."""


@dataclass
class Step:
    """Statements, and what the rule must say after them."""

    kind: str
    """`fault`: findings; `repair` and `silent`: none."""
    sql: str
    objects: frozenset[str]
    """What the findings are about: `public.items.owner_id`."""
    as_superuser: bool = False
    counted_days: float | None = None
    """How long the counters shall have counted."""
    severity: str = ""
    """Of each finding; the rule's own if empty, `any` to leave it open."""
    says: str = ""
    """What each message must hold."""


@dataclass
class LiveCase:
    """Steps on one fresh database."""

    name: str
    steps: list[Step] = field(default_factory=list)


def live_cases(page: str) -> list[LiveCase]:
    """Give the examples of a page; fences with the same `case=` share a database, in order."""
    found: dict[str, LiveCase] = {}
    for fence in FENCE.finditer(page):
        words = fence["options"].split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        name = options.get("case", "first")
        days = options.get("days")
        found.setdefault(name, LiveCase(name)).steps.append(
            Step(
                fence["kind"],
                fence["body"],
                frozenset(o.replace("&", " ") for o in options.get("object", "").split(",") if o),
                "superuser" in words,
                float(days) if days else None,
                options.get("severity", ""),
                options.get("says", "").replace("&", " "),
            )
        )
    return list(found.values())
