"""What becomes of each column, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from neondba.core.problem import ArgumentProblem
from neondba.postgres.masking import rules as rule_lines
from neondba.postgres.masking.columns import Column, Link
from neondba.postgres.masking.decision import Decision, State
from neondba.postgres.masking.kinds import apart, fits, on_type
from neondba.postgres.masking.naming import OPEN, is_of_people, kind_in, words
from neondba.postgres.masking.provider import of_provider
from neondba.postgres.masking.rules import Rule
from neondba.postgres.masking.shapes import Seen, document, keys, loose, personal_keys, strings

Samples = Mapping[str, Sequence[str]]
"""Sampled values as texts, by where the column is."""
CERTAIN: Final = frozenset({"email", "phone", "iban", "card", "ip"})
"""Shapes that say more than a column's name."""
TELLING: Final = ("name", "handle", "email", "phone", "identity")
"""Kinds whose values are looked for in the columns that stay."""
NETS: Final = {"inet": "ip", "cidr": "ip", "macaddr": "token", "macaddr8": "token"}
SETTLING: Final = ("text", "token", "number", "json", "null")
"""Masks that are proposed, the first that fits."""
DAYS: Final = ("date", "timestamp", "timestamptz")
SPOTS: Final = ("point", "geometry", "geography")


class Decider:
    """Decide for the columns of one database."""

    def __init__(
        self, columns: Sequence[Column], links: Sequence[Link], samples: Samples, rules: Mapping[str, Rule]
    ) -> None:
        self._columns = {column.where: column for column in columns}
        self._links = [link for link in links if link[0] in self._columns and link[1] in self._columns]
        self._samples = samples
        self._rules = rules
        self._provided = of_provider(list(columns))
        self._of: dict[tuple[str, str], list[str]] = {}
        for column in columns:
            names = self._of.setdefault(column.of, [])
            # What is told by yes or no, as `email_verified`, makes no table one of people.
            names += [column.column] if not column.is_plain or column.base in DAYS else []
        self._people = {of for of, names in self._of.items() if is_of_people(of[1], names)}
        self._near = self._people | {
            self._columns[here].of for here, there in self._links if self._columns[there].of in self._people
        }

    def decide(self) -> list[Decision]:
        """Give what becomes of each column.

        Raises:
            ArgumentProblem: a rule does not fit its column, or two rules contradict each other.
        """
        found = {where: self._one(column) for where, column in self._columns.items()}
        self._words_of_rows(found)
        self._tie(found)
        self._cross(found)
        return list(found.values())

    def _one(self, column: Column) -> Decision:
        rule = self._rules.get(column.where)
        if rule is not None:
            return self._ruled(column, rule)
        if column.generated:
            return _clean(column, "generated anew from the other columns of its row")
        if column.where in self._provided:
            kind = on_type(self._provided[column.where], column)
            if kind is not None:
                return _masked(column, kind, "a column of Better Auth")
        named = kind_in(column.table, self._of[column.of], column.column)
        if named == OPEN:
            return self._sensitive(column)
        seen = Seen(self._samples.get(column.where, ())) if not column.is_document else None
        if named is not None:
            return self._named(column, named, seen)
        if column.is_text and seen is not None:
            return self._text(column, seen)
        return self._other(column)

    def _ruled(self, column: Column, rule: Rule) -> Decision:
        rule_lines.check(rule, column)
        if rule.keep is not None:
            return Decision(column=column.where, type=column.type, state=State.KEPT, why=rule.keep)
        if rule.value is not None:
            why = "the project file gives a value"
            return Decision(
                column=column.where,
                type=column.type,
                state=State.MASKED,
                kind="value",
                value=rule.value,
                why=why,
            )
        made = _masked(column, str(rule.kind), "the project file says so")
        return made.model_copy(update={"kind": rule.kind})

    def _named(self, column: Column, named: str, seen: Seen | None) -> Decision:
        shaped = seen.kind if seen is not None and column.is_text else None
        if shaped in CERTAIN and shaped != named:
            return _masked(
                column, on_type(shaped, column) or shaped, f"its values: {seen.found() if seen else ''}"
            )
        number = not column.is_text and words(column.column).endswith("_id")
        kind = None if number else on_type(named, column)
        if kind is not None:
            made = _masked(column, kind, f"its name says {named}")
            return made.model_copy(update={"inside": named}) if kind == "json" else made
        if column.is_plain or number:
            return _clean(column, f"its name says {named}, but it is {column.type}")
        return _open(column, f"its name says {named}, and no mask fits {column.type}")

    def _sensitive(self, column: Column) -> Decision:
        if column.of not in self._near:
            return _clean(column, "its table is about no people")
        return _open(column, "its name says something private of a person", "null")

    def _text(self, column: Column, seen: Seen) -> Decision:
        kind = seen.kind
        fitting = on_type(kind, column) if kind is not None else None
        if fitting is not None:
            return _masked(column, fitting, f"its values: {seen.found()}")
        few = f"; {seen.found()}" if seen.parts else ""
        return _clean(column, _sampled(seen.count) + few)

    def _other(self, column: Column) -> Decision:
        sampled = self._samples.get(column.where, ())
        if column.is_document:
            return self._document(column, sampled)
        if column.is_plain:
            return _clean(column, f"it is {column.type}")
        seen = Seen(sampled)
        if column.base in ("inet", "cidr", "macaddr", "macaddr8"):
            kind = on_type("ip" if column.base in ("inet", "cidr") else "token", column)
            return (
                _masked(column, kind, f"it is {column.type}")
                if kind
                else _open(column, f"it is {column.type}")
            )
        if column.base == "bytea" and sampled:
            return _open(column, "binary: it cannot be looked into")
        if seen.parts or (
            sampled and column.base in ("point", "geometry", "geography") and column.of in self._near
        ):
            return _open(column, f"its values: {seen.found() or 'where somebody is'}")
        return _clean(column, _sampled(len(sampled)))

    def _document(self, column: Column, sampled: Sequence[str]) -> Decision:
        read = [document(each) for each in sampled]
        named = personal_keys(sorted({key for each in read for key, _ in keys(each)}))
        seen = Seen(text for each in read for text in strings(each))
        if named:
            return _masked(column, "json", f"its keys: {', '.join(list(named)[:8])}")
        if seen.kind is not None:
            return _masked(column, "json", f"its texts: {seen.found()}")
        return _clean(column, _sampled(len(sampled)))

    def _words_of_rows(self, found: dict[str, Decision]) -> None:
        """Empty search vectors that hold the words of masked texts."""
        masked = {self._columns[where].of for where, each in found.items() if each.state is State.MASKED}
        for where, column in self._columns.items():
            clean = found[where].state is State.CLEAN and not column.generated
            if clean and column.base == "tsvector" and column.of in masked:
                found[where] = _masked(column, "empty", "it holds the words of masked texts")

    def _tie(self, found: dict[str, Decision]) -> None:
        """Mask columns that hold each other's values alike."""
        for group in self._groups():
            masked = [where for where in group if found[where].state is State.MASKED]
            if not masked:
                continue
            ruled = [where for where in masked if where in self._rules]
            targets = [where for where in masked if any(where == there for _, there in self._links)]
            leader = (ruled or targets or masked)[0]
            for where in group:
                self._follow(found, leader, where)

    def _follow(self, found: dict[str, Decision], leader: str, where: str) -> None:
        lead, own = found[leader], found[where]
        if where == leader or (
            own.state is State.MASKED and (own.kind, own.value) == (lead.kind, lead.value)
        ):
            return
        if where in self._rules:
            raise ArgumentProblem(
                "mask-rules-contradict",
                f"{where} and {leader} hold each other's values (a foreign key), and their rules differ.",
                hint=f"Give both the same: {rule_lines.line(where, chr(34) + str(lead.kind) + chr(34))}",
                columns=[leader, where],
            )
        column = self._columns[where]
        found[where] = Decision(
            column=where,
            type=column.type,
            state=State.MASKED,
            kind=lead.kind,
            value=lead.value,
            why=f"it holds the values of {leader}",
        )

    def _groups(self) -> list[list[str]]:
        group: dict[str, list[str]] = {}
        for here, there in self._links:
            one, other = group.setdefault(here, [here]), group.setdefault(there, [there])
            if one is not other:
                one += other
                group.update(dict.fromkeys(other, one))
        return list({id(each): sorted(each) for each in group.values()}.values())

    def _cross(self, found: dict[str, Decision]) -> None:
        """Open columns in whose sample values of masked columns turn up; mask all of such documents."""
        known = telling(found.values(), self._samples)
        for where, each in found.items():
            column = self._columns[where]
            sampled = self._samples.get(where, ())
            if each.kind == "json" and each.inside is None and where not in self._rules:
                if _source(self._loose(sampled), known):
                    found[where] = each.model_copy(update={"inside": "text"})
            elif each.state is State.CLEAN and not column.generated:
                source = _source(sampled, known) if column.is_text or column.is_document else None
                if source is not None:
                    found[where] = _open(column, f"values of {source} turn up in it")

    @staticmethod
    def _loose(sampled: Sequence[str]) -> list[str]:
        read = [document(each) for each in sampled]
        named = personal_keys(sorted({key for each in read for key, _ in keys(each)}))
        return [text for each in read for text in loose(each, named)]


