"""Which functions are worth following: those that lead to a statement, a caller or a check."""

from __future__ import annotations

import re

from neondba.project.typescript import callers, drizzle_queries, prisma_queries, sql_queries
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Binary, Call, Index, Member, Name, Node, Property, dotted, walk
from neondba.project.typescript.relevance import Relevance

EQUALITIES = ("===", "!==", "==", "!=")
COMPARED = re.compile(
    r"id$|uuid$|user|owner|email|team|org|tenant|author|member|session|creator", re.IGNORECASE
)
"""What both sides of a comparison with the caller are called."""
QUERYING = frozenset({*prisma_queries.KINDS, "select", "from", "insert", "findFirst", "findMany", "execute"})
LEAVING = frozenset({"redirect", "notFound", "permanentRedirect", "$withAuth"})
DEEPEST = 60
"""Functions calling functions, beyond which nothing is looked for."""


class Interest:
    """Answers for each definition once."""

    def __init__(self, files: TypeScriptFiles, relevance: Relevance) -> None:
        self._files = files
        self._relevance = relevance
        self._known: dict[int, bool] = {}
        self._kept: list[Node] = []

    def of(self, node: Node, file: TypeScriptFile, depth: int = 0) -> bool:
        """Tell whether following a definition can teach anything."""
        key = id(node)
        if key in self._known:
            return self._known[key]
        self._known[key] = False
        self._kept.append(node)
        found = depth < DEEPEST and any(self._tells(part, file, depth) for part in walk(node))
        self._known[key] = found
        return found

    def _tells(self, part: Node, file: TypeScriptFile, depth: int) -> bool:
        if isinstance(part, Binary):
            return part.operator in EQUALITIES and _names_owner(part.left) and _names_owner(part.right)
        if isinstance(part, Property):
            # `export const Posts = { create, list }`: what an object holds is called through it.
            return isinstance(part.value, Name) and self._leads(part.value, file, depth)
        if not isinstance(part, Call):
            return False
        return _is_telling(part) or self._leads(part.callee, file, depth)

    def _leads(self, called: Node, file: TypeScriptFile, depth: int) -> bool:
        root = called
        while isinstance(root, Member | Index | Call):
            root = root.callee if isinstance(root, Call) else root.object
        if not isinstance(root, Name):
            return False
        if root.name == "this":
            # `this.tasks.create()` belongs to what `tasks` is, which only a type names.
            own = isinstance(called, Member) and isinstance(called.object, Name)
            return not own or self._method(dotted(called).rpartition(".")[2], file, depth)
        imported = file.imports.get(root.name)
        if imported is not None:
            path = self._files.modules.find(file.path, imported.source)
            if path is None or not self._relevance.matters(path):
                return False
        elif root.name not in file.definitions:
            return False
        found = self._files.resolve(file, root.name)
        if found is None:
            return False
        if found.name == "*":
            return True
        return self.of(found.node, found.file, depth + 1)

    def _method(self, name: str, file: TypeScriptFile, depth: int) -> bool:
        """Tell whether `this.name()` leads anywhere: a method here, or a part that only a type names."""
        for made in file.classes:
            if name in made.methods:
                return self.of(made.methods[name], file, depth + 1)
        return True


def _names_owner(node: Node) -> bool:
    return isinstance(node, Name | Member) and bool(COMPARED.search(node.name))


def _is_telling(call: Call) -> bool:
    if call.form == "tag":
        return bool(sql_queries.TAGS.search(call.name))
    last = call.name.rpartition(".")[2]
    if last in QUERYING or last in LEAVING or last in drizzle_queries.CHANGES:
        return "." in call.name or last in LEAVING
    told = callers.telling(call.name)
    return told.asking or told.signature or told.login or told.staff or told.requiring or told.checking


__all__ = ["Interest"]
