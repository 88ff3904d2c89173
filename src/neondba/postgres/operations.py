"""Show what PostgreSQL does, as it was seen."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect


class FactSummary(BaseModel):
    """A fact in the list of facts."""

    id: str
    subject: str
    title: str
    seen: str
    """What was seen, in a few words."""


class FactPage(FactSummary):
    """A fact with what was executed and what was seen, release by release."""

    sql: list[str]
    before: str
    claim: str
    """What a guide says that this shows to be false; empty for most."""
    versions: dict[str, str]
    """What was seen on each release, by exact version."""

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Give the page as it is read in a terminal."""
        said = [f"{version}: {seen}" for version, seen in self.versions.items()]
        before = [f"after: {self.before.strip()}"] if self.before else []
        claim = [f"but: {self.claim}"] if self.claim else []
        return "\n".join([f"fact:{self.id}", self.title, "", *before, *self.sql, "", *said, *claim])


@operation("fact.list", effect=Effect.READ, examples=(Example(), Example({"subject": "types"})))
def fact_list(
    ctx: Context,
    *,
    subject: Annotated[
        str | None,
        Field(description="Only facts of this subject: columns, types, constraints, indexes and so on."),
    ] = None,
) -> list[FactSummary]:
    """List what was seen of PostgreSQL: locks, rewrites, reads, refusals.

    Every fact was executed on real servers by scripts/facts.py; the tests execute it again.
    """
    from neondba.postgres.facts import facts

    return [
        FactSummary(id=f.id, subject=f.subject, title=f.title, seen=f.seen)
        for f in facts().values()
        if subject in (None, f.subject)
    ]


@operation(
    "fact.show",
    effect=Effect.READ,
    examples=(
        Example({"fact": "add-column-default-now"}),
        Example({"fact": "no-such-fact"}, problem="fact-not-found"),
    ),
)
def fact_show(
    ctx: Context,
    fact: Annotated[str, Field(description="Id of the fact: add-column-default-now.")],
) -> FactPage:
    """Show one fact: what was executed, and what each release did.

    Raises:
        NotFoundProblem: there is no such fact.
    """
    from neondba.postgres import facts

    found = facts.fact(fact)
    every = [facts.fact(fact, release) for release in facts.releases()]
    return FactPage(
        id=found.id,
        subject=found.subject,
        title=found.title,
        seen=found.seen,
        sql=[found.sql] if isinstance(found.sql, str) else list(found.sql),
        before=found.before,
        claim=found.claim,
        versions={f.version: f.seen for f in every},
    )
