"""What TypeScript code asks of Prisma clients and Drizzle databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from neondba.project.places import is_script, is_test
from neondba.project.schema import Schema
from neondba.project.schema_table import Table
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import (
    Call,
    Function,
    Member,
    Name,
    Node,
    Object,
    children,
    dotted,
    walk,
)  # fmt: skip

PRISMA = {
    "findUnique": "read", "findUniqueOrThrow": "read", "findFirst": "read", "findFirstOrThrow": "read",
    "findMany": "list", "count": "list", "aggregate": "list", "groupBy": "list",
    "update": "update", "updateMany": "update", "updateManyAndReturn": "update", "upsert": "upsert",
    "delete": "delete", "deleteMany": "delete",
    "create": "create", "createMany": "create", "createManyAndReturn": "create",
}  # fmt: skip
"""Kind of each Prisma method."""
WRITES = frozenset({"create", "update", "delete", "upsert"})
Link = tuple[str, Call]


@dataclass
class Use:
    """One statement that is sent to the database."""

    kind: str
    """`read` (one row), `list`, `create`, `update`, `upsert` or `delete`."""
    tool: str
    """`prisma` or `drizzle`."""
    table: Table
    client: str
    """What it is sent over: `prisma`, `tx`."""
    line: int
    node: Call
    """The outermost call of the chain."""
    links: list[Link] = field(default_factory=list)
    """The chain's methods in order."""

    @property
    def writes(self) -> bool:
        """Tell whether it changes rows."""
        return self.kind in WRITES

    def argument(self, method: str) -> Node | None:
        """Give the first argument of a method in the chain."""
        return next((c.arguments[0] for name, c in self.links if name == method and c.arguments), None)

    @property
    def data(self) -> Object | None:
        """What is written, where it stands there as an object."""
        if self.tool == "prisma":
            given = self.links[0][1].arguments[0] if self.links[0][1].arguments else None
            found = given.get("data") or given.get("update") if isinstance(given, Object) else None
        else:
            found = self.argument("values") or self.argument("set")
        return found if isinstance(found, Object) else None

    @property
    def equals(self) -> dict[str, Node]:
        """The fields that the rows have to equal, with the values; empty for any other condition."""
        if self.tool == "prisma":
            given = self.links[0][1].arguments[0] if self.links[0][1].arguments else None
            where = given.get("where") if isinstance(given, Object) else None
            return {p.key: p.value for p in where.properties if p.key} if isinstance(where, Object) else {}
        condition = self.argument("where")
        if condition is None and self.links[0][1].arguments:
            options = self.links[0][1].arguments[0]
            condition = options.get("where") if isinstance(options, Object) else None
        return compared(condition) if condition is not None else {}


def compared(condition: Node) -> dict[str, Node]:
    """Read `and(eq(table.field, value), …)`; empty where there is anything else in it."""
    if isinstance(condition, Function):
        condition = condition.body
    if not isinstance(condition, Call) or not isinstance(condition.callee, Name):
        return {}
    name, arguments = condition.callee.name, condition.arguments
    if name == "eq" and len(arguments) == 2 and isinstance(arguments[0], Member):
        return {arguments[0].name: arguments[1]}
    if name == "and":
        parts = [compared(a) for a in arguments]
        return {k: v for part in parts for k, v in part.items()} if all(parts) else {}
    return {}


