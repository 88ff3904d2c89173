"""What walking an application as two users has shown."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from pydantic import BaseModel


class Verdict(StrEnum):
    """What came of trying one route with another user's identifiers."""

    CROSSED = "crossed"
    """A was given, changed, deleted or added what is B's."""
    BOUND = "bound"
    """A's own came through, B's did not: the application holds them apart."""
    BY_POLICY = "by policy"
    """As bound, and row-level security binds the application's role on every table it touched."""
    PUBLIC = "public"
    """Shown to everyone by design: whoever is not signed in reads it too, and cannot change it."""
    NOTHING_OWNED = "nothing owned"
    """It reads and writes no row that belongs to anybody."""
    NOT_REACHED = "not reached"
    """Not even A's own came through, so a refusal shows nothing."""


class Evidence(BaseModel):
    """One request and what it brought."""

    request: str
    """Method and path with the identifiers that were sent."""
    who: str
    """`A`, or `anyone` for a request without credentials."""
    what: str
    """`B's task_id in the path`: what of B's was sent."""
    status: int
    saw: str
    """What crossed over, or how it was refused."""
    statements: tuple[str, ...] = ()
    """What reached the database meanwhile and concerns it, without values."""


class RouteProof(BaseModel):
    """One route: what was tried and what came of it."""

    method: str
    path: str
    verdict: Verdict
    why: str
    """One sentence."""
    place: str | None = None
    """File and line of the function."""
    tables: tuple[str, ...] = ()
    """Tables with an owner that its statements name."""
    requests: int = 0
    evidence: tuple[Evidence, ...] = ()

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


class ApplicationProof(BaseModel):
    """Whether one user of the application reaches another's rows, route by route."""

    application: str
    role: str
    role_chosen: str
    passes_by: str | None = None
    signed_in: str
    """How the two users became known to the application."""
    branch: str | None = None
    routes: tuple[RouteProof, ...] = ()
    tables: tuple[str, ...] = ()
    """Tables with rows of the two users."""
    notes: tuple[str, ...] = ()
    requests: int = 0
    seconds: float = 0.0

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many routes have which verdict."""
        found = Counter(route.verdict for route in self.routes)
        return {verdict: found[verdict] for verdict in Verdict if found[verdict]}

    @property
    def crossed(self) -> list[RouteProof]:
        """The routes through which something crossed over."""
        return [route for route in self.routes if route.verdict is Verdict.CROSSED]

    @property
    def unshown(self) -> list[RouteProof]:
        """The routes that concern rows of people, and of which nothing was shown."""
        return [route for route in self.routes if route.verdict is Verdict.NOT_REACHED and route.tables]

    @property
    def found(self) -> int:
        """Count the routes that let something cross, or else those of which nothing was shown."""
        return len(self.crossed) or len(self.unshown) or int(not self.holds)

    @property
    def holds(self) -> bool:
        """True when nothing crossed and at least one route was shown to bind."""
        bound = (Verdict.BOUND, Verdict.BY_POLICY)
        some = any(route.verdict in bound for route in self.routes)
        return some and not self.crossed and not self.unshown

    @property
    def summary(self) -> str:
        """One sentence over all routes."""
        counted = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
        if not self.routes:
            return "The application answers no route, so there is nothing to prove."
        many = f"{len(self.routes)} routes"
        if self.crossed:
            return f"One user reaches another's rows through {len(self.crossed)} of {many} ({counted})."
        if not self.holds and not self.unshown:
            return f"Nothing is shown: no route of {many} came through with a user's own rows ({counted})."
        if self.unshown:
            shown = sum(r.verdict in (Verdict.BOUND, Verdict.BY_POLICY, Verdict.PUBLIC) for r in self.routes)
            both = shown + len(self.unshown)
            return (
                f"Shown for {shown} of {both} routes only: {len(self.unshown)} were not reached ({counted})."
            )
        return f"One user reaches none of another's rows through {many} ({counted})."

    def as_text(self, width: int) -> str:
        """Show the matrix for a person: what crossed first, with its evidence."""
        where = f" on branch {self.branch}" if self.branch else ""
        sent = f"{self.requests} requests of user A, with what is user B's, to {self.application}{where}"
        lines = [self.summary, f"{sent}, {self.seconds:.1f} s."]
        lines.append(f"Signed in: {self.signed_in}. Role {self.role}: {self.role_chosen}.")
        for verdict in self.counts:
            lines.append("")
            for route in (r for r in self.routes if r.verdict is verdict):
                lines.append(
                    f"{verdict.upper():<13} {route.name}" + (f"  {route.place}" if route.place else "")
                )
                lines.append(f"    {route.why}")
                for seen in route.evidence if verdict is Verdict.CROSSED else ():
                    lines.append(f"    {seen.who}: {seen.request} ({seen.what}) -> {seen.status}: {seen.saw}")
                    lines += [f"        {_cut(text, width - 8)}" for text in seen.statements]
        lines += ["", *self.notes] if self.notes else []
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """Write the matrix as a table."""
        lines = [self.summary, "", "| route | verdict | why | place |", "| --- | --- | --- | --- |"]
        for route in self.routes:
            why = route.why.replace("|", "\\|").replace("<", "&lt;")
            lines.append(f"| `{route.name}` | **{route.verdict}** | {why} | {route.place or ''} |")
        return "\n".join(lines) + "\n"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= max(width, 60) else text[: max(width, 60) - 1] + "…"
