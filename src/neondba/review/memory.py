"""What the last review found, reused where nothing that it was made of has changed.

Each rule's answer is kept with what the rule and its facts asked of the tree: texts, names of files,
which files have a word. A rule runs again only when one of these would be answered otherwise now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from neondba.project.facts import Facts, Unavailable, Unparsed
from neondba.project.reads import Reads
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.masking import masked
from neondba.review.memory_record import Changes, Kept, Record, packed, unpacked
from neondba.review.rule import Rule, rules

if TYPE_CHECKING:
    from neondba.review.store import Store


FINDINGS = TypeAdapter(list[Finding])
UNSURE = ("our own fault", "a file is nested too deeply")
"""How the reasons begin that may be gone the next time."""


Plain = TypeVar("Plain", bool, str)


@dataclass(frozen=True)
class _New:
    """An answer of this run and what it was made from."""

    value: Any
    reads: Reads
    keepable: bool


class Memory:
    """The kept answers about one tree, and the new ones."""

    def __init__(self, tree: Tree, store: Store | None = None) -> None:
        self._tree = tree
        self._store = store
        self._new: dict[str, _New] = {}
        self._reused: set[str] = set()

    @classmethod
    def of(cls, tree: Tree, folder: Path, revision: str | None = None, *, kept: bool = True) -> Memory:
        """Give the memory of a folder, or of one of its revisions; an empty one unless it shall be kept."""
        from neondba.core import own_cache
        from neondba.review.store import Store

        return cls(tree, Store(own_cache.folder("review"), folder, revision or "") if kept else None)

    @cached_property
    def _kept(self) -> Kept:
        kept = unpacked(self._store.load()) if self._store else Kept()
        for path, learned in kept.learned.items():
            if self._tree.digest(path) == kept.digests[path]:
                self._tree.learned.update({(kind, path): value for kind, value in learned.items()})
        return kept

    @cached_property
    def _changes(self) -> Changes:
        return Changes(self._tree, self._kept, tracked_digest(self._tree))

    @cached_property
    def _stale(self) -> dict[str, bool]:
        """Whether a fact would now be made from something else."""
        return {name: self._changes.touch(record) for name, record in self._kept.facts.items()}

    def rules(self) -> list[Rule]:
        """Give the rules; without importing them where every kept answer still holds."""
        kept = self._kept
        if kept.rules and all(self._holds(code) for code in [row[0] for row in kept.rules]):
            return [_card(row) for row in kept.rules]
        return list(rules().values())

    def asked(
        self, facts: Facts, rule: Rule, ask: Callable[[Facts, Rule], tuple[list[Finding], str]]
    ) -> tuple[list[Finding], str]:
        """Give a rule's findings, or why it could not look: as kept, else as `ask` says."""
        facts.summing = self._store is not None
        if self._can_reuse(rule.code, facts):
            kept = self._kept.answers[rule.code].value
            return FINDINGS.validate_python(kept["findings"]), kept["gap"]
        reads = Reads()
        with self._tree.reading(reads):
            findings, gap = ask(facts, rule)
        facts.settle(reads)
        keepable = not gap.startswith(UNSURE) and not any(_may_hold_a_secret(f) for f in findings)
        self._new[rule.code] = _New((findings, gap), reads, keepable)
        return findings, gap

    def fact(self, name: str, facts: Facts, ask: Callable[[Facts], Plain]) -> Plain:
        """Give what a function says of the facts: as kept, else as it says now."""
        if self._can_reuse(name, facts):
            kept: Plain = self._kept.answers[name].value
            return kept
        reads = Reads()
        with self._tree.reading(reads):
            said = ask(facts)
        facts.settle(reads)
        self._new[name] = _New(said, reads, keepable=True)
        return said

    def _can_reuse(self, name: str, facts: Facts) -> bool:
        record = self._kept.answers.get(name)
        if record is None or self._changes.touch(record) or self._known_otherwise(name, facts):
            return False
        if self._any_stale(record) and self._any_differs(record, facts):
            return False
        self._reused.add(name)
        return True

    def _holds(self, name: str) -> bool:
        record = self._kept.answers.get(name)
        return record is not None and not self._changes.touch(record) and not self._any_stale(record)

    def _any_stale(self, record: Record) -> bool:
        return any(self._is_stale(need) for need in self._closure(record))

    def _is_stale(self, name: str) -> bool:
        fact = self._kept.facts.get(name)
        return fact is None or (self._changes.ask(fact) if fact.each_by_itself else self._stale[name])

    def _any_differs(self, record: Record, facts: Facts) -> bool:
        """Tell whether a fact is stale, and none between it and the record says the same as before."""
        waiting, seen = list(record.facts), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            fact = self._kept.facts.get(name)
            if fact is None:
                return True
            stale = self._is_stale(name)
            if not (stale or self._any_stale(fact)) or self._says_the_same(name, fact, facts):
                continue
            if stale or fact.said:
                return True
            waiting += fact.facts
        return False

    def _says_the_same(self, name: str, fact: Record, facts: Facts) -> bool:
        """Gather a plain fact anew and compare it with the last run's."""
        if not fact.said:
            return False
        kind = _found(name)
        with suppress(Unavailable):
            facts.get(kind)
        return facts.said.get(kind) == fact.said

    def _closure(self, record: Record) -> set[str]:
        found: set[str] = set()
        waiting = list(record.facts)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                if name in self._kept.facts:
                    waiting += self._kept.facts[name].facts
        return found

    def _known_otherwise(self, name: str, facts: Facts) -> bool:
        given = {full_name(kind) for kind in facts.given()}
        return bool(given) and not given.isdisjoint(self._closure(self._kept.answers[name]))

    def unparsed(self, facts: Facts) -> list[Unparsed]:
        """Give what could not be understood, by the facts of this run and by those that were not needed."""
        built = {full_name(kind): kind for kind in facts.reads}
        for name in self._kept.unparsed:
            if name not in built and self._stale.get(name, True):
                with suppress(Unavailable):
                    facts.get(_found(name))
        built = {full_name(kind): kind for kind in facts.reads}
        known = [
            item
            for name, items in self._kept.unparsed.items()
            for item in items
            if item.path not in self._changes.paths and (name not in built or name in self._kept.grown)
        ]
        return facts.unparsed(known)

    def keep(self, facts: Facts, chosen: Iterable[Rule]) -> None:
        """Save the answers for the next run; those of a run that knew more than files are not kept."""
        if self._store is None or facts.given() or not (self._new or self._changes.paths):
            return
        fresh = Kept(
            rules=[[r.code, r.name, r.category, r.severity, r.shows] for r in chosen],
            tracked=tracked_digest(self._tree),
            facts={
                full_name(kind): replace(_record(kind, reads), said=facts.said.get(kind, ""))
                for kind, reads in facts.reads.items()
            },
        )
        for name, new in self._new.items():
            if new.keepable:
                fresh.answers[name] = _record(type(None), new.reads, _plain(new.value))
        for name in self._reused:
            self._carry(name, fresh)
        fresh.grown = {full_name(kind) for kind in facts.grown} | (self._kept.grown & fresh.facts.keys())
        fresh.unparsed = self._unparsed_to_keep(facts, fresh)
        for query in fresh.queries():
            if query[0].startswith("having"):
                known = None if self._changes.differs(query) else self._kept.having.get(query)
                fresh.having[query] = frozenset(self._tree.answered(query)) if known is None else known
        self._store.save(packed(self._tree, fresh))

    def _carry(self, name: str, fresh: Kept) -> None:
        """Keep an answer for another run with what it and its facts were made from back then."""
        record = fresh.answers[name] = self._kept.answers[name]
        waiting, seen = list(record.facts), set[str]()
        while waiting:
            need = waiting.pop()
            if need in seen or (need in fresh.facts and fresh.facts[need].said):
                continue
            seen.add(need)
            older = self._kept.facts[need]
            fresh.facts[need] = older.joined(fresh.facts[need]) if need in fresh.facts else older
            waiting += older.facts

    def _unparsed_to_keep(self, facts: Facts, fresh: Kept) -> dict[str, list[Unparsed]]:
        found = {full_name(kind): facts.unparsed_by(kind) for kind in facts.reads}
        for name, items in self._kept.unparsed.items():
            if name in fresh.facts:
                old = [item for item in items if item.path not in self._changes.paths]
                new = found.get(name, [])
                more = name not in found or name in self._kept.grown
                found[name] = [*new, *(item for item in old if more and item not in new)]
        return {name: items for name, items in found.items() if items}


