"""Walk every route of an application as A, with B's identifiers, and note what each request brought."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from neondba.access.prove_world import Mark, Person, World
from neondba.access.walk_http import Answer, Request, send
from neondba.access.walk_identifiers import Identifiers
from neondba.access.walk_openapi import Document, Operation
from neondba.access.walk_requests import Requests, Slot
from neondba.postgres.row_watch import Changed, Rows, RowWatch, changes
from neondba.postgres.statement_watch import StatementWatch, at_rest

if TYPE_CHECKING:
    from neondba.core.context import Context

_TRIES: Final = 5
_MOST_SLOTS: Final = 5
_REST: Final = 40
"""Looks until an application's transaction must have ended, 10 ms apart."""
_LATE: Final = re.compile(
    r"log[-_]?out|sign[-_]?out|revoke|password|deactivate|/me/?$|reset|purge|clear", re.IGNORECASE
)
_INJECTION: Final = "' OR 1=1 -- "


@dataclass(frozen=True)
class Case:
    """One request and why it is sent."""

    kind: str
    """`own`, `other`, `nobody`, `anyone`, `injected`, `undeclared`, `admin` or `theirs`."""
    what: str
    request: Request
    width: int = 0
    """In how many places B's identifiers were sent."""
    sent_tables: frozenset[str | None] = frozenset()
    """Tables whose identifiers of B were sent; `None` for B's own id."""


@dataclass(frozen=True)
class Tried:
    """A request and what it brought."""

    case: Case
    answer: Answer
    marks: tuple[Mark, ...]
    """B's marks in the answer that were not in the request."""
    changed: tuple[Changed, ...]
    rows: Rows
    """The rows before, to say whose is what."""
    statements: tuple[str, ...]
    mine: bool = False
    """True when the answer holds something of A's."""


@dataclass
class Trial:
    """Everything that was tried on one route."""

    operation: Operation
    own: Tried | None = None
    tried: list[Tried] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    admin: Tried | None = None

    @property
    def statements(self) -> list[str]:
        """Every statement that any of its requests sent."""
        every = [self.own, *self.tried] if self.own else self.tried
        return list(dict.fromkeys(s for tried in every if tried for s in tried.statements))


