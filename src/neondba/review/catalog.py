"""Findings of rules that look at a database, and their agreement with those that read files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from neondba.review.finding import Evidence, EvidenceKind, Finding, Reported, Severity
from neondba.review.rule import Rule

if TYPE_CHECKING:
    from neondba.project.database import Database
    from neondba.project.database_places import Spot

MOST_NAMED: Final = 3


def shown(
    spot: Spot,
    message: str,
    steps: tuple[str, ...],
    snippet: str = "",
    *,
    seen: str,
    database: Database,
    severity: Severity | None = None,
) -> Finding:
    """Make a finding whose evidence is what the database says."""
    evidence = f"{database.title}: {seen}"
    return Finding(
        spot.path, spot.line, message, steps, snippet, severity, evidence, is_shown=True, also=spot.also
    )


def confirmed(finding: Finding, known: Iterable[Reported], answered: Iterable[tuple[str, int]]) -> bool:
    """Tell whether the same cause is reported from files already; make that report a shown one.

    `known` are findings of the rule that reads the fault from files, `answered` the places where the
    project has said that it knows.
    """
    places = {(finding.path, finding.line), *finding.also}
    told = [each for each in known if (each.path, each.line) in places]
    for each in told:
        each.evidence = Evidence(kind=EvidenceKind.SHOWN, text=finding.evidence)
    return bool(told) or any(place in places for place in answered)


def plain(name: str) -> str:
    """Write a name without `public`, as people say it."""
    from neondba.project.database_places import name_of

    return str(name_of(name)).removeprefix("public.")


def listed(names: Iterable[str], most: int = 5) -> str:
    """Write names as a person does, the first few of many."""
    every = [f"`{name}`" for name in dict.fromkeys(names)]
    if len(every) > most:
        every = [*every[: most - 1], f"{len(every) - most + 1} more"]
    return every[0] if len(every) == 1 else ", ".join(every[:-1]) + " and " + every[-1]


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its word: `1 table`, `3 tables`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def in_one_line(gaps: list[tuple[Rule, str]]) -> Iterator[tuple[str, str]]:
    """Give what could not be checked and why; rules that miss the same thing share a line."""
    for missing in dict.fromkeys(gap for _, gap in gaps):
        lacking = [rule for rule, gap in gaps if gap == missing]
        if len(lacking) > MOST_NAMED:
            codes = f"{lacking[0].code} to {lacking[-1].code}"
            yield f"{len(lacking)} rules that look at a database ({codes})", missing
        else:
            yield ", ".join(f"{rule.code} {rule.name}" for rule in lacking), missing
