"""The verdict on each statement behind an entrance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from neondba.project.isolation.binding import Bindings, spelled
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judged import Binding, EntranceKind, Judged
from neondba.project.isolation.ownership import Owned, Ownership, is_membership
from neondba.project.isolation.values import Built, Client, Cond, Query, Row, Thing, Value
from neondba.project.owners import SHARED, Model

SECRET = re.compile(
    r"token|slug|code|hash|secret|share|invite|key$|session_id|external|stripe|customer_id|subscription_id|"
    r"checkout|payment_intent|message_id|email|username|phone|telegram|provider|oauth|idempotency|signature|webhook|"
    r"subject|sub$|fingerprint|nonce|state$|chat_id|openid|auth0|clerk",
    re.IGNORECASE,
)
"""Columns by which rows are found that only the one who knows them asks for."""
OPEN_TO_ALL = re.compile(
    r"public|share|health|login|log_?in|sign|register|webhook|callback|hook|verify|token|confirm|invite|embed|form|"
    r"feedback|contact|subscribe|internal|cron|job|event|demo|seed|test|preview|stats|leaderboard|explore|feed|browse"
    r"|metrics|gallery|discover|trending|search_public|community",
    re.IGNORECASE,
)
STRANGERS = "nobody is asked who they are here"


class Fault(Enum):
    """In which way an open statement is open."""

    NONE = ""
    BY_ID = "by id"
    LIST = "list"
    CLAIM = "claim"
    """The owner column is held against what the client says."""
    MADE = "made"
    """A row is made for an owner whom the client names."""
    TWIN = "twin"
    """Strangers may come, where neighbours on the same table ask who is calling."""
    BELOW = "below"
    """It hangs on a row whose own statement is open."""


@dataclass(eq=False)
class Verdict:
    """A judged statement with what rules ask about it."""

    judged: Judged
    fault: Fault
    door: Door
    query: Query
    model: Model
    owned: Owned
    neighbour: Door | None = None
    """A door to the same table that asks who is calling, where this one does not."""


class Judge:
    """Judges what is behind one door after the other."""

    def __init__(self, ownership: Ownership, *, by_policy: str, behind_middleware: bool) -> None:
        self.ownership, self.by_policy, self.behind_middleware = ownership, by_policy, behind_middleware

    def door(self, door: Door) -> list[Verdict]:
        """Give the verdict on every statement on rows that belong to somebody."""
        bindings = Bindings(door.summary)
        found: dict[tuple[str, int, str], Verdict] = {}
        for query in door.summary.queries:
            for model in query.models:
                owned = self.ownership.of(model)
                if owned is None or (query.kind == "insert" and not owned.direct):
                    continue
                binding, why, fault = self._verdict(door, bindings, query, owned)
                if not why:
                    continue
                judged = Judged(
                    door.entrance,
                    query.kind,
                    model.name,
                    owned.chain,
                    query.path,
                    query.line,
                    binding,
                    why,
                    query.way,
                )
                place = query.path, query.line, model.name
                before = found.get(place)
                if before is None or (before.fault is Fault.NONE and fault is not Fault.NONE):
                    found[place] = Verdict(judged, fault, door, query, model, owned)
                break
        return list(found.values())

    def _verdict(
        self, door: Door, bindings: Bindings, query: Query, owned: Owned
    ) -> tuple[Binding, str, Fault]:
        known = bindings.bound.get(query)
        if known is not None:
            return *known, Fault.NONE
        if self.by_policy:
            return Binding.BY_POLICY, self.by_policy, Fault.NONE
        meant = self._meant(door, bindings, query)
        if meant:
            return Binding.PUBLIC, meant, Fault.NONE
        if query.kind == "insert":
            return self._insert(door, query, owned)
        return self._asked(door, bindings, query, owned)

    def _meant(self, door: Door, bindings: Bindings, query: Query) -> str:
        """Say why nobody in particular is meant."""
        if door.entrance.kind is EntranceKind.JOB:
            return "a job, which no user sets off"
        if query.staff:
            return "in a branch for administrators"
        if bindings.staff is not None:
            return f"only for a role that line {bindings.staff.line} asks for"
        if door.route is not None and door.route.is_for_staff:
            return "the route is for administrators or machines"
        return ""

    def _insert(self, door: Door, query: Query, owned: Owned) -> tuple[Binding, str, Fault]:
        if not door.authenticated and is_open_to_all(door):
            return Binding.PUBLIC, "the route's name says that strangers may come", Fault.NONE
        if any(is_membership(m) for m in query.models):
            return Binding.PUBLIC, "", Fault.NONE
        for condition in spelled(query.conditions):
            if condition.column.removeprefix("=") in owned.sure and _chosen(condition.value):
                return (
                    Binding.OPEN,
                    f"{condition.column[1:]} is {_named(condition.value)}, from the client",
                    Fault.MADE,
                )
        return Binding.PUBLIC, "", Fault.NONE

    def _asked(
        self, door: Door, bindings: Bindings, query: Query, owned: Owned
    ) -> tuple[Binding, str, Fault]:
        conditions = spelled(query.conditions)
        changes = query.kind in ("update", "delete") or query.changed
        named = [c for c in conditions if c.column in owned.columns and owned.direct]
        claimed = next((c for c in named if c.column in owned.sure and _chosen(c.value)), None)
        if claimed is not None:
            return self._claimed(door, claimed, owned, changes=changes)
        if named:
            words = f"{named[0].column} is held against a value that is not the client's"
            return Binding.BOUND, words, Fault.NONE
        meant = _meant_by(conditions, bindings)
        if not meant and query.counts and not query.changed:
            meant = "only counted"
        if not meant and not owned.private and not changes:
            meant = f"{owned.chain} says who made a row, not who may see it"
        if not meant and not door.authenticated:
            meant = self._strangers(door)
        return (Binding.PUBLIC, meant, Fault.NONE) if meant else self._open(query, conditions, owned)

    def _strangers(self, door: Door) -> str:
        """Say why a door without a check of the caller stands open."""
        if not self.behind_middleware:
            return STRANGERS
        return "the route's name says that strangers may come" if is_open_to_all(door) else ""

    def _claimed(self, door: Door, claim: Cond, owned: Owned, *, changes: bool) -> tuple[Binding, str, Fault]:
        if not door.authenticated and is_open_to_all(door):
            return Binding.PUBLIC, "the route's name says that strangers may come", Fault.NONE
        if not owned.private and not changes:
            return Binding.PUBLIC, f"{claim.column} says who made a row, not who may see it", Fault.NONE
        why = f"{claim.column} is held against {_named(claim.value)}, from the client"
        return Binding.OPEN, why, Fault.CLAIM

    def _open(self, query: Query, conditions: list[Cond], owned: Owned) -> tuple[Binding, str, Fault]:
        below = [q for c in conditions for q in _rows(c.value)]
        if below:
            line = below[0].line
            return Binding.OPEN, f"it hangs on the row of line {line}, which is not bound", Fault.BELOW
        chosen = next((c for c in conditions if _is_key(c.column) and _chosen(c.value)), None)
        if chosen is not None:
            return (
                Binding.OPEN,
                f"the client chooses {chosen.column}; {owned.chain} is asked for nowhere",
                Fault.BY_ID,
            )
        if any(_is_key(c.column) or c.column in ("?", "**") for c in conditions):
            return Binding.PUBLIC, "the client does not choose the row", Fault.NONE
        if query.single and any(_chosen(c.value) or c.constant for c in conditions):
            return Binding.PUBLIC, f"one row, found by {conditions[0].column}", Fault.NONE
        return Binding.OPEN, f"no condition names {owned.chain}", Fault.LIST


def _meant_by(conditions: list[Cond], bindings: Bindings) -> str:
    """Say whom the conditions themselves mean."""
    if shown := next((c for c in conditions if SHARED.match(c.column)), None):
        return f"only rows that {shown.column} lets everybody see"
    if secret := next((c for c in conditions if SECRET.search(c.column)), None):
        return f"found by {secret.column}, which only those know who may"
    if any(c.column.startswith("!") and bindings.good(c.value) for c in conditions):
        return "it asks whether somebody else has the same"
    return ""


def is_open_to_all(door: Door) -> bool:
    """Tell whether a route's names say that strangers may come."""
    return door.route is not None and bool(
        OPEN_TO_ALL.search(door.route.path) or OPEN_TO_ALL.search(door.function.name)
    )


def _is_key(column: str) -> bool:
    return column == "id" or column.endswith(("_id", "uuid", "_ids"))


def _chosen(value: Value) -> bool:
    return any(
        isinstance(a, Client) or (isinstance(a, Thing) and any(_chosen(v) for v in a.fields.values.values()))
        for a in value
    )


def _named(value: Value) -> str:
    return next((a.words for a in value if isinstance(a, Client) and a.chosen), "a value")


def _rows(value: Value) -> list[Query]:
    return [a.query for a in value if isinstance(a, Row | Built)]
