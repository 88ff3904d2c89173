"""The project's Python files: trees, an index of each, and what names mean."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import ClassVar

from neondba.core.collector import collector_resting
from neondba.project.facts import Unparsed
from neondba.project.python_imports import Modules, imported, module_name
from neondba.project.python_index import Call, Class, Function, Index, Scope, index
from neondba.project.python_tolerant import Parsed, parse
from neondba.project.tree import MemoryTree, Tree

__all__ = ["Call", "Class", "Function", "Index", "PythonFile", "PythonFiles", "Scope", "Unparsed"]

SUFFIXES = (".py", ".pyi")


class PythonFile:
    """One Python file; its tree and index are made when first needed."""

    def __init__(self, path: str, text: str, modules: Modules) -> None:
        self.path = path
        self.text = text
        self.module = module_name(path)
        """Dotted path from the root of the tree: `backend.app.models`."""
        self._modules = modules
        self._parsed: Parsed | None = None

    @property
    def tree(self) -> ast.Module | None:
        """The syntax tree; `None` when nothing of the file could be parsed."""
        return self.parsed().tree

    def parsed(self) -> Parsed:
        """Give the tree and its faults."""
        if self._parsed is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._parsed = parse(self.text)
        return self._parsed

    def faults(self) -> list[tuple[int, str]]:
        """Give the faults; a tree that nobody has asked for is dropped, for it is larger than the text."""
        asked = self._parsed is not None
        faults = self.parsed().faults
        if not asked:
            self._parsed = None
        return faults

    @cached_property
    def index(self) -> Index:
        """The nodes by kind."""
        with collector_resting():
            return index(self.path, self.tree or ast.Module([], []))

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to qualified name, for imports anywhere in the file."""
        package = self.path.endswith("__init__.py")
        nodes = sorted(self.index.imports, key=lambda node: node.col_offset)
        return imported(self._modules, self.module, package, nodes)

    @cached_property
    def own_names(self) -> dict[str, Class | Function | ast.expr]:
        """What the module itself defines: classes, functions and assigned values."""
        names: dict[str, Class | Function | ast.expr] = {}
        for node in self.index.module.assignments:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and node.value is not None:
                    names.setdefault(target.id, node.value)
        module = self.index.module
        names.update({c.name: c for c in module.classes})
        names.update({f.name: f for f in module.functions})
        return names

    @property
    def functions(self) -> list[Function]:
        """Every function and method by line."""
        return self.index.functions

    @property
    def classes(self) -> list[Class]:
        """Every class by line."""
        return self.index.classes

    @property
    def calls(self) -> list[Call]:
        """Every call with its scope."""
        return self.index.calls

    def resolve(self, node: ast.AST | None) -> str | None:
        """Give the qualified dotted name of a name or attribute; `None` for anything else.

        An imported name resolves through its import, an own module-level name to `module.name`, any
        other (a parameter, a builtin) to itself.
        """
        tail: list[str] = []
        while isinstance(node, ast.Attribute):
            tail.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        head = self.imports.get(node.id)
        if head is None:
            head = f"{self.module}.{node.id}" if node.id in self.own_names else node.id
        return ".".join([head, *reversed(tail)])


Meaning = tuple[PythonFile, Class | Function | ast.expr]
"""What a qualified name stands for, and the file that says so."""


class PythonFiles(Mapping[str, PythonFile]):
    """All Python files of a tree by path."""

    each_by_itself: ClassVar = True
    """Who asks for a file depends on that file, not on all."""

    def __init__(
        self,
        files: dict[str, PythonFile],
        modules: Modules,
        unread: list[Unparsed],
        tree: Tree | None = None,
    ) -> None:
        self._tree = tree or MemoryTree({})
        self._files = files
        self.modules = modules
        self._unread = unread
        self._definitions: dict[str, tuple[Meaning | None, list[str]]] = {}

    @classmethod
    def gather(cls, tree: Tree) -> PythonFiles:
        """Read every Python file; each is parsed when a rule asks for it."""
        paths = list(tree.named(suffix=SUFFIXES))
        modules = Modules([p for p in paths if p.endswith(".py")])
        files: dict[str, PythonFile] = {}
        unread: list[Unparsed] = []
        for path in paths:
            text = tree.text(path)
            if text is None:
                unread.append(Unparsed(path=path, reason="not text, or larger than is read"))
            else:
                files[path] = PythonFile(path, text, modules)
        return cls(files, modules, unread, tree)

    @property
    def unparsed(self) -> list[Unparsed]:
        """What could not be understood; parses the files that nobody has asked for."""
        for path in self._files:
            self._tree.text(path)
        return self._unparsed

    @cached_property
    def _unparsed(self) -> list[Unparsed]:
        found = list(self._unread)
        with collector_resting():
            for file in self._files.values():
                faults = self._tree.learned.get(("python", file.path))
                if faults is None:
                    faults = self._tree.learned["python", file.path] = file.faults()
                found += [Unparsed(path=file.path, line=line, reason=reason) for line, reason in faults]
        return found

    def containing(self, *words: str) -> Iterator[PythonFile]:
        """Give the files whose text has one of the words: cheap, so ask it first."""
        for path in self._tree.having(SUFFIXES, words):
            yield self[path]

    def module(self, name: str) -> PythonFile | None:
        """Give the file of a module by its qualified name."""
        path = self.modules.names.get(name)
        return self[path] if path in self._files else None

    def definition(self, qualified: str | None) -> Meaning | None:
        """Find what a qualified name means in this project, through re-exports.

        A class, a function, or the value assigned to a module-level name; methods are found by
        `module.Class.method`.
        """
        name = qualified or ""
        if name not in self._definitions:
            seen: list[str] = []
            self._definitions[name] = (self._definition(name, seen), seen)
        found, seen = self._definitions[name]
        for path in seen:
            self._tree.text(path)
        return found

    def _definition(self, qualified: str, seen: list[str]) -> Meaning | None:
        for _ in range(8):
            file, rest = self._split(qualified)
            if file is None or not rest:
                return None
            seen.append(file.path)
            found = file.own_names.get(rest[0])
            if found is not None:
                return _member(file, found, rest[1:])
            through = file.imports.get(rest[0]) or self._starred(file, rest[0])
            if through is None:
                return None
            qualified = ".".join([through, *rest[1:]])
        return None

    def _split(self, qualified: str) -> tuple[PythonFile | None, list[str]]:
        parts = qualified.split(".")
        for i in range(len(parts) - 1, 0, -1):
            file = self.module(".".join(parts[:i]))
            if file is not None:
                return file, parts[i:]
        return None, []

    def _starred(self, file: PythonFile, name: str) -> str | None:
        star = file.imports.get("*")
        return star.removesuffix("*") + name if star else None

    def __getitem__(self, path: str) -> PythonFile:
        """Give the file at a path."""
        self._tree.text(path)
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        """Go over the paths."""
        return iter(self._files)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._files)


def _member(file: PythonFile, found: Class | Function | ast.expr, rest: list[str]) -> Meaning | None:
    for name in rest:
        inner = [*found.functions, *found.classes] if isinstance(found, Class) else []
        found = next((s for s in inner if s.name == name), None)  # type: ignore[assignment]
        if found is None:
            return None
    return file, found
