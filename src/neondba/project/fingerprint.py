"""Tell by a digest whether a fact says the same as in an earlier run.

What the digest does not cover must not matter to who asks the fact. A file of the project counts by the
digest of its text, so a part of a file is the same while the whole file is. What is not known how to be read
gives no digest.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable
from enum import Enum
from functools import cache, cached_property
from types import FunctionType
from typing import Any

from neondba.core.secret import Secret
from neondba.project.python import SUFFIXES as PYTHON
from neondba.project.python import PythonFile, PythonFiles, Scope
from neondba.project.tree import Tree
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles

_STORES = (Tree, PythonFiles, TypeScriptFiles)
"""What is asked for files one by one: whoever asks is noted there."""
_PLAIN = frozenset({bool, int, float, complex, bytes, type(None), type(...)})


class _Unreadable(Exception):
    """A value of a kind that is not known."""


def fingerprint(tree: Tree, fact: object) -> str:
    """Give a digest of all that a fact says; empty where it cannot be told."""
    writer = _Writer(tree)
    try:
        writer.put(fact)
    except (_Unreadable, RecursionError):
        return ""
    return hashlib.blake2b("\0".join(writer.parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()


class _Writer:
    """Writes a value as texts; an object that comes again is named by its number."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._seen: dict[int, int] = {}
        self._kept: list[object] = []
        self.parts: list[str] = []

    @cached_property
    def _modules(self) -> str:
        """What imports are resolved by: a file means something else when another one comes or goes."""
        names = "\0".join(self._tree.named(suffix=PYTHON))
        return hashlib.blake2b(names.encode(errors="replace"), digest_size=16).hexdigest()

    def put(self, value: Any) -> None:
        kind = type(value)
        if kind is str:
            self.parts.append(f"{len(value)}'{value}")
        elif kind in _PLAIN:
            self.parts.append(repr(value))
        elif kind is tuple or kind is list:
            self._series("[", value)
        elif kind is dict:
            self._series("{", (part for pair in value.items() for part in pair))
        elif kind is set or kind is frozenset:
            self._series("(", sorted(fingerprint_of(self._tree, part) for part in value))
        else:
            self._object(kind, value)

    def _series(self, opening: str, values: Iterable[Any]) -> None:
        self.parts.append(opening)
        for value in values:
            self.put(value)
        self.parts.append(")")

    def _object(self, kind: type, value: Any) -> None:
        if id(value) in self._seen:
            self.parts.append(f"#{self._seen[id(value)]}")
            return
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        self.parts.append(f"{kind.__module__}:{kind.__qualname__}")
        if isinstance(value, PythonFile):
            self.parts.append(f"{value.path} {self._tree.digest(value.path)} {self._modules}")
        elif isinstance(value, TypeScriptFile):
            self.parts.append(f"{value.path} {self._tree.digest(value.path)}")
        elif isinstance(value, Scope):
            self.parts.append(f"{value.path} {self._tree.digest(value.path)} {value.qualname} {value.line}")
        elif isinstance(value, Secret):
            self.put(value.reveal())
        elif isinstance(value, ast.AST):
            self._series("<", (getattr(value, name, None) for name in _places(kind)))
        elif isinstance(value, frozenset | tuple):
            self._series("[", value)
        elif isinstance(value, Enum | re.Pattern | FunctionType | type):
            self.parts.append(repr(value) if not isinstance(value, FunctionType) else value.__qualname__)
        elif not isinstance(value, _STORES):
            self._fields(kind, value)

    def _fields(self, kind: type, value: Any) -> None:
        if not kind.__module__.startswith("neondba."):
            raise _Unreadable(kind)
        made, slots = _shape(kind)
        held = [(name, part) for name, part in getattr(value, "__dict__", {}).items() if name not in made]
        held += [(name, getattr(value, name)) for name in slots if hasattr(value, name)]
        self._series("<", (part for pair in sorted(held, key=lambda pair: pair[0]) for part in pair))


def fingerprint_of(tree: Tree, value: object) -> str:
    """Give a text that stands for one member of a set."""
    writer = _Writer(tree)
    writer.put(value)
    return "\0".join(writer.parts)


@cache
def _places(kind: type[ast.AST]) -> tuple[str, ...]:
    return tuple(f for f in (*kind._fields, *kind._attributes) if f not in ("ctx", "type_comment"))


@cache
def _shape(kind: type) -> tuple[frozenset[str], tuple[str, ...]]:
    """Give the attributes that are made of the others when asked for, and those without a dictionary."""
    made = {n for base in kind.__mro__ for n, held in vars(base).items() if isinstance(held, cached_property)}
    slots = [n for base in kind.__mro__ for n in getattr(base, "__slots__", ()) if not n.startswith("__")]
    return frozenset(made), tuple(slots)
