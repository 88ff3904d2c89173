"""Build each fact about a project once, from the facts it needs.

A fact is a class with a class method `gather`; the types of its parameters say which facts it is made
from. A rule asks for facts in the same way. A fact that cannot be had raises `Unavailable`, and what
asked for it is reported as not checked.

A fact with `plain = True` promises that it is done when it is gathered: what it works out later comes from
its own attributes alone. Where its digest is the same as in the last run, who asks it need not run again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel

from neondba.project.reads import Reads
from neondba.project.tree import Tree

T = TypeVar("T")


class Unparsed(BaseModel):
    """A file, or a part of one, that could not be understood."""

    path: str
    line: int = 1
    reason: str


class Unavailable(Exception):
    """A fact cannot be had here; the text says what is missing."""


class Facts:
    """The facts about one tree, built when first asked for."""

    def __init__(self, tree: Tree) -> None:
        self._built: dict[type, Any] = {Tree: tree}
        self._sizes: dict[type, int] = {}
        self.tree = tree
        self.reads: dict[type, Reads] = {}
        """What each fact was made from."""
        self.grown: set[type] = set()
        """Facts that have learned more since they were gathered."""
        self.said: dict[type, str] = {}
        """A digest of each plain fact, where `summing` asks for it."""
        self.summing = False

    def put(self, kind: type[T], fact: T | Unavailable) -> None:
        """Add a fact that no file gives, or say why it cannot be had."""
        self._built[kind] = fact

    def get(self, kind: type[T]) -> T:
        """Give a fact by its type.

        Raises:
            Unavailable: something it is made from is missing.
        """
        self.tree.need(kind)
        if kind not in self._built:
            self._gather(kind)
        fact = self._built[kind]
        if isinstance(fact, Unavailable):
            raise fact
        return fact  # type: ignore[no-any-return]

    def _gather(self, kind: type) -> None:
        self.settle(self.tree.reads)
        reads = self.reads[kind] = Reads()
        with self.tree.reading(reads):
            try:
                self._built[kind] = self.call(kind.gather)  # type: ignore[attr-defined]
            except Unavailable as missing:
                self._built[kind] = missing
            except BaseException:
                del self.reads[kind]
                raise
        self.settle(reads)
        if not getattr(kind, "plain", False):
            self._sizes[kind] = _size(self._built[kind])
        elif self.summing and not isinstance(self._built[kind], Unavailable):
            self.said[kind] = self._sum(kind)

    def _sum(self, kind: type) -> str:
        from neondba.project.fingerprint import fingerprint

        with self.tree.reading(None):
            return fingerprint(self.tree, self._built[kind])

    def settle(self, reads: Reads | None) -> None:
        """Note for facts that have learned more since the last look that they were made from `reads`, too.

        The next to ask such a fact is answered from what it remembers, and reads nothing itself.
        """
        for kind, size in self._sizes.items():
            now = _size(self._built[kind])
            if now == size:
                continue
            self._sizes[kind] = now
            self.grown.add(kind)
            if reads is not None and not getattr(kind, "each_by_itself", False):
                self.reads[kind].add(reads)

    def given(self) -> set[type]:
        """Give the kinds of facts that no file gave."""
        return self._built.keys() - self.reads.keys() - {Tree}

    def unparsed_by(self, kind: type) -> list[Unparsed]:
        """Give what one fact could not understand so far."""
        return list(getattr(self._built.get(kind), "unparsed", ()))

    def call(self, function: Callable[..., T]) -> T:
        """Call a function with the facts that its parameters name by type."""
        hints = get_type_hints(function)
        return function(*[self.get(hints[name]) for name in inspect.signature(function).parameters])

    def unparsed(self, known: Iterable[Unparsed] = ()) -> list[Unparsed]:
        """Give what the facts built so far could not understand, by path and line; `known` is added."""
        found = [item for fact in self._built.values() for item in getattr(fact, "unparsed", ())]
        found += [item for item in known if item not in found]
        tree = self.tree
        found = [item for item in found if item.path not in tree.closed]
        found += [Unparsed(path=path, reason="larger than 4 MB: not read") for path in tree.too_large]
        found += [Unparsed(path=path, reason="may not be read by this user") for path in tree.closed]
        found += [Unparsed(path=path, reason=reason) for path, reason in tree.notes.items()]
        return sorted(found, key=lambda item: (item.path, item.line, item.reason))


def _size(fact: object) -> int:
    """Count what a fact holds: it changes when the fact remembers an answer."""
    held = getattr(fact, "__dict__", {})
    return len(held) + sum(len(value) for value in held.values() if isinstance(value, dict | list | set))
