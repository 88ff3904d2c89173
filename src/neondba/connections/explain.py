"""Say what an error text means, what to do, and where in this project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neondba.connections.errors.entry import Concern
from neondba.connections.errors.lifetime import CHECK_FIRST
from neondba.connections.explain_results import Explanation, Known
from neondba.connections.explain_text import Hit, hits, line_of
from neondba.neon.connection_string import mask_text

if TYPE_CHECKING:
    from neondba.connections.explain_places import Project

NOTHING = (
    "Nothing in this text is known here. Paste more of it: the lines before the last one often hold the "
    "server's own words."
)


def explain(text: str, folder: Path | None) -> Explanation:
    """Find the known errors in a text, and what they concern in a project."""
    found = hits(text)
    if not found:
        return Explanation(said=NOTHING)
    project, missing = _project(folder, found)
    errors = tuple(_known(hit, text, project, alike=_alike(hit, found)) for hit in found)
    return Explanation(said=_said(found), errors=errors, not_checked=missing)


def _project(folder: Path | None, found: list[Hit]) -> tuple[Project | None, tuple[str, ...]]:
    """Read the project where an error concerns one."""
    concerned: set[Concern] = {each for hit in found for each in hit.entry.concerns}
    if folder is None or not (concerned or any(hit.entry.snippet for hit in found)):
        return None, ()
    from neondba.connections.explain_places import Project

    project = Project(folder)
    if not project.is_one:
        return None, (f"where it comes from: {folder} holds no project",)
    return project, ()


def _known(hit: Hit, text: str, project: Project | None, *, alike: bool) -> Known:
    from neondba.connections import snippets

    entry = hit.entry
    return Known(
        id=entry.id,
        title=entry.title,
        line=hit.line,
        quoted=mask_text(line_of(text, hit.line))[:300],
        cause=entry.cause,
        steps=_steps(hit, project),
        tells=entry.tells if alike else "",
        source=entry.source.title,
        date=entry.source.date,
        places=project.places(hit, text) if project else (),
        snippet=snippets.snippet(hit, text, project),
    )


def _steps(hit: Hit, project: Project | None) -> tuple[str, ...]:
    """Say of the check before use that the code has it, where each of its pools does."""
    from neondba.connections.snippets import checked_by

    steps = hit.entry.steps
    engines = [each for each in project.engines if each.is_of_the_app] if project else []
    if CHECK_FIRST not in steps or not engines or not all(map(checked_by, engines)):
        return steps
    places = ", ".join(f"{each.path}:{each.line}" for each in engines)
    said = f"The pool tests a connection before it hands it out ({places}). Let it drop idle ones, too."
    return (said, *(step for step in steps if step != CHECK_FIRST and "pool_pre_ping" not in step))


def _alike(hit: Hit, found: list[Hit]) -> bool:
    """Tell whether another error was read from the same words."""
    return any(o is not hit and o.start < hit.end and hit.start < o.end for o in found)


def _said(found: list[Hit]) -> str:
    if len(found) == 1:
        only = " It only says that something failed, not why." if found[0].entry.general else ""
        return f"One known error, in line {found[0].line}.{only}"
    if all(_alike(hit, found) for hit in found):
        return f"{len(found)} known errors read like this. Each says what it is known by."
    return f"{len(found)} known errors are in this text. The first came first: begin there."
