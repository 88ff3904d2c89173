"""Find the statements of a run that depend on the state of their session, and what that did."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neondba.connections.rehearse_record import Record, Sent
from neondba.connections.rehearse_seen import shortened
from neondba.connections.session_state_other import OtherClient, keeping
from neondba.connections.session_state_places import Written
from neondba.connections.session_state_results import Different, StateUse
from neondba.connections.session_state_texts import WHAT, WHY, instead
from neondba.postgres.session_use import SessionUse, uses

MOST_ROWS: Final = 10
_SHOWN_VALUES: Final = re.compile(r"^[a-z_]+$")
_FEEDS: Final = re.compile(r"\bnextval\s*\(|\binsert\b", re.IGNORECASE)
_STARTUP: Final = re.compile(r"unsupported startup parameter(?: in options)?: (?P<name>\S+)")


@dataclass
class _Group:
    """All that was sent of one text, as far as it concerns one kind of state."""

    use: SessionUse
    sent: list[Sent] = field(default_factory=list)


@dataclass(frozen=True)
class Compared:
    """A direct and a pooled run of the same command."""

    direct: Record
    pooled: Record
    other: OtherClient


def found(compared: Compared, folder: Path) -> tuple[list[StateUse], list[str]]:
    """Give the statements that depend on their session; and those that only look so."""
    written = Written(folder)
    uses_, harmless = [], []
    for text, group in _groups(compared.pooled).items():
        said, shown = _shown(compared, text[0], group)
        if not shown and _is_harmless(compared, text[0], group):
            harmless.append(f"{shortened(text[0])}: another client looked, and saw nothing of it")
            continue
        if not shown and not _counts(group):
            continue
        uses_.append(_use(group, text[0], said, written, shown=shown))
    return [*_refused(compared, written), *sorted(uses_, key=lambda use: use.evidence != "shown")], harmless


def _groups(record: Record) -> dict[tuple[str, str], _Group]:
    groups: dict[tuple[str, str], _Group] = {}
    for sent in record.statements:
        if not sent.session.pooled:
            continue
        kept = list(keeping(sent))
        for use in (*kept, *(u for u in uses(sent.text) if u.does == "needs")):
            groups.setdefault((sent.text, use.kind), _Group(use)).sent.append(sent)
    return groups


def _use(group: _Group, text: str, said: str, written: Written, *, shown: bool) -> StateUse:
    kind, name = group.use.kind, group.use.name
    return StateUse(
        kind=kind,
        statement=shortened(text),
        times=len(group.sent),
        evidence="shown" if shown else "read",
        said=f"{WHAT[kind]}. {said or WHY[kind]}",
        instead=instead(kind, name),
        places=written.places(text, kind, name),
    )


def _shown(compared: Compared, text: str, group: _Group) -> tuple[str, bool]:
    """Say what a statement was seen to do through the pooler that it did not do direct."""
    failed = _new_errors(compared, text)
    if failed:
        return f"It failed through the pooler, not direct: {failed[0]}", True
    stuck = [sent for sent in compared.other.stuck if sent.text == text]
    if stuck and group.use.kind == "advisory lock":
        return "It waited for a lock that an earlier connection of the same program still had.", True
    follower = _follower(compared, group.use)
    if follower:
        return follower, True
    left = compared.other.seen.get(text)
    if left:
        kept = left[0]
        value = f" = {kept.value}" if kept.value is not None and _SHOWN_VALUES.match(kept.name) else ""
        thing = f"{kept.name}{value}" if kept.kind != "advisory lock" else f"{kept.name} of its locks"
        return f"Another client at the same pooler found {thing} in its connection.", True
    direct, pooled = _answers(compared.direct, text), _answers(compared.pooled, text)
    if direct and pooled and direct != pooled and group.use.does == "needs":
        return (
            f"It answered {_listed(pooled - direct)} through the pooler, {_listed(direct - pooled)} direct.",
            True,
        )
    warned = [note for sent in group.sent for note in sent.notices]
    if warned and group.use.does == "needs":
        return f"The server warned: {warned[0]}", True
    return "", False


def _follower(compared: Compared, use: SessionUse) -> str:
    """Say which later statement missed what this one had made, by its name in the error."""
    if use.does != "keeps" or use.kind not in ("temporary table", "held cursor", "prepared statement"):
        return ""
    for sent in compared.pooled.errors():
        message = (sent.error or {}).get("M", "")
        if f'"{use.name}"' in message and message in _new_errors(compared, sent.text):
            return f"Afterwards, through the pooler, {shortened(sent.text)} failed: {message}"
    return ""


def _is_harmless(compared: Compared, text: str, group: _Group) -> bool:
    return group.use.does == "keeps" and text in compared.other.looked and group.use.kind != "library"


def _counts(group: _Group) -> bool:
    """Tell whether a statement that needs state may be without it: not where its own transaction made it."""
    if group.use.does == "keeps":
        return True
    if group.use.kind in ("setting", "held cursor"):
        return False
    if group.use.kind != "sequence value":
        return True
    return any(not sent.within and not _FEEDS.search(sent.text) for sent in group.sent)


def _new_errors(compared: Compared, text: str) -> list[str]:
    def errors(record: Record) -> Counter[str]:
        return Counter((s.error or {}).get("M", "") for s in record.errors() if s.text == text)

    return list((errors(compared.pooled) - errors(compared.direct)).elements())


def _answers(record: Record, text: str) -> Counter[str]:
    return Counter(
        f"{sent.tag}" if sent.row is None else sent.row
        for sent in record.statements
        if sent.text == text and sent.error is None and sent.done is not None
    )


def _listed(answers: Counter[str]) -> str:
    return ", ".join(f"{answer or 'nothing'}" for answer in list(answers)[:3]) or "nothing else"


def _refused(compared: Compared, written: Written) -> Iterator[StateUse]:
    """Give the start-up parameters that the pooler refused."""
    names: Counter[str] = Counter()
    for session in compared.pooled.sessions:
        match = _STARTUP.search((session.refused or {}).get("M", "")) if session.pooled else None
        if match:
            names[match["name"]] += 1
    for name, times in names.items():
        # One that is refused direct as well is no matter of the pooler, and still stands in the way.
        kind = "start-up parameter"
        yield StateUse(
            kind=kind,
            statement=f"{name} at the start of a connection",
            times=times,
            evidence="shown",
            said=f"{WHAT[kind]}. The pooler refused the connection: unsupported startup parameter {name}.",
            instead=instead(kind, name),
            places=written.places("", kind, name),
        )


def differences(
    compared: Compared, known: set[str], explained: Sequence[str]
) -> tuple[list[Different], list[Different]]:
    """Give other statements that were answered otherwise, and those that failed through the pooler alone."""
    answers: dict[str, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for side, record in enumerate((compared.direct, compared.pooled)):
        for sent in record.statements:
            if sent.error is None and sent.done is not None and sent.tag:
                answers[sent.text][side][sent.tag] += 1
    different = [
        Different(statement=shortened(text), direct=_listed(a - b), pooled=_listed(b - a))
        for text, (a, b) in answers.items()
        if text not in known and a.total() == b.total() and a != b
    ]
    failed = []
    said = " ".join(explained)
    for text in dict.fromkeys(sent.text for sent in compared.pooled.errors()):
        errors = _new_errors(compared, text) if text not in known else []
        if errors and errors[0] not in said:
            failed.append(Different(statement=shortened(text), direct="no such error", pooled=errors[0]))
    return different[:MOST_ROWS], failed[:MOST_ROWS]
