"""Where JavaScript and TypeScript make database clients: at the top of a module, or in a function."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from neondba.project.places import is_migration, is_script, is_test
from neondba.project.tree import Tree
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import (
    Assign,
    Binary,
    Call,
    Declare,
    Function,
    Member,
    Node,
    dotted,
    walk,
)

_KINDS: Final = ("PrismaClient", "Pool", "postgres")
_WORDS: Final = ("new PrismaClient(", "new Pool(", "new pg.Pool(", "postgres(")
_SOURCES: Final = {"PrismaClient": "", "Pool": "pg", "postgres": "postgres"}
_APART: Final = re.compile(
    r"(?:^|/)(?:functions|lambdas?|workers?|cron|jobs|prisma)/|(?:^|/)(?:seed|worker)[^/]*$|"
    r"(?:^|/)(?:test|check|debug|setup|verify|reset|migrate|create|init|run|drop|import|export)[-_][^/]*$"
)
"""Programs of their own: functions that are deployed one by one, and what is run by hand."""
STAYS: Final = re.compile(r"\bexports?\b|\.listen\(|\bserve\(|createServer|\bapp\.(?:use|get)\(")
"""What a module has that others use, or that goes on: one without runs once, and ends."""
_EDGE: Final = re.compile(
    r"client/(?:edge|wasm)|withAccelerate|cloudflare|runtime\s*=\s*[\"']edge|c\.env\.|env\.HYPERDRIVE"
)
_ROUTE: Final = re.compile(r"(?:^|/)route\.[cm]?[jt]sx?$|(?:^|/)pages/api/")
_METHODS: Final = frozenset(
    {"GET", "POST", "PUT", "PATCH", "DELETE", "handler", "default", "loader", "action"}
)
_VARIABLE: Final = re.compile(r"process\.env\.(\w+)|\benv\.(\w+)")


@dataclass(frozen=True)
class Client:
    """A call that makes a client."""

    file: TypeScriptFile
    call: Call
    kind: str
    program: str
    """The folder of the nearest package.json."""
    address: str
    """The variable that its address is read from, as far as it is written there."""

    @property
    def path(self) -> str:
        """The file of the call."""
        return self.file.path

    @property
    def is_closed(self) -> bool:
        """Whether the function that makes it also ends it."""
        around = _around(self)
        ends = ("end", "$disconnect")
        return bool(around) and any(
            isinstance(n, Call) and n.name.rpartition(".")[2] in ends for n in walk(around[0].body)
        )

    @property
    def line(self) -> int:
        """The line of the call."""
        return self.call.line


class ScriptClients:
    """All clients of the project's own programs."""

    plain = True

    def __init__(self, files: TypeScriptFiles, programs: list[str]) -> None:
        self._files = files
        self._programs = sorted(programs, key=len, reverse=True)
        self.all: list[Client] = []

    @classmethod
    def gather(cls, files: TypeScriptFiles, tree: Tree) -> ScriptClients:
        """Look at the files that make one."""
        folders = [p.removesuffix("package.json") for p in tree.named("package.json")]
        found = cls(files, folders)
        for file in files.containing(*_WORDS):
            if (
                is_test(file.path)
                or is_script(file.path)
                or is_migration(file.path)
                or _APART.search(file.path)
                or not STAYS.search(files.text(file.path))
            ):
                continue
            for call in file.calls_of(*_KINDS):
                if client := found._client(file, call):
                    found.all.append(client)
        return found

    def at_top(self) -> Iterator[Client]:
        """Give those that a module makes when it is loaded."""
        return (c for c in self.all if not _around(c) and not _EDGE.search(self._files.text(c.path)))

    def in_handlers(self) -> Iterator[Client]:
        """Give those that a function makes which answers requests, anew each time."""
        for client in self.all:
            functions = _around(client)
            if not functions or _EDGE.search(self._files.text(client.path)):
                continue
            if any(_answers(client.file, f) for f in functions) and not _is_kept(client, functions[0]):
                yield client

    def importers(self, path: str) -> int:
        """Count the modules that import a module."""
        stem = re.sub(r"(?:/index)?\.[cm]?[jt]sx?$", "", path)
        last = stem.rpartition("/")[2]
        sources = re.compile(rf"(?:^|/){re.escape(last)}(?:\.[cm]?[jt]sx?)?$")
        return sum(
            1
            for file in self._files.containing(last)
            if file.path != path
            and any(
                sources.search(i.source) and self._files.modules.find(file.path, i.source) == path
                for i in file.imports.values()
            )
        )

    def _client(self, file: TypeScriptFile, call: Call) -> Client | None:
        kind = call.name.rpartition(".")[2]
        if kind == "postgres" and (call.form != "call" or call.name != "postgres"):
            return None
        if kind != "postgres" and call.form != "new":
            return None
        wanted, root = _SOURCES[kind], call.name.partition(".")[0]
        if wanted and self._files.source_of(file, root) != wanted:
            return None
        said = " ".join(dotted(n) for a in call.arguments for n in walk(a) if isinstance(n, Member))
        found = _VARIABLE.search(said)
        program = next((p for p in self._programs if file.path.startswith(p)), "")
        return Client(file, call, kind, program, (found[1] or found[2]) if found else "")


def _around(client: Client) -> list[Function]:
    """Give the functions around the call, the innermost first."""
    inside = [
        f
        for f in client.file.functions
        if f.line <= client.line <= f.end and any(n is client.call for n in walk(f.body))
    ]
    return sorted(inside, key=lambda f: (f.end - f.line, -f.line))


def _answers(file: TypeScriptFile, function: Function) -> bool:
    """Tell whether a function answers requests, as its place, name or parameters say."""
    if "use server" in (file.directive, function.directive):
        return True
    if _ROUTE.search(file.path) and (function.name in _METHODS or not function.name):
        return True
    names = [dotted(p.target) for p in function.parameters]
    return len(names) >= 2 and names[0] in ("req", "request") and names[1] in ("res", "response", "reply")


def _is_kept(client: Client, function: Function) -> bool:
    """Tell whether the client is kept in a variable outside, or made only where there is none."""
    for node in walk(function.body):
        if isinstance(node, Assign) and _holds(node.value, client.call):
            return True
        if isinstance(node, Binary) and node.operator in ("??", "||") and _holds(node.right, client.call):
            return True
        if isinstance(node, Declare) and node.value is not None and _holds(node.value, client.call):
            return dotted(node.target).startswith("global")
    return False


def _holds(node: Node, wanted: Node) -> bool:
    return any(n is wanted for n in walk(node))
