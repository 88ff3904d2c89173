"""Tell whether two reports speak of the same fault, whatever became of line numbers.

A fault is known by its rule, its file, the text of its line and what is said about it. All four are
masked or public, so that what is kept of them holds no secret.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from neondba.review.finding import Reported
from neondba.review.masking import masked


@dataclass(frozen=True)
class Trace:
    """What remains of a finding when lines have moved."""

    rule: str
    path: str
    text: str
    """Hash of the line; empty where the line may not be kept."""
    said: str
    """Hash of the message without numbers and without the path."""
    line: int = 0
    """Where it stood, when that is known."""
    message: str = ""


def trace_of(finding: Reported) -> Trace:
    """Reduce a finding to what survives a moved line."""
    return Trace(
        finding.rule,
        finding.path,
        _hash(finding.context) if finding.context else "",
        _hash(_without_numbers(finding)),
        finding.line,
        masked(finding.message),
    )


def fingerprint(finding: Reported) -> str:
    """Give 16 hexadecimal digits for a finding's rule, file, line and message."""
    trace = trace_of(finding)
    return _hash("|".join((trace.rule, trace.path, trace.text, trace.said)))


def _without_numbers(finding: Reported) -> str:
    return re.sub(r"\d+", "#", masked(finding.message).replace(finding.path, "…"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


Near = Callable[[Trace, Reported], bool]

KEYS: tuple[Callable[[Trace], tuple[str, ...] | None], ...] = (
    lambda t: (t.rule, t.path, t.text, t.said),
    lambda t: (t.rule, t.path, t.text) if t.text else None,
    lambda t: (t.rule, t.path, t.said),
    lambda t: (t.rule, t.text, t.said) if t.text else None,
)
"""From the closest likeness to the loosest: the line was changed, or moved to another file."""

CHANGED_LINE = 2
"""Which of the keys means that the line itself was rewritten."""


def compared(
    now: Sequence[Reported],
    before: Sequence[Trace],
    renamed: Mapping[str, str] | None = None,
    near: Near = lambda _before, _now: True,
) -> tuple[list[Reported], list[Reported], list[Trace]]:
    """Part findings into new and known ones; give also the traces that nothing answers any more.

    `renamed` leads from a file's former name to its present one; `near` tells whether a rewritten line
    stands where the former one stood.
    """
    names = renamed or {}
    left = [_moved(trace, names.get(trace.path, trace.path)) for trace in before]
    traces = {id(finding): trace_of(finding) for finding in now}
    waiting = list(now)
    for number, key in enumerate(KEYS):
        offered: dict[tuple[str, ...] | None, list[Trace]] = defaultdict(list)
        for trace in left:
            offered[key(trace)].append(trace)
        offered.pop(None, None)
        still, used = [], set()
        for finding in waiting:
            same = offered.get(key(traces[id(finding)]), [])
            place = next((n for n, t in enumerate(same) if number != CHANGED_LINE or near(t, finding)), None)
            if place is None:
                still.append(finding)
            else:
                used.add(id(same.pop(place)))
        waiting, left = still, [trace for trace in left if id(trace) not in used]
    new = {id(finding) for finding in waiting}
    return waiting, [f for f in now if id(f) not in new], left


def _moved(trace: Trace, path: str) -> Trace:
    return Trace(trace.rule, path, trace.text, trace.said, trace.line, trace.message)
