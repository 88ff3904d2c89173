"""The five duties and four success criteria that head every report.

Each is met, not met, or not proven, and then it says what is missing. "Met" needs more than silence:
where a claim can be shown on a branch, it must have been shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from neondba.core.proof import Proof, Shown
from neondba.review.finding import Category, Reported, Severity


class Standing(StrEnum):
    """Where the project stands on one duty or criterion."""

    MET = "met"
    NOT_MET = "not met"
    NOT_PROVEN = "not proven"


class Verdict(BaseModel):
    """One line at the head of the report."""

    kind: str
    """`duty` or `criterion`."""
    title: str
    standing: Standing
    because: str
    """What it rests on, or what is missing to prove it."""
    findings: int = 0
    """How many findings of medium severity or worse stand against it."""


@dataclass(frozen=True)
class Question:
    """What a verdict answers, and from what."""

    kind: str
    title: str
    categories: frozenset[Category]
    claims: tuple[str, ...] = ()
    """Proofs that must hold."""
    outside: str = ""
    """What no file can show."""


def _ask(
    kind: str, title: str, *categories: Category, claims: tuple[str, ...] = (), outside: str = ""
) -> Question:
    return Question(kind, title, frozenset(categories), claims, outside)


BACKUPS = "history window, backups and failover live in the Neon project, which was not looked at"

QUESTIONS = (
    _ask(
        "duty", "Connections come from the environment, checked", Category.SECRET, Category.CONNECTION
    ),
    _ask("duty", "Development, staging and production are apart", Category.ENV),
    _ask(
        "duty", "Data keeps its integrity, migrations are safe", Category.SCHEMA, Category.MIGRATION,
        claims=("migrations",),
    ),
    _ask("duty", "Each user sees only their own rows", Category.ISOLATION, claims=("isolation",)),
    _ask(
        "duty", "Ready for production: pools, timeouts, backups", Category.POOLING, Category.PRODUCTION,
        outside=BACKUPS,
    ),
    _ask(
        "criterion", "Connections are secure and fit their environment",
        Category.SECRET, Category.ENV, Category.CONNECTION, Category.POOLING,
    ),
    _ask(
        "criterion", "The schema is validated", Category.SCHEMA, Category.MIGRATION,
        claims=("migrations",),
    ),
    _ask(
        "criterion", "User isolation is enforced", Category.ISOLATION, Category.AUTH,
        claims=("isolation",),
    ),
    _ask(
        "criterion", "No hard-coded credentials, no bypassed ORM", Category.SECRET, Category.ORM_BYPASS
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Sight:
    """How much there was to see: silence proves nothing where nothing was looked at."""

    database: bool = True
    """True when something in the project speaks to a database."""
    gaps: int = 0
    """Checks that could not run, and files that could not be read."""


def verdicts(findings: Sequence[Reported], proofs: Sequence[Proof], sight: Sight) -> list[Verdict]:
    """Draw the nine verdicts from what was read and shown."""
    return [_verdict(question, findings, proofs, sight) for question in QUESTIONS]


def _verdict(
    question: Question, findings: Sequence[Reported], proofs: Sequence[Proof], sight: Sight
) -> Verdict:
    against = [
        f for f in findings if f.category in question.categories and f.severity.rank <= Severity.MEDIUM.rank
    ]
    answering = [p for p in proofs if p.claim in question.claims]
    failed = [p for p in answering if p.shown is Shown.FAILS]
    if against or failed:
        reasons = [_counted(against)] if against else []
        return _say(
            question,
            Standing.NOT_MET,
            "; ".join(reasons + [f"shown: {p.summary}" for p in failed]),
            len(against),
        )
    if not sight.database and not answering:
        return _say(question, Standing.NOT_PROVEN, "nothing here was seen to speak to a database")
    missing = [p.missing or p.summary for p in answering if p.shown is Shown.NOT_CHECKED]
    if len(answering) < len(question.claims):
        missing.append("run again with --prove to show it on a branch")
    if question.outside:
        missing.append(question.outside)
    if missing:
        return _say(question, Standing.NOT_PROVEN, "; ".join(missing))
    if answering:
        return _say(question, Standing.MET, "; ".join(f"shown: {p.summary}" for p in answering))
    places = "1 place" if sight.gaps == 1 else f"{sight.gaps} places"
    incomplete = f"; {places} could not be looked at, see below" if sight.gaps else ""
    return _say(question, Standing.MET, f"read: no finding{incomplete}")


def _say(question: Question, standing: Standing, because: str, against: int = 0) -> Verdict:
    return Verdict(
        kind=question.kind, title=question.title, standing=standing, because=because, findings=against
    )


def _counted(against: Sequence[Reported]) -> str:
    rules = list(dict.fromkeys(f.rule for f in against))
    named = ", ".join(rules[:4]) + (", …" if len(rules) > 4 else "")
    return f"{len(against)} finding{'s' if len(against) > 1 else ''}: {named}"
