"""Build each fact about a project once, from the facts it needs.

A fact is a class with a class method `gather`; the types of its parameters say which facts it is made
from. A rule asks for facts in the same way. A fact that cannot be had raises `Unavailable`, and what
asked for it is reported as not checked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from neondba.project.tree import Tree

T = TypeVar("T")


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
