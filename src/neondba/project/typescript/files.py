"""The TypeScript and JavaScript files of a project, read when a question needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from neondba.project.facts import Unparsed
from neondba.project.tree import Tree
from neondba.project.typescript.file import TypeScriptFile, read_file
from neondba.project.typescript.grammar import SUFFIXES
from neondba.project.typescript.modules import Modules
from neondba.project.typescript.nodes import Import, Member, Name, Node

TESTS = re.compile(
    r"(?:^|/)(?:__tests__|__mocks__|tests?|e2e|cypress|playwright|stories|fixtures)/|\.(?:test|spec|stories)\."
)
BUNDLED = re.compile(r"\.min\.[cm]?js$|\.d\.[cm]?ts$|(?:^|/)(?:dist|build|vendor|public|\.yarn|generated)/")
MARKER = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
LONGEST_LINE = 5000
"""Characters; a file with a longer line is the output of a bundler, not source."""


@dataclass(frozen=True)
class Found:
    """What a name stands for: a node of some file; `rest` are members asked of it."""

    file: TypeScriptFile
    name: str
    node: Node


class TypeScriptFiles:
    """Files by path; each is parsed once, when first asked for."""

    each_by_itself: ClassVar = True
    """Who asks for a file depends on that file, not on all."""

    def __init__(self, tree: Tree, modules: Modules | None = None) -> None:
        self._tree = tree
        self._read: dict[str, TypeScriptFile | None] = {}
        self.modules = modules or Modules(tree)
        self.unparsed: list[Unparsed] = []
        self.paths = [p for p in tree.paths if p.endswith(SUFFIXES) and not BUNDLED.search(p)]
        """What is source: no bundles, no declaration files."""

    @classmethod
    def gather(cls, tree: Tree, modules: Modules) -> TypeScriptFiles:
        """Note which files there are."""
        return cls(tree, modules)

    def text(self, path: str) -> str:
        """Give a file's text; empty for one that cannot be read."""
        return self._tree.text(path) or ""

    def containing(self, *words: str, tests: bool = False) -> Iterator[TypeScriptFile]:
        """Read the files that contain any of these words, in the order of their paths."""
        for path in self._tree.having(SUFFIXES, words, among=self.paths):
            if (tests or not TESTS.search(path)) and (found := self.get(path)) is not None:
                yield found

    def get(self, path: str) -> TypeScriptFile | None:
        """Read one file; none where it cannot be."""
        self._tree.text(path)
        if path not in self._read:
            self._read[path] = self._parse(path)
        return self._read[path]

    def _parse(self, path: str) -> TypeScriptFile | None:
        text = self.text(path)
        if not text or max(map(len, text.split("\n"))) > LONGEST_LINE:
            return None
        try:
            file = read_file(path, text)
        except RecursionError:
            self.unparsed.append(Unparsed(path=path, reason="nested too deeply to be followed"))
            return None
        if file.fault:
            marker = MARKER.search(text)
            line = text.count("\n", 0, marker.start()) + 1 if marker else file.fault
            reason = "a merge conflict was left in it" if marker else "not everything in it could be read"
            self.unparsed.append(Unparsed(path=path, line=line, reason=reason))
        return file

    def resolve(self, file: TypeScriptFile, name: str) -> Found | None:
        """Give what a top-level or imported name stands for; none for other people's code."""
        return self._resolve(file, name, 0)

    def source_of(self, file: TypeScriptFile, name: str) -> str:
        """Give the module that a name is imported from, as written; empty for the file's own."""
        found = file.imports.get(name)
        return found.source if found else ""

    def _resolve(self, file: TypeScriptFile, name: str, depth: int) -> Found | None:
        if depth > 8:
            return None
        if name in file.imports:
            return self._imported(file, file.imports[name], depth)
        node = file.definitions.get(name)
        if node is None:
            return None
        if isinstance(node, Name) and node.name != name:
            return self._resolve(file, node.name, depth + 1) or Found(file, name, node)
        if isinstance(node, Member) and isinstance(node.object, Name) and node.object.name in file.imports:
            source = self._resolve(file, node.object.name, depth + 1)
            return source if source is not None else Found(file, name, node)
        return Found(file, name, node)

    def _imported(self, file: TypeScriptFile, found: Import, depth: int) -> Found | None:
        path = self.modules.find(file.path, found.source)
        target = self.get(path) if path else None
        if target is None:
            return None
        if found.imported == "*":
            return Found(target, "*", Name(found.line, "*"))
        given = self.export_of(target, found.imported, depth + 1)
        if given is None and found.imported == "default" and "exports." in self.text(target.path):
            # `require()` gives all that `exports.name = …` set.
            return Found(target, "*", Name(found.line, "*"))
        return given

    def export_of(self, file: TypeScriptFile, name: str, depth: int = 0) -> Found | None:
        """Give what a file exports under a name, through re-exports."""
        if depth > 8:
            return None
        export = file.exported.get(name)
        if export is None and name == "default" and "default" in file.definitions:
            return Found(file, name, file.definitions["default"])
        if export is not None and not export.source:
            return self._resolve(file, export.local, depth + 1)
        if export is not None:
            path = self.modules.find(file.path, export.source)
            target = self.get(path) if path else None
            if target is not None and export.local == "*":
                return Found(target, "*", Name(export.line, "*"))
            return self.export_of(target, export.local, depth + 1) if target else None
        for star in file.exports:
            if star.name == "*" and (path := self.modules.find(file.path, star.source)):
                target = self.get(path)
                found = self.export_of(target, name, depth + 1) if target and target is not file else None
                if found is not None:
                    return found
        return None