@dataclass
class Walker:
    """Sends the requests, one after the other, and puts the rows back after each."""

    ctx: Context
    port: int
    document: Document
    world: World
    identifiers: Identifiers
    watch: RowWatch
    statements: StatementWatch
    renew: Callable[[], None] = lambda: None
    deadline: float = float("inf")
    sent: int = 0
    base: Rows = field(default_factory=dict)
    owned: dict[tuple[str, str], str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    own_marks: list[Mark] = field(default_factory=list)

    def settle(self) -> None:
        """Take the rows as they are now for the beginning of every request."""
        self.base = self.watch.read()
        self.owned = self.world.settle(self.base)
        self.marks = self.world.marks("B", self.base, self.owned)
        self.own_marks = self.world.marks("A", self.base, self.owned)
        self.identifiers.settle(self.base)
        self.statements.since()

    def person(self, letter: str) -> Person:
        """Give a person by letter."""
        return next(p for p in self.world.people if p.letter == letter)

    def order(self) -> list[Operation]:
        """Readers first, what deletes or signs out last."""
        rank = {"GET": 0, "HEAD": 0, "POST": 1, "PUT": 2, "PATCH": 2, "DELETE": 3}
        return sorted(
            self.document.operations,
            key=lambda o: (bool(_LATE.search(o.path)), rank[o.method], o.path.count("{")),
        )

    def trial(self, operation: Operation) -> Trial:
        """Try one route."""
        requests = Requests(self.document, self.identifiers, operation)
        trial = Trial(operation)
        a, b = self.person("A"), self.person("B")
        trial.own = self._own(requests, a)
        if trial.own.answer.status == 401 and operation.secured:
            self.renew()
            trial.own = self._own(requests, a)
        status = trial.own.answer.status
        if operation.method == "DELETE" and (status >= 500 or status in (400, 409, 422)):
            return self._childless(trial, requests, a, b)
        return self._others(trial, requests, a, b)

    def _childless(self, trial: Trial, requests: Requests, a: Person, b: Person) -> Trial:
        """Try again without the rows that hang on the ones to delete: a foreign key is no filter."""
        tables = [i.table for s, i in requests.slots.items() if s[0] == "path" and i.table]
        if not tables:
            return self._others(trial, requests, a, b)
        whole = self.base
        try:
            self.base = self.watch.without_children(tables[-1], whole)
            trial.own = self._own(requests, a)
            return self._others(trial, requests, a, b)
        finally:
            self.watch.restore(whole, self.watch.read())
            self.base = self.watch.read()

    def _others(self, trial: Trial, requests: Requests, a: Person, b: Person) -> Trial:
        trial.missing = tuple(sorted(requests.missing))
        trial.slots = tuple(requests.slots)
        for case in self._cases(requests, a, b):
            trial.tried.append(self._send(case))
        if trial.own is not None and trial.own.answer.refused:
            admin = next((p for p in self.world.people if p.letter == "admin"), None)
            if admin is not None and admin.headers:
                request = requests.make(a, headers=admin.headers)
                trial.admin = self._send(Case("admin", "as an administrator", request))
        return trial

    def _own(self, requests: Requests, person: Person) -> Tried:
        """Send a person's own identifiers until the form is accepted."""
        for _ in range(_TRIES):
            tried = self._send(Case("own", "own identifiers", requests.make(person)))
            if tried.answer.fine or not requests.learn(tried.answer):
                break
        return tried

    def _cases(self, requests: Requests, a: Person, b: Person) -> Iterator[Case]:
        slots = [s for s, i in requests.slots.items() if self.identifiers.differs(i, a, b)][:_MOST_SLOTS]
        made: set[str] = set()

        def case(kind: str, what: str, chosen: list[Slot], **more: Any) -> Iterator[Case]:
            request = requests.make(a, dict.fromkeys(chosen, b), **more)
            key = f"{kind == 'anyone'} {request.target} {_shape(request.body)}"
            if key not in made:
                made.add(key)
                tables = frozenset(requests.slots[slot].table for slot in chosen)
                yield Case(kind, what, request, len(chosen), tables)

        if slots:
            yield from case("other", f"B's {_named(slots)}", slots)
            for slot in slots if len(slots) > 1 else ():
                yield from case("other", f"B's {_named([slot])}, the rest A's own", [slot])
            yield from case("anyone", f"B's {_named(slots)}, nobody signed in", slots, headers={})
        else:
            yield from case("anyone", "nobody signed in", [], headers={})
        if any(place == "path" for place, _ in slots):
            yield Case("nobody", "identifiers of nobody", requests.make(a, dict.fromkeys(slots)))
        if not requests.operation.writes:
            yield from self._searches(requests, a)
        elif requests.operation.body is not None:
            owners = {c.name: self._of_owner(c.name, b) for c in self.world.owners.values()}
            if owners:
                request = requests.make(a, more=owners)
                what = f"B as the owner in undeclared fields ({', '.join(owners)})"
                yield Case("undeclared", what, request, len(owners), frozenset({None}))

    def _of_owner(self, name: str, person: Person) -> Any:
        found = self.identifiers.of(name, "", {})
        return self.identifiers.value(found, person) if found else person.claims["sub"]

    def _searches(self, requests: Requests, a: Person) -> Iterator[Case]:
        word = self.person("B").marks.word
        for parameter in requests.operation.parameters:
            free = parameter.schema.get("type") == "string" and not parameter.schema.get("enum")
            if parameter.place != "query" or not free or ("query", (parameter.name,)) in requests.slots:
                continue
            request = requests.make(a, asking={parameter.name: word})
            yield Case("searched", f"a word of B's in the query parameter {parameter.name}", request, 1)
            for text in (_INJECTION, "%' OR '1'='1"):
                request = requests.make(a, asking={parameter.name: text})
                yield Case("injected", f"SQL in the query parameter {parameter.name}", request)

    def theirs(self, what: Case) -> Tried:
        """Send as B what A has sent, to compare the answers."""
        b = self.person("B")
        request = what.request
        again = Request(
            request.method, request.path, request.query, b.headers, request.body, request.content_type
        )
        return self._send(Case("theirs", "B's own", again))

    def _send(self, case: Case) -> Tried:
        if self.ctx.clock.monotonic() > self.deadline:
            raise TimeoutError
        self.sent += 1
        answer = send(self.port, case.request)
        self._rest()
        after = self.watch.read()
        changed = tuple(changes(self.base, after)) if after != self.base else ()
        statements = tuple(self.statements.since())
        if changed:
            self.watch.restore(self.base, after)
            self.base = self.watch.read()
            self.statements.since()
        sent = case.request.sent
        said = answer.text + " " + " ".join(answer.headers.values())
        marks = tuple(m for m in self.marks if m.text not in sent and _stands_in(m.text, said))
        kept = [m.text for m in self.own_marks if not m.weak and m.text not in sent]
        mine = any(_stands_in(text, said) for text in kept)
        return Tried(case, answer, marks, changed, self.base, statements, mine)

    def _rest(self) -> None:
        for _ in range(_REST):
            if at_rest(self.watch.session, self.statements.role):
                return
            self.ctx.clock.sleep(0.01)


def _stands_in(text: str, said: str) -> bool:
    if text.isdigit():
        return re.search(rf"(?<!\d){text}(?!\d)", said) is not None
    return text in said


def _named(slots: list[Slot]) -> str:
    parts = [f"{'.'.join(map(str, at))} in the {place}" for place, at in slots]
    return " and ".join(parts)


def _shape(body: Any) -> str:
    """Write a body without the counting of its marks, so that equal ones are seen."""
    return re.sub(r"(prf[a-z]{5})\d{4}", r"\1", repr(body))
