"""What the rules on reachable statements say alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from neondba.project.isolation.judged import Binding, EntranceKind
from neondba.project.isolation.judging import Fault, Verdict
from neondba.review.finding import Severity

TENANT = re.compile(
    r"(?:^|_)(tenant|org|organi[sz]ation|workspace|company|team|business|clinic|school|restaurant)(?:_?id|_uuid)?$",
    re.IGNORECASE,
)


def first_per_door(verdicts: Iterable[Verdict], *faults: Fault) -> Iterator[Verdict]:
    """Give the first open statement of each entrance: those after it have the same cause.

    A table that nothing binds anywhere is one cause, too, as is a statement that many entrances reach.
    """
    told: set[object] = set()
    for verdict in verdicts:
        site = verdict.judged.path, verdict.judged.line
        causes: list[object] = [id(verdict.door)]
        if verdict.everywhere:
            causes.append(verdict.model.qualified)
        if verdict.judged.way and verdict.judged.way[0].line == verdict.door.function.line:
            causes.append(site)
        if verdict.fault in faults and not told.intersection(causes):
            told.update(causes)
            yield verdict


def place(verdict: Verdict, verdicts: Iterable[Verdict]) -> tuple[str, int]:
    """Give the line at fault: the statement, or the call of it where others call it rightly."""
    judged = verdict.judged
    if judged.way and any(
        other.judged.path == judged.path
        and other.judged.line == judged.line
        and other.judged.binding is not Binding.OPEN
        for other in verdicts
    ):
        return judged.way[0].path, judged.way[0].line
    return judged.path, judged.line


def severity(verdict: Verdict) -> Severity | None:
    """Lower the severity where a row hangs on others by a chain, or may belong to nobody."""
    chained = verdict.judged.owner.count(".") > 1
    return Severity.MEDIUM if chained or verdict.owned.optional or verdict.everywhere else None


def way(verdict: Verdict) -> tuple[str, ...]:
    """Tell how the statement is reached, one place a step."""
    entrance = verdict.judged.entrance
    steps = [f"{s.path}:{s.line} {s.name}()" for s in verdict.judged.way]
    return (f"{entrance.path}:{entrance.line} {entrance.name}", *steps)


def caller(verdict: Verdict) -> str:
    """Name the expression that carries the caller."""
    return verdict.judged.entrance.principal or "current_user"


def own(verdict: Verdict, column: str) -> str:
    """Name the expression that carries the caller's own value of an owner column."""
    return f"{caller(verdict)}.{column if holder(column) != 'user' else 'id'}"


def holder(column: str) -> str:
    """Say in words who holds a row by what its owner column is called."""
    match = TENANT.search(column.rpartition(".")[2])
    return match[1].replace("_", " ") if match else "user"


def plural(word: str) -> str:
    """Give the plural of a holder's name."""
    return word[:-1] + "ies" if word.endswith("y") else word + ("es" if word.endswith("s") else "s")


def who(verdict: Verdict) -> str:
    """Say who may come in."""
    if verdict.judged.entrance.kind is EntranceKind.TOOL:
        return "Whoever talks to the assistant and has it call"
    if verdict.door.authenticated:
        return "Any signed-in user who calls"
    return "Any caller, signed in or not, of"
