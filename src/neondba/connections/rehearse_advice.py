"""What an application should set instead, in the project's own names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.connections.explain import explain
from neondba.connections.explain_results import Known
from neondba.connections.rehearse_results import Advice, Met
from neondba.connections.rehearse_seen import Window, shortened
from neondba.connections.snippet_texts import KEYWORDS, TEXTS

if TYPE_CHECKING:
    from neondba.connections.rehearse import Told

OURS: Final = frozenset(
    {
        "terminated-suspended",
        "terminated-by-someone",
        "closed-suspended",
        "closed-waiting",
        "closed-on-the-way",
        "crashed",
    }
)
"""They tell of a connection that went: here its cause is known, and no other is guessed."""
_DONE: Final = {
    "suspend": "suspended",
    "restart": "restarted",
    "failover": "failed over",
    "cut": "cut off from the network",
}
MOST_LINES: Final = 8
_ERROR: Final = re.compile(
    r"\b(?:\w*Error|\w*Exception|ERROR|FATAL|FAILED|ECONNRESET|ECONNREFUSED|terminat|closed the connection)\b"
)


def errors(
    plain: Told | None, disturbed: Sequence[Told], folder: Path
) -> tuple[tuple[Known, ...], tuple[str, ...]]:
    """Explain the errors of the disturbed output that the undisturbed did not have; give their lines."""
    if plain and not disturbed:
        # It failed by itself: why is all that can be said.
        return explain(plain.ran.text, folder).errors, ()
    before = plain.ran.text if plain else ""
    known = {error.id for error in explain(before, None).errors}
    found: dict[str, Known] = {}
    lines: list[str] = []
    kinds = list(dict.fromkeys(each.moment.kind for told in disturbed for each in told.done))
    for told in disturbed:
        new = [error for error in explain(told.ran.text, folder).errors if error.id not in known]
        for error in new:
            ours = error.id in OURS
            found.setdefault("" if ours else error.id, _done_here(error, kinds) if ours else error)
        lines += [f"{at:.2f} s  {line.strip()}" for at, line in told.ran.lines if _ERROR.search(line)]
    return tuple(found.values()), tuple(line[:200] for line in lines[:MOST_LINES])


def _done_here(error: Known, kinds: Sequence[str]) -> Known:
    """Tell of a connection that went what is known here: who ended it. What to do is said by `advice`."""
    done = ", ".join(_DONE[kind] for kind in kinds)
    return error.model_copy(
        update={
            "title": "A connection went with its compute, as this rehearsal wanted",
            "cause": f"The compute was {done} here. On Neon the program reads the like when one sleeps, "
            "changes its size, is updated or fails over.",
            "steps": (),
            "tells": "",
            "snippet": None,
        }
    )


def advice(windows: Sequence[Window], met: Sequence[Met], folder: Path) -> Iterator[Advice]:
    """Say what to set, for what was seen."""
    stale = [window for window in windows if window.stale]
    if stale:
        lost = next(sent for window in stale for sent in window.lost if not sent.within)
        why = (
            "An idle connection was used after the compute had gone: "
            f"{shortened(lost.text) or 'a ping'} failed on it, and did not come again."
        )
        yield from changes("pool-lifetime", "Check connections before use, and drop idle ones", why, folder)
    within = [sent for window in windows for sent in window.lost if sent.within]
    if within:
        unsure = any(sent.text.lower().startswith("commit") for sent in within)
        why = (
            f"A transaction was cut at: {shortened(within[0].text)}. It did not come again: repeat it whole, "
            "from its beginning, when the connection breaks."
            + (" Whether a COMMIT that was cut took effect has to be looked up first." if unsure else "")
        )
        yield from changes("retry", "Repeat transactions that a broken connection ended", why, folder)
    if any(each.refused for each in met):
        refused = sum(each.refused for each in met)
        why = f"{refused} connections were refused while the compute was away: wait longer, and try again."
        yield from changes("connect-timeout", "Give connecting the time that waking takes", why, folder)


def changes(name: str, what: str, why: str, folder: Path) -> Iterator[Advice]:
    """Write a change for each of the project's engines that lacks it; else for its kind of program."""
    from neondba.connections.explain_places import Project
    from neondba.connections.snippets import checked_by, stacks, with_keywords

    project = Project(folder)
    kinds = KEYWORDS.get(name, {})
    engines = [engine for engine in project.engines if engine.is_of_the_app] if project.is_one else []
    for engine in engines if kinds else ():
        written = with_keywords(engine, kinds[engine.kind]) if engine.kind in kinds else None
        if written:
            checks = name == "pool-lifetime" and checked_by(engine)
            said = "Drop idle connections earlier: this pool checks them" if checks else what
            yield Advice(what=said, why=why, where=f"{engine.path}:{engine.line}", write=written)
    if engines and kinds:
        return
    used = [engine.kind for engine in engines] + stacks("", project)
    write = next((TEXTS[name][stack] for stack in used if stack in TEXTS[name]), "")
    yield Advice(what=what, why=why, write=write)
