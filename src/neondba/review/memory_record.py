"""What is kept of a review, and how it is told whether it still holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from neondba.project.facts import Unparsed
from neondba.project.reads import PATHS, TRACKED, Query, has_word, is_named
from neondba.project.tree import Tree


@dataclass(frozen=True)
class Record:
    """What a fact or an answer was made from, and the answer."""

    texts: frozenset[str]
    queries: frozenset[Query]
    facts: frozenset[str]
    each_by_itself: bool = False
    """Whether who asks this fact for a file depends on that file alone."""
    value: Any = None
    said: str = ""
    """A digest of what a plain fact says; empty where it may say more later."""

    def joined(self, other: Record) -> Record:
        """Give a record that depends on what either depends on."""
        return replace(
            self,
            texts=self.texts | other.texts,
            queries=self.queries | other.queries,
            facts=self.facts | other.facts,
        )


@dataclass
class Kept:
    """Everything kept about one tree."""

    digests: dict[str, str] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    tracked: str = ""
    learned: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is known of each file's text alone."""
    having: dict[Query, frozenset[str]] = field(default_factory=dict)
    facts: dict[str, Record] = field(default_factory=dict)
    answers: dict[str, Record] = field(default_factory=dict)
    unparsed: dict[str, list[Unparsed]] = field(default_factory=dict)
    grown: set[str] = field(default_factory=set)
    """Facts that read files when a rule asks: another rule's files are not in this run's fact."""
    rules: list[list[str]] = field(default_factory=list)

    def queries(self) -> set[Query]:
        """Give every question that a record depends on."""
        return {q for record in [*self.facts.values(), *self.answers.values()] for q in record.queries}

    def texts(self) -> set[str]:
        """Give every file that a record depends on."""
        return {t for record in [*self.facts.values(), *self.answers.values()] for t in record.texts}


class Changes:
    """How a tree differs from the one that was kept."""

    def __init__(self, tree: Tree, kept: Kept, tracked: str) -> None:
        self._tree, self._having = tree, kept.having
        self._listed = frozenset(tree.paths)
        self._moved = self._listed ^ kept.listed
        self._tracked = tracked != kept.tracked
        self.paths = self._moved | {p for p, digest in kept.digests.items() if tree.digest(p) != digest}
        """Files that read otherwise now, new and gone ones included."""
        self._answers: dict[Query, bool] = {}

    def touch(self, record: Record) -> bool:
        """Tell whether what a record was made from reads otherwise now."""
        return not record.texts.isdisjoint(self.paths) or self.ask(record)

    def ask(self, record: Record) -> bool:
        """Tell whether a question that a record depends on has another answer now."""
        return any(self.differs(query) for query in record.queries)

    def differs(self, query: Query) -> bool:
        """Tell whether a question has another answer now."""
        if query not in self._answers:
            self._answers[query] = self._asked(query)
        return self._answers[query]

    def _asked(self, query: Query) -> bool:
        kind, first, second = query
        if query == PATHS:
            return bool(self._moved)
        if query == TRACKED:
            return self._tracked
        if kind == "named":
            return any(is_named(path, first, second) for path in self._moved)
        before = self._having.get(query, frozenset())
        return any(
            (path in before) != (path in self._listed and has_word(self._tree.text(path), second))
            for path in self.paths
            if path.endswith(first)
        )


def packed(tree: Tree, kept: Kept) -> dict[str, Any]:
    """Write what is kept as plain values; sets that many records share are written once."""
    listed = tree.paths
    paths = [*listed, *sorted(kept.texts() - set(listed))]
    number = {path: i for i, path in enumerate(paths)}
    queries = sorted(kept.queries())
    place = {query: i for i, query in enumerate(queries)}
    sets: dict[frozenset[int], int] = {}

    def put(members: Iterable[int]) -> int:
        return sets.setdefault(frozenset(members), len(sets))

    def record(one: Record) -> list[Any]:
        texts, queries_of = put(number[t] for t in one.texts), put(place[q] for q in one.queries)
        return [texts, queries_of, sorted(one.facts), one.each_by_itself, one.value, one.said]

    return {
        "paths": paths,
        "listed": len(listed),
        "digests": [tree.digest(path) for path in paths],
        "tracked": kept.tracked,
        "learned": [
            [number[path], kind, value] for (kind, path), value in tree.learned.items() if path in number
        ],
        "queries": [
            [*query, put(number[p] for p in kept.having[query] if p in number)]
            if query in kept.having
            else [*query]
            for query in queries
        ],
        "facts": {name: record(one) for name, one in kept.facts.items()},
        "answers": {name: record(one) for name, one in kept.answers.items()},
        "unparsed": {name: [u.model_dump() for u in items] for name, items in kept.unparsed.items()},
        "grown": sorted(kept.grown),
        "rules": kept.rules,
        "sets": [sorted(members) for members in sets],
    }


def unpacked(plain: dict[str, Any] | None) -> Kept:
    """Read plain values; what cannot be read counts as not kept."""
    try:
        return _unpacked(plain) if plain else Kept()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return Kept()


def _unpacked(plain: dict[str, Any]) -> Kept:
    paths = plain["paths"]
    sets = [frozenset(members) for members in plain["sets"]]
    files = [frozenset(paths[i] for i in members) for members in _used(plain, sets)]
    queries: list[Query] = [(q[0], tuple(q[1]), tuple(q[2])) for q in plain["queries"]]

    def record(row: list[Any]) -> Record:
        return Record(files[row[0]], frozenset(queries[i] for i in sets[row[1]]), frozenset(row[2]), *row[3:])

    learned: dict[str, dict[str, Any]] = {}
    for i, kind, value in plain["learned"]:
        learned.setdefault(paths[i], {})[kind] = value
    return Kept(
        digests=dict(zip(paths, plain["digests"], strict=True)),
        listed=frozenset(paths[: plain["listed"]]),
        tracked=plain["tracked"],
        learned=learned,
        having={q: files[row[3]] for q, row in zip(queries, plain["queries"], strict=True) if len(row) > 3},
        facts={name: record(row) for name, row in plain["facts"].items()},
        answers={name: record(row) for name, row in plain["answers"].items()},
        unparsed={name: [Unparsed(**u) for u in items] for name, items in plain["unparsed"].items()},
        grown=set(plain["grown"]),
        rules=plain["rules"],
    )


def _used(plain: dict[str, Any], sets: list[frozenset[int]]) -> list[frozenset[int]]:
    """Give the sets that hold files, in place; others, of questions, as empty sets."""
    rows = [*plain["facts"].values(), *plain["answers"].values()]
    used = {row[0] for row in rows} | {row[3] for row in plain["queries"] if len(row) > 3}
    return [members if i in used else frozenset() for i, members in enumerate(sets)]
