"""What the tries mean: which route let something cross over, and what everyone may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from neondba.access.application_results import Evidence, RouteProof, Verdict
from neondba.access.prove_world import World, plain_name, snake
from neondba.access.walk import Case, Trial, Tried
from neondba.access.walk_identifiers import singular
from neondba.postgres.row_watch import Changed, Rows

_TOLD: Final = re.compile(
    r"notif|activit|audit|log|event|outbox|inbox|message|invit|follow|like|vote|friend|history"
)
"""Tables into which an application itself writes rows for others, by design."""
_COUNTERS: Final = re.compile(
    r"count|views?$|likes?$|votes?$|score|last_|updated|_at$|hits|clicks|num_|total|version"
)
_SHOWN: Final = re.compile(
    r"(?:^|_)(?:post|article|blog|comment|review|rating|like|follow(?:er)?|photo|question|answer|thread|topic"
    r"|listing|product|recipe|event|profile)(?:e?s)?(?:_|$)"
)
"""What applications make to be seen: a stranger who reads it tells of no forgotten check."""
_OPEN_PLACES: Final = re.compile(r"public|shared?/|explore|feed|discover|leaderboard")
_MOST_EVIDENCE: Final = 4


@dataclass
class Judge:
    """Draws the verdicts when everything has been tried."""

    world: World
    trials: list[Trial]
    shared: frozenset[str]
    policies: Callable[[str], bool]
    """Tells whether row-level security binds the application's role on a table."""
    theirs: Callable[[Case], Tried]
    place: Callable[[str, str], str | None]
    last_words: Callable[[Tried], str]
    public: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    """Tables whose rows are listed to every user: hanging something on one is no crossing by itself."""

    def verdicts(self) -> list[RouteProof]:
        """Judge every route."""
        self.public = self._public()
        self.listed = {
            m.table
            for trial in self.trials
            if trial.own and not trial.slots
            for m in trial.own.marks
            if not m.weak
        }
        return [self._route(trial) for trial in self.trials]

    def _public(self) -> set[str]:
        """Find the tables that everyone may read: a stranger is given them, and cannot change them."""
        strangers = [t for trial in self.trials for t in trial.tried if t.case.kind == "anyone"]
        changed = {c.table for t in strangers for c in self._of_b(t) if not _only_counted(c)}
        listed = {m.table for t in strangers if not t.case.sent_tables for m in t.marks if not m.weak}
        meant = {table for table in self.world.shapes if _SHOWN.search(plain_name(table))}
        kept = meant & self._refused() - changed
        found = (listed - changed) | self.shared
        for _ in range(3):
            for tried in (t for t in strangers if t.case.sent_tables):
                seen = {m.table for m in tried.marks if not m.weak} - changed
                found |= {table for table in seen if tried.case.sent_tables <= found}
                found |= {
                    t for t in seen if self._hangs_on(t, found) and tried.case.sent_tables <= found | {None}
                }
                found |= {table for table in seen & kept if tried.case.sent_tables <= found | {None, table}}
        return found

    def _hangs_on(self, table: str, found: set[str]) -> bool:
        """Tell whether a table's rows belong to rows that everyone may read."""
        return any(key.target in found for key in self.world.shapes[table].foreign_keys)

    def _refused(self) -> set[str]:
        """Give the tables of which A changes A's rows and no request changes B's."""
        own = {
            c.table
            for trial in self.trials
            if trial.own and trial.operation.writes
            for c in trial.own.changed
            if c.before is not None
        }
        through = {
            c.table
            for trial in self.trials
            for tried in trial.tried
            for c in self._of_b(tried)
            if not _only_counted(c)
        }
        return own - through

    def _of_b(self, tried: Tried) -> list[Changed]:
        """Give B's rows that a request changed or deleted."""
        return [
            c for c in tried.changed if c.before is not None and self._whose(c, c.before, tried.rows) == "B"
        ]

    def _whose(self, change: Changed, row: Mapping[str, Any], rows: Rows) -> str | None:
        return self.world.whose(change.table, row, rows)

    def _route(self, trial: Trial) -> RouteProof:
        crossings = list(self._crossings(trial))
        tables = self._tables(trial)
        verdict, why = self._verdict(trial, crossings, tables)
        if verdict is Verdict.NOT_REACHED:
            tables = [t for t in tables or self._named(trial) if t != self.world.user_table]
        return RouteProof(
            method=trial.operation.method,
            path=trial.operation.path,
            verdict=verdict,
            why=why,
            place=self.place(trial.operation.method, trial.operation.path),
            tables=tuple(plain_name(table) for table in tables),
            requests=len(trial.tried) + 1,
            evidence=tuple(crossings[:_MOST_EVIDENCE] if crossings else self._refusals(trial)),
        )

    def _tables(self, trial: Trial) -> list[str]:
        """Give the tables with owned rows that its statements name."""
        text = "\n".join(trial.statements).lower()
        owned = {table for person in self.world.people for table in person.rows}
        every = [t for t in self.world.shapes if t in owned]
        return [
            t
            for t in every
            if re.search(rf"(?<![\w.])(?:\w+\.)?\"?{re.escape(plain_name(t).lower())}\b", text)
        ]

    def _named(self, trial: Trial) -> list[str]:
        """Give the tables with owned rows that a path names, where no statement was seen."""
        words = {singular(snake(word)) for word in trial.operation.path.split("/")}
        owned = {table for person in self.world.people for table in person.rows}
        return [t for t in sorted(owned) if singular(snake(plain_name(t))) in words]

    def _crossings(self, trial: Trial) -> Iterator[Evidence]:
        every = [*trial.tried, *([trial.own] if trial.own else [])]
        every.sort(key=lambda tried: (tried.case.kind == "anyone", tried.case.width))
        for tried in every:
            if tried.case.kind in ("theirs", "admin"):
                continue
            said = [*self._seen(trial, tried), *self._changed(tried), *self._added(tried)]
            if said:
                yield _evidence(tried, "; ".join(dict.fromkeys(said)), self._concerning(tried))

    def _seen(self, trial: Trial, tried: Tried) -> Iterator[str]:
        strong = [m for m in tried.marks if not m.weak and m.table not in self.public]
        if strong and not self._is_open(trial):
            names = list(dict.fromkeys(m.named for m in strong))
            yield f"the answer holds B's {_listed(names)}"
        elif not tried.marks and tried.case.kind == "other" and self._same_as_theirs(trial, tried):
            yield "A is given the very answer that B is given, which nobody's identifier gets"

    def _is_open(self, trial: Trial) -> bool:
        return bool(_OPEN_PLACES.search(trial.operation.path)) and any(
            tried.case.kind == "anyone" and tried.answer.fine for tried in trial.tried
        )

    def _same_as_theirs(self, trial: Trial, tried: Tried) -> bool:
        """Compare with B's answer and nobody's, where an answer holds no mark."""
        if trial.operation.writes or not tried.answer.fine or not re.search(r"\d", tried.answer.text):
            return False
        if not self._sends_owned(tried.case):
            return False
        nobody = next((t for t in trial.tried if t.case.kind == "nobody"), None)
        own = trial.own
        if nobody is None or own is None or nobody.answer.text == tried.answer.text:
            return False
        theirs = self.theirs(tried.case)
        return theirs.answer.fine and theirs.answer.text == tried.answer.text and _says(tried.answer.json)

    def _sends_owned(self, case: Case) -> bool:
        """Tell whether an identifier of something that is B's alone was sent."""
        owned = {table for person in self.world.people for table in person.rows}
        return any(table is None or table in owned - self.public for table in case.sent_tables)

    def _changed(self, tried: Tried) -> Iterator[str]:
        for change in self._of_b(tried):
            if _only_counted(change) and (change.table in self.public or tried.case.kind == "own"):
                continue
            columns = f" ({_listed(list(change.columns))})" if change.verb == "changed" else ""
            yield f"B's row of {plain_name(change.table)} was {change.verb}{columns}"

    def _added(self, tried: Tried) -> Iterator[str]:
        if tried.case.kind == "own":
            return
        for change in tried.changed:
            table = plain_name(change.table)
            asked = singular(snake(table)) in [singular(w) for w in tried.case.request.path.split("/")]
            if change.after is None or (_TOLD.search(table) and not asked):
                continue
            before = self._whose(change, change.before, tried.rows) if change.before else None
            after = self._whose(change, change.after, tried.rows)
            if after == "B" and before != "B" and change.table != self.world.user_table:
                yield f"a row of {table} was {change.verb} in B's name"
            elif before != "B":
                yield from self._hung(change, tried, table)

    def _hung(self, change: Changed, tried: Tried, table: str) -> Iterator[str]:
        """Say on which row of B a row of somebody else was hung."""
        shape = self.world.shapes[change.table]
        if change.table in self.world.membership:
            return
        for key in shape.foreign_keys:
            if not set(key.columns) & set(change.columns) or key.target in (None, self.world.user_table):
                continue
            target = key.target or ""
            if target in self.public | self.listed or (target == change.table and not tried.case.sent_tables):
                continue
            wanted = [(change.after or {}).get(c) for c in key.columns]
            b = next(p for p in self.world.people if p.letter == "B").rows.get(target)
            if b and None not in wanted and [b.get(c) for c in key.target_columns] == wanted:
                yield f"a row of {table} was {change.verb} that refers to B's row of {plain_name(target)}"

    def _concerning(self, tried: Tried) -> tuple[str, ...]:
        """Choose the statements that concern what crossed over."""
        names = {plain_name(m.table).lower() for m in tried.marks if not m.weak}
        names |= {plain_name(c.table).lower() for c in tried.changed}
        found = [
            s for s in tried.statements if any(re.search(rf"\b{re.escape(n)}\b", s.lower()) for n in names)
        ]
        return tuple((found or list(tried.statements))[-3:])

    def _verdict(self, trial: Trial, crossings: list[Evidence], tables: list[str]) -> tuple[Verdict, str]:
        if crossings:
            worst = crossings[0]
            who = "Anyone, signed in or not" if any(e.who == "anyone" for e in crossings) else "A"
            why = f"{who}, with {worst.what}: {worst.saw}."
            if trial.own and trial.own.marks and not trial.slots and not trial.operation.writes:
                tables = sorted({plain_name(m.table) for m in trial.own.marks if not m.weak})
                why += (
                    f" If every user may read {_listed(tables)}, say so: --shared {' --shared '.join(tables)}"
                )
            return Verdict.CROSSED, why
        shown = {m.table for t in trial.tried for m in t.marks if not m.weak}
        if shown:
            names = _listed(sorted({plain_name(t) for t in shown}))
            return Verdict.PUBLIC, f"B's {names} is read here, as everyone may: a stranger is given it too."
        own = trial.own
        if own is None or not own.answer.fine:
            return self._without_own(trial, tables)
        # Every request looks up who sends it: that alone concerns nobody's rows.
        concerned = [table for table in tables if table != self.world.user_table]
        if not (own.changed or concerned or own.mine):
            return Verdict.NOTHING_OWNED, "No statement names a table whose rows belong to anyone."
        others = [t for t in trial.tried if t.case.kind == "other"]
        how = _refusal(others) if others else "A is given A's own, and nothing of B's"
        if all(self.policies(table) for table in tables) and tables:
            return (
                Verdict.BY_POLICY,
                f"{how}; row-level security binds {_listed([plain_name(t) for t in tables])}.",
            )
        return Verdict.BOUND, f"{how}."

    def _without_own(self, trial: Trial, tables: list[str]) -> tuple[Verdict, str]:
        own = trial.own
        status = own.answer.status if own else 0
        others = [t for t in trial.tried if t.case.kind == "other" and self._sends_owned(t.case)]
        if (
            own is not None
            and (status >= 500 or status in (400, 409, 422))
            and tables
            and others
            and all(t.answer.status in (403, 404) for t in others)
        ):
            said = self.last_words(own)
            return Verdict.BOUND, f"{_refusal(others)}; A's own comes further: {status} {said}"
        let_in = trial.admin is not None and trial.admin.answer.status and not trial.admin.answer.refused
        if own is not None and own.answer.refused and let_in:
            return Verdict.BOUND, f"For administrators: A is refused ({status}), an administrator is let in."
        if trial.missing:
            return Verdict.NOT_REACHED, f"A has no row for {_listed(list(trial.missing))}; answered {status}."
        if own is None or not status:
            return (
                Verdict.NOT_REACHED,
                f"No answer came to A's own request ({own.answer.failed if own else 'none'}).",
            )
        said = self.last_words(own)
        return (
            Verdict.NOT_REACHED,
            f"A's own request was answered with {status}{': ' + said if said else ''}.",
        )

    def _refusals(self, trial: Trial) -> list[Evidence]:
        return [
            _evidence(t, "refused" if not t.answer.fine else "nothing of B's, and no row changed", ())
            for t in trial.tried
            if t.case.kind in ("other", "anyone")
        ][:2]


def _only_counted(change: Changed) -> bool:
    """Tell whether nothing changed but counters and times, as by everyone who looks."""
    return change.after is not None and all(_COUNTERS.search(c) for c in change.columns)


def _refusal(others: list[Tried]) -> str:
    statuses = sorted({t.answer.status for t in others})
    refused = [s for s in statuses if not 200 <= s < 400]
    if len(refused) == len(statuses):
        return f"B's identifiers are refused ({_listed([str(s) for s in refused])})"
    return "B's identifiers bring nothing of B's and change nothing"


def _evidence(tried: Tried, saw: str, statements: tuple[str, ...]) -> Evidence:
    return Evidence(
        request=f"{tried.case.request.method} {tried.case.request.target}",
        who="anyone" if tried.case.kind == "anyone" else "A",
        what=tried.case.what,
        status=tried.answer.status,
        saw=saw,
        statements=statements,
    )


def _says(data: Any) -> bool:
    """Tell whether an answer holds more than yes and no."""
    if isinstance(data, dict):
        return any(_says(value) for value in data.values())
    if isinstance(data, list):
        return any(_says(value) for value in data)
    return isinstance(data, int | float) and not isinstance(data, bool)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))