class OrmCalls:
    """Recognises the statements of a project's own models in its code."""

    def __init__(self, files: TypeScriptFiles, schema: Schema) -> None:
        self.files = files
        self._models = {
            t.label[:1].lower() + t.label[1:]: t
            for t in schema.definitions
            if t.source == "prisma" and t.label
        }
        self._tables = {t.label: t for t in schema.definitions if t.source == "drizzle" and t.label}
        self._read: dict[str, list[tuple[Function, list[Use]]]] = {}

    @property
    def tables(self) -> list[Table]:
        """The tables that TypeScript code can name."""
        return [*self._models.values(), *self._tables.values()]

    @classmethod
    def gather(cls, files: TypeScriptFiles, schema: Schema) -> OrmCalls:
        """Note which models there are."""
        return cls(files, schema)

    def running(self, *words: str) -> Iterator[TypeScriptFile]:
        """Give the files of running programs: no tests, seeds and scripts."""
        for path in self._sending:
            text = self.files.text(path)
            if (not words or any(word in text for word in words)) and (file := self.files.get(path)):
                yield file

    @cached_property
    def sending(self) -> frozenset[str]:
        """The files of running programs that send statements."""
        return frozenset(self._sending)

    @cached_property
    def _sending(self) -> list[str]:
        """The files whose text names a model where a statement would."""
        accessors, tables = "|".join(self._models), "|".join(self._tables)
        parts = [rf"\.(?:{accessors})\s*\.\s*[a-z]"] if accessors else []
        if tables:
            parts += [
                rf"\b(?:from|insert|update|delete)\(\s*(?:\w+\.)?(?:{tables})\b",
                rf"\.query\s*\.(?:{tables})\b",
            ]
        named = re.compile("|".join(parts)) if parts else None
        return [
            path
            for path in self.files.paths
            if named is not None
            and not (is_test(path) or is_script(path) or "seed" in path.lower())
            and named.search(self.files.text(path))
        ]

    def functions(self, file: TypeScriptFile) -> list[tuple[Function, list[Use]]]:
        """Give the functions of a file with the statements each sends, inner functions' included."""
        if file.path not in self._read:
            every = [use for statement in file.body for use in self.uses(statement)]
            found = [(f, [u for u in every if f.line <= u.line <= f.end]) for f in file.functions if every]
            self._read[file.path] = [(f, uses) for f, uses in found if uses]
        return self._read[file.path]

    def uses(self, node: Node) -> Iterator[Use]:
        """Give the statements inside a node, in the order of the text."""
        if isinstance(node, Call):
            root, links = chain(node)
            use = self._use(root, links, node)
            if use is not None:
                yield use
                for _, call in links:
                    for argument in call.arguments:
                        yield from self.uses(argument)
                return
        for child in children(node):
            yield from self.uses(child)

    def _use(self, root: Node, links: list[Link], node: Call) -> Use | None:
        for place, (method, call) in enumerate(links):
            if method in PRISMA:
                use = self._prisma(method, call, links[place:], node)
                if use is not None:
                    return use
            first = call.arguments[0] if call.arguments else None
            table = self._tables.get(first.name) if isinstance(first, Name | Member) else None
            if table is not None and method in ("insert", "update", "delete", "from"):
                kind = {"insert": "create", "from": "list"}.get(method, method)
                return Use(kind, "drizzle", table, dotted(root), call.line, node, links[place:])
        return None

    def _prisma(self, method: str, call: Call, links: list[Link], node: Call) -> Use | None:
        if not isinstance(call.callee, Member) or not isinstance(call.callee.object, Member):
            return None
        model = call.callee.object
        owner = dotted(model.object)
        if owner.endswith(".query") and method in ("findFirst", "findMany"):
            table = self._tables.get(model.name)
            kind = "read" if method == "findFirst" else "list"
            client = owner.removesuffix(".query")
            return Use(kind, "drizzle", table, client, call.line, node, links) if table else None
        table = self._models.get(model.name)
        if table is None or owner in ("this", "z", "?"):
            return None
        return Use(PRISMA[method], "prisma", table, owner, call.line, node, links)


def chain(node: Call) -> tuple[Node, list[Link]]:
    """Take `root.a(…).b(…)` apart: the root and its methods in order."""
    links: list[Link] = []
    current: Node = node
    while isinstance(current, Call) and isinstance(current.callee, Member):
        links.append((current.callee.name, current))
        current = current.callee.object
    while isinstance(current, Member):
        current = current.object
    if isinstance(current, Call) and isinstance(current.callee, Member):
        root, more = chain(current)
        return root, [*more, *reversed(links)]
    return current, list(reversed(links))


def names_in(node: Node) -> set[str]:
    """Give the plain names inside a node."""
    return {n.name for n in walk(node) if isinstance(n, Name)}