def telling(decisions: Iterable[Decision], samples: Samples) -> dict[str, str]:
    """Give sampled values that tell who somebody is, and the masked column of each."""
    known: dict[str, str] = {}
    for each in decisions:
        if each.state is State.MASKED and each.kind in TELLING:
            values = (value.strip().lower() for value in samples.get(each.column, ()))
            known |= {value: each.column for value in values if len(value) > 4}
    return known


def is_sure(value: str) -> bool:
    """Tell whether a value is more than a word that other things are called by, too."""
    return " " in value or any(sign in value for sign in "@0123456789")


def _source(values: Sequence[str], known: Mapping[str, str]) -> str | None:
    """Give the column whose values turn up in others, if they do so for certain."""
    hits = _hits(values, known)
    sure = {value for value in hits if is_sure(value)}
    return known[min(sure or hits)] if sure or len(hits) >= 3 else None


def _hits(values: Sequence[str], known: Mapping[str, str]) -> set[str]:
    hits = set()
    for value in values:
        plain = value.lower()
        parts = plain.replace(",", " ").replace('"', " ").split()
        pairs = [" ".join(pair) for pair in pairwise(parts)]
        hits |= {each for each in (plain.strip(), *parts, *pairs) if each in known}
    return hits


def _masked(column: Column, kind: str, why: str) -> Decision:
    kind = apart(kind, column)
    return Decision(column=column.where, type=column.type, state=State.MASKED, kind=kind, why=why)


def _clean(column: Column, why: str) -> Decision:
    return Decision(column=column.where, type=column.type, state=State.CLEAN, why=why)


def _open(column: Column, why: str, best: str = "text") -> Decision:
    lines = settled_by(column, best)
    return Decision(column=column.where, type=column.type, state=State.OPEN, why=why, lines=lines)


def settled_by(column: Column, best: str = "text") -> tuple[str, ...]:
    """Write the lines of which any one settles a column."""
    possible = fits(column)
    wanted = next((kind for kind in (best, *SETTLING) if kind in possible), None)
    mask = [rule_lines.line(column.where, f'"{wanted}"')] if wanted else []
    return (*mask, rule_lines.line(column.where, '{ keep = "WHY IT MAY STAY" }'))


def _sampled(count: int) -> str:
    return f"{count} values looked at" if count else "no values yet"
