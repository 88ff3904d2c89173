"""Build each fact about a project once, from the facts it needs.

A fact is a class with a class method `gather`; the types of its parameters say which facts it is made
from. A rule asks for facts in the same way. A fact that cannot be had raises `Unavailable`, and what
asked for it is reported as not checked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel

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

    def get(self, kind: type[T]) -> T:
        """Give a fact by its type.

        Raises:
            Unavailable: something it is made from is missing.
        """
        if kind not in self._built:
            try:
                self._built[kind] = self.call(kind.gather)  # type: ignore[attr-defined]
            except Unavailable as missing:
                self._built[kind] = missing
        fact = self._built[kind]
        if isinstance(fact, Unavailable):
            raise fact
        return fact  # type: ignore[no-any-return]

    def call(self, function: Callable[..., T]) -> T:
        """Call a function with the facts that its parameters name by type."""
        hints = get_type_hints(function)
        return function(*[self.get(hints[name]) for name in inspect.signature(function).parameters])

    def unparsed(self) -> list[Unparsed]:
        """Give what the facts built so far could not understand, by path and line."""
        found = [item for fact in self._built.values() for item in getattr(fact, "unparsed", ())]
        tree: Tree = self._built[Tree]
        found = [item for item in found if item.path not in tree.closed]
        found += [Unparsed(path=path, reason="larger than 4 MB: not read") for path in tree.too_large]
        found += [Unparsed(path=path, reason="may not be read by this user") for path in tree.closed]
        found += [Unparsed(path=path, reason=reason) for path, reason in tree.notes.items()]
        return sorted(found, key=lambda item: (item.path, item.line))
