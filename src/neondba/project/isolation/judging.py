"""The verdict on each statement behind an entrance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from neondba.project.isolation.binding import Bindings, spelled
from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judged import Binding, EntranceKind, Judged
from neondba.project.isolation.ownership import TOLD, Owned, Ownership, is_membership, is_people, joined
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
    everywhere: int = 0
    """Doors to the table, where no statement of the project binds it: one decision, not many faults."""
    neighbour: Door | None = None
    """A door to the same table that asks who is calling, where this one does not."""


class Judge:
    """Judges what is behind one door after the other."""

    def __init__(self, ownership: Ownership, *, by_policy: str, behind_middleware: bool) -> None:
        self.ownership, self.by_policy, self.behind_middleware = ownership, by_policy, behind_middleware

    def door(self, door: Door) -> list[Verdict]:
        """Give the verdict on every statement on rows that belong to somebody."""
        behind = _Behind(self, door)
        found: dict[tuple[str, int, str], Verdict] = {}
        for query in door.summary.queries:
            about = behind.about(query)
            if about is None:
                continue
            model, owned = about
            binding, why, fault = behind.verdict(query)
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
        return list(found.values())


HIMSELF = Owned("id", ("id",), private=True, sure=("id",))
"""Whose the row of a user is that somebody changes."""
Reason = tuple[Binding, str, Fault]


class _Behind:
    """Judges the statements behind one door."""

    def __init__(self, judge: Judge, door: Door) -> None:
        self.judge, self.door = judge, door
        self.bindings = door.bindings
        self._known: dict[Query, Reason] = {}

    def about(self, query: Query) -> tuple[Model, Owned] | None:
        """Give the first table of a statement whose rows belong to somebody."""
        for model in query.models:
            owned = self.judge.ownership.of(model)
            if owned is None and query.kind == "insert":
                owned = joined(model)
            elif owned is None and self.door.authenticated and is_people(model) and _changes(query):
                owned = HIMSELF
            if owned is not None and (query.kind != "insert" or owned.direct):
                return model, owned
        return None

    def verdict(self, query: Query) -> Reason:
        """Judge one statement."""
        if query not in self._known:
            self._known[query] = Binding.PUBLIC, "it hangs on itself", Fault.NONE
            self._known[query] = self._judged(query)
        return self._known[query]

    def _judged(self, query: Query) -> Reason:
        known = self.bindings.bound.get(query)
        if known is not None:
            return *known, Fault.NONE
        if self.judge.by_policy:
            return Binding.BY_POLICY, self.judge.by_policy, Fault.NONE
        meant = self._meant(query)
        if meant:
            return Binding.PUBLIC, meant, Fault.NONE
        about = self.about(query)
        if about is None:
            return Binding.PUBLIC, f"its rows belong to nobody ({query.path}:{query.line})", Fault.NONE
        if query.kind == "insert":
            return self._insert(query, about[1])
        return self._asked(query, about[1])

    def _meant(self, query: Query) -> str:
        """Say why nobody in particular is meant."""
        route, staff = self.door.route, self.bindings.staff
        if self.door.entrance.kind is EntranceKind.JOB:
            return "a job, which no user sets off"
        if query.staff:
            return "in a branch for administrators"
        if staff is not None:
            return f"only for a role that line {staff.line} asks for"
        return (
            "the route is for administrators or machines" if route is not None and route.is_for_staff else ""
        )

    def _insert(self, query: Query, owned: Owned) -> Reason:
        people = any(is_people(m) for m in query.models)
        if not people and not self.door.authenticated and is_open_to_all(self.door):
            return Binding.PUBLIC, "the route's name says that strangers may come", Fault.NONE
        if not people and any(is_membership(m) or TOLD.search(m.name) for m in query.models):
            return Binding.PUBLIC, "", Fault.NONE
        for condition in spelled(query.conditions):
            if condition.column.removeprefix("=") in owned.sure and chosen(condition.value):
                why = f"{condition.column[1:]} is {named(condition.value)}, from the client"
                return Binding.OPEN, why, Fault.MADE
        return Binding.PUBLIC, "", Fault.NONE

    def _asked(self, query: Query, owned: Owned) -> Reason:
        conditions = spelled(query.conditions)
        changes = query.kind in ("update", "delete") or query.changed
        owners = [c for c in conditions if c.column in owned.columns and owned.direct]
        claimed = next((c for c in owners if c.column in owned.sure and self._claims(c.value)), None)
        if claimed is not None:
            return self._claimed(claimed, owned, changes=changes)
        if owners:
            words = f"{owners[0].column} is held against a value that is not the client's"
            return Binding.BOUND, words, Fault.NONE
        meant = _meant_by(conditions, self.bindings)
        if not meant and query.counts and not query.changed:
            meant = "only counted"
        if not meant and not owned.private and not changes:
            meant = f"{owned.chain} says who made a row, not who may see it"
        if not meant and not self.door.authenticated:
            meant = self._strangers()
        return (Binding.PUBLIC, meant, Fault.NONE) if meant else self._open(query, conditions, owned)

    def _strangers(self) -> str:
        """Say why a door without a check of the caller stands open."""
        if not self.judge.behind_middleware:
            return STRANGERS
        return "the route's name says that strangers may come" if is_open_to_all(self.door) else ""

    def _claims(self, value: Value) -> bool:
        """Tell whether the client says whose rows: by an id, or by the id of a user who is looked up."""
        if chosen(value):
            return True
        for query in rows(value):
            if query not in self.bindings.bound and any(is_people(m) for m in query.models):
                return any(c.column == "id" and chosen(c.value) for c in query.conditions)
        return False

    def _claimed(self, claim: Cond, owned: Owned, *, changes: bool) -> Reason:
        if not self.door.authenticated and is_open_to_all(self.door):
            return Binding.PUBLIC, "the route's name says that strangers may come", Fault.NONE
        if not owned.private and not changes:
            return Binding.PUBLIC, f"{claim.column} says who made a row, not who may see it", Fault.NONE
        why = f"{claim.column} is held against {named(claim.value)}, from the client"
        return Binding.OPEN, why, Fault.CLAIM

    def _open(self, query: Query, conditions: list[Cond], owned: Owned) -> Reason:
        key = next((c for c in conditions if is_key(c.column) and chosen(c.value)), None)
        if key is not None:
            why = f"the client chooses {key.column}; {owned.chain} is asked for nowhere"
            return Binding.OPEN, why, Fault.BY_ID
        above = [q for c in conditions for q in rows(c.value) if q is not query]
        for parent in above:
            if self.verdict(parent)[0] is Binding.OPEN:
                return Binding.OPEN, f"it hangs on the row of line {parent.line}, which is open", Fault.BELOW
        if above:
            why = f"it hangs on the row of line {above[0].line}: {self.verdict(above[0])[1]}"
            return Binding.PUBLIC, why, Fault.NONE
        if any(is_key(c.column) or c.column in ("?", "**") for c in conditions):
            return Binding.PUBLIC, "the client does not choose the row", Fault.NONE
        if query.single and any(chosen(c.value) or c.constant for c in conditions):
            return Binding.PUBLIC, f"one row, found by {conditions[0].column}", Fault.NONE
        return Binding.OPEN, f"no condition names {owned.chain}", Fault.LIST


def _changes(query: Query) -> bool:
    return query.changed or query.kind in ("update", "delete")


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


def is_key(column: str) -> bool:
    """Tell whether a column names one row, here or elsewhere."""
    return column == "id" or column.endswith(("_id", "uuid", "_ids"))


def chosen(value: Value) -> bool:
    """Tell whether the client has chosen a value."""
    return any(
        (isinstance(a, Client) and a.chosen)
        or (isinstance(a, Thing) and any(chosen(v) for v in a.fields.values.values()))
        for a in value
    )


def named(value: Value) -> str:
    """Give the name under which the client sends a value."""
    return next((a.words for a in value if isinstance(a, Client) and a.chosen), "a value")


def rows(value: Value) -> list[Query]:
    """Give the statements whose rows a value is of."""
    return [a.query for a in value if isinstance(a, Row | Built)]
