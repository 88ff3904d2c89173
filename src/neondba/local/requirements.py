"""The reference page of the local Neon, from the routes and the behaviours that each part declares.

A part declares its behaviours in a `requirements.py` of its folder; routes carry their own rows.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

import neondba.local
from neondba.local.api.routes import routes
from neondba.local.requirement import Requirement


def behaviours() -> list[Requirement]:
    """Give the behaviours of all parts."""
    found: list[Requirement] = []
    for part in sorted(
        pkgutil.walk_packages(neondba.local.__path__, "neondba.local."), key=lambda at: at.name
    ):
        if part.name.endswith(".requirements") and part.name != __name__:
            found += import_module(part.name).BEHAVIOURS
    return found


def document() -> str:
    """Write the reference page in Markdown."""
    lines = [
        "# The local Neon: what it answers",
        "",
        "Generated from the routes and from each part's `requirements.py`; tests compare both ways.",
        "The local Neon is a stand-in for development, tests and proofs. An operation of",
        "the published document that is not listed answers 404 `… is not available in the local Neon`;",
        "what the document does not know answers 404 `this route does not exist`.",
        "",
    ]
    answered = [route.requirement for route in routes()]
    known = behaviours()
    built, missing = [row for row in known if not row.deferred], [row for row in known if row.deferred]
    for title, rows in (("Operations", answered), ("Behaviour", built), ("Not built", missing)):
        if rows:
            lines += [f"## {title}", "", "| what | does | differs from Neon | source |", "|---|---|---|---|"]
            lines += [_line(row) for row in rows]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _line(row: Requirement) -> str:
    return f"| `{row.id}` | {row.sentence} | {row.divergence or ''} | {row.source} |"
