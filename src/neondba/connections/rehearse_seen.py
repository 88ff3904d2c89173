"""Read off a run's record what each disturbance did and how the application came back."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from neondba.connections.rehearse_disturb import Disturbance
from neondba.connections.rehearse_record import Record, Sent, Session
from neondba.connections.rehearse_results import Met, RunTold
from neondba.connections.rehearse_run import Ran
from neondba.connections.rehearse_visit import Answer
from neondba.neon.connection_string import mask_text

_PING: Final = re.compile(r"\s*(?:;|select 1;?|--[^\n]*|)\s*$", re.IGNORECASE)
_FRAME: Final = re.compile(
    r"\s*(?:begin|start transaction|commit|rollback|end|select 1|;|)\b[^a-z]*$", re.IGNORECASE
)
LONGEST: Final = 120


@dataclass(frozen=True)
class Window:
    """The time from one disturbance to the next, and what failed in it."""

    disturbance: Disturbance
    until: float
    cut: tuple[Session, ...]
    failed: tuple[Sent, ...]
    again: tuple[Sent, ...]

    @property
    def lost(self) -> tuple[Sent, ...]:
        """What failed and did not come again."""
        return tuple(sent for sent in self.failed if sent not in self.again)

    @property
    def stale(self) -> bool:
        """True when an idle connection was used that was dead already."""
        return any(not sent.within for sent in self.lost)


def windows(record: Record, done: Sequence[Disturbance], plain: Record | None = None) -> list[Window]:
    """Give a window for each disturbance that took place; `plain` is the record of an undisturbed run."""
    ends = [each.began for each in done[1:]] + [math.inf]
    whole = plain is not None and not missing(plain, record)
    return [_window(record, each, end, whole=whole) for each, end in zip(done, ends, strict=True)]


def missing(plain: Record, record: Record) -> Counter[str]:
    """Count the statements that were answered undisturbed and lack in this run, by their texts."""
    return _answered(plain) - _answered(record)


def _answered(record: Record) -> Counter[str]:
    return Counter(s.text for s in record.statements if s.error is None and not _FRAME.match(s.text))


def _window(record: Record, disturbance: Disturbance, until: float, *, whole: bool) -> Window:
    begun = disturbance.began
    cut = tuple(
        session
        for session in record.sessions
        if session.admitted is not None
        and session.closed_by in ("server", "relay")
        and session.closed is not None
        and begun <= session.closed < until
    )
    failed = tuple(
        sent
        for sent in record.statements
        if sent.error is not None
        and sent.done is not None
        and begun <= sent.done < until
        and sent.session in cut
    )
    again = tuple(sent for sent in failed if whole or _came_again(record, sent, until))
    return Window(disturbance, until, cut, failed, again)


def _came_again(record: Record, failed: Sent, until: float) -> bool:
    """Tell whether the transaction of a statement came again, by what only it had sent.

    A ping counts when anything was answered later. Of a BEGIN nobody knows what was to follow.
    """
    later = {
        (sent.text, sent.values)
        for sent in record.statements
        if sent.session is not failed.session and failed.at < sent.at < until and sent.error is None
    }
    if _PING.match(failed.text):
        return bool(later)
    mine = [sent for sent in _transaction(record, failed) if not _FRAME.match(sent.text)]
    before = Counter((sent.text, sent.values) for sent in record.statements if sent.at <= failed.at)
    own = [(sent.text, sent.values) for sent in mine if before[sent.text, sent.values] == 1]
    return bool(own) and all(each in later for each in own)


def _transaction(record: Record, last: Sent) -> list[Sent]:
    """Give the statements of a transaction up to this one."""
    found: list[Sent] = []
    for sent in reversed([s for s in record.statements if s.session is last.session and s.at <= last.at]):
        found.append(sent)
        if not sent.within:
            break
    return found


def met(record: Record, window: Window, answers: Sequence[Answer]) -> Met:
    """Say what one disturbance did."""
    d = window.disturbance
    good = [
        sent.done
        for sent in record.statements
        if sent.done is not None
        and d.ended < sent.done < window.until
        and sent.error is None
        and sent.session not in window.cut
    ]
    later = [s for s in record.sessions if d.began < s.opened < window.until]
    return Met(
        kind=d.moment.kind,
        what=d.what or "it could not be done",
        at=round(d.began, 3),
        within=d.within,
        statement=shortened(d.met.text) if d.met else "",
        connections_open=d.open_sessions,
        connections_cut=len(window.cut),
        transactions_cut=sum(session.cut_within for session in window.cut),
        statements_failed=len(window.failed),
        sent_again=len(window.again),
        reopened=sum(session.admitted is not None for session in later),
        refused=sum(session.refused is not None for session in later),
        back_after=round(min(good) - d.ended, 3) if good else None,
        trouble=d.trouble,
        visits_failed=sum(d.began <= a.at + a.seconds < window.until and not a.good for a in answers),
    )


def told(ran: Ran, record: Record, *, disturbed: bool) -> RunTold:
    """Sum a run up."""
    return RunTold(
        disturbed=disturbed,
        status=ran.status,
        seconds=round(ran.seconds, 3),
        ended_by_us=ran.stopped,
        hung=ran.too_long,
        connections=sum(session.admitted is not None for session in record.sessions),
        statements=record.count,
        errors=sum(1 for _ in record.errors()),
    )


def shortened(text: str) -> str:
    """Give a statement on one line, without passwords, and not all of a long one."""
    line = mask_text(" ".join(text.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