def _record(kind: type, reads: Reads, value: Any = None) -> Record:
    facts = frozenset(full_name(need) for need in reads.facts if need is not Tree)
    each = bool(getattr(kind, "each_by_itself", False))
    return Record(frozenset(reads.texts), frozenset(reads.queries), facts, each, value)


def _plain(value: Any) -> Any:
    if isinstance(value, bool | str):
        return value
    findings, gap = value
    return {"findings": FINDINGS.dump_python(findings, mode="json"), "gap": gap}


def _may_hold_a_secret(finding: Finding) -> bool:
    """Tell whether an edit or a change quotes what a report would mask."""
    texts = [text for edit in finding.edits for text in (edit.old, edit.new)]
    if finding.change:
        texts += [*finding.change.up, *finding.change.down]
    return any(masked(text) != text for text in texts)


def full_name(kind: type) -> str:
    """Give the name by which a fact is found again."""
    return f"{kind.__module__}:{kind.__qualname__}"


def _found(name: str) -> type:
    module, _, qualname = name.partition(":")
    found: type = getattr(import_module(module), qualname)
    return found


def tracked_digest(tree: Tree) -> str:
    """Give a digest of what git tracks; empty where that is not known."""
    if tree.tracked is None:
        return ""
    return hashlib.blake2b("\0".join(sorted(tree.tracked)).encode(errors="replace")).hexdigest()


def _card(row: list[str]) -> Rule:
    return Rule(row[0], row[1], Category(row[2]), Severity(row[3]), _never, "", row[4])


def _never() -> Any:
    raise AssertionError("the answer of this rule was kept")
