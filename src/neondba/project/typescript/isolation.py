"""The verdicts on every statement that a TypeScript project's entrances reach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from neondba.project.facts import Unparsed
from neondba.project.isolation.judged import Binding, Entrance, EntranceKind, Judged
from neondba.project.tree import Tree
from neondba.project.typescript import callers
from neondba.project.typescript.callers import STAFF_CALL
from neondba.project.typescript.entrances import Ways, guards_by_name
from neondba.project.typescript.evaluate import Interpreter
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.interest import Interest
from neondba.project.typescript.members import is_everyday
from neondba.project.typescript.mounts import Mounts
from neondba.project.typescript.nodes import Call, Function, Name, Node, Object, dotted
from neondba.project.typescript.owned import OwnedTables
from neondba.project.typescript.relevance import Relevance
from neondba.project.typescript.run import Run
from neondba.project.typescript.values import Scope, Value, client, request
from neondba.project.typescript.verdicts import Door, Verdict, is_machine, verdicts
from neondba.project.typescript.ways import Way

STAFF_PLACE = re.compile(r"(^|/)\(?_?(admin|super-?admin|backoffice|staff)\)?(/|$|-)", re.IGNORECASE)


class TypeScriptIsolation:
    """What every entrance of the TypeScript side may do with rows that have an owner."""

    def __init__(self, found: list[Verdict], doors: Sequence[Door] = ()) -> None:
        self.verdicts = found
        self.doors = doors
        """Every way in with what it sends, to tables without an owner as well."""

    @property
    def judged(self) -> list[Judged]:
        """The plain verdicts, the same for Python and TypeScript."""
        return [v.judged for v in self.verdicts]

    @classmethod
    def gather(cls, tree: Tree, files: TypeScriptFiles, tables: OwnedTables) -> TypeScriptIsolation:
        """Follow every way in, and judge what it reaches."""
        if not files.paths:
            return cls([])
        judge = Judge(tree, files, tables)
        doors = [door for way in judge.ways.all() for door in judge.followed(way)]
        found = [v for door in doors for v in verdicts(door)]
        return cls(_shown_elsewhere(_worst(found)), doors)


class Judge:
    """Follows ways in, one after the other."""

    def __init__(self, tree: Tree, files: TypeScriptFiles, tables: OwnedTables) -> None:
        self.files, self.tables = files, tables
        self.relevance = Relevance(files)
        self.ways = Ways(files, self.relevance)
        self.mounts = Mounts(files, self.relevance)
        self._tree = tree
        self._numbers = count()
        self._interest = Interest(files, self.relevance)
        self._shared: dict[tuple[str, str], Value] = {}

    def followed(self, way: Way) -> list[Door]:
        """Follow one way in; one that goes too deep is put on the list of what was not read."""
        try:
            return self.doors(way)
        except RecursionError:
            reason = f"{way.name} is nested too deeply to be followed"
            self.files.unparsed.append(Unparsed(path=way.file.path, line=way.line, reason=reason))
            return []

    def doors(self, way: Way) -> list[Door]:
        """Follow one way in; inline server actions inside it are doors of their own."""
        run = Run(trusted=self.mounts.trusted, numbers=self._numbers)
        ip = Interpreter(self.files, self.tables, self.relevance, run, self._shared, self._interest)
        if way.shape in ("procedure", "tool"):
            run.parsed |= {"input", "tool"}
        run.parsed |= way.parsed
        door = self._door(way, run)
        scope = Scope(way.file)
        shared = request()
        for file, node in [*self.mounts.before(way), *way.before]:
            self._middleware(ip, door, file, node, shared)
        target = ip.value(way.node, scope)
        arguments = self._arguments(way, target, shared)
        for argument in arguments if way.owned else ():
            run.vouch(argument, "checked by a guard before it")
        if target.closure is not None:
            _note_returned(run, ip.invoke(target.closure, arguments))
        for inner in target.inner:
            if inner.closure is not None:
                door.guarded = door.guarded or guards_by_name(target.written)
                door.staff = door.staff or bool(STAFF_CALL.search(target.written))
                ip.invoke(inner.closure, _wrapped(inner.closure.function, arguments, way))
        door.entrance = self._entrance(way, run)
        return [door, *self._inline(way, run)]

    def _door(self, way: Way, run: Run) -> Door:
        door = Door(self._entrance(way, run), run)
        door.guarded = way.guarded or guards_by_name(way.wrappers) or self.mounts.guards(way)
        door.staff = (
            way.staff
            or bool(STAFF_CALL.search(way.wrappers))
            or bool(STAFF_PLACE.search(f"/{way.file.path}"))
        )
        door.staff = door.staff or bool(STAFF_PLACE.search(way.address))
        if is_machine(way.address) or (way.kind is EntranceKind.ROUTE and is_machine(way.file.path)):
            door.machine = "its address"
        return door

    def _entrance(self, way: Way, run: Run) -> Entrance:
        principal = run.callers[0] if run.callers else ""
        return Entrance(way.kind, way.name, way.file.path, way.line, principal)

    def _middleware(
        self, ip: Interpreter, door: Door, file: TypeScriptFile, node: Node, shared: Value
    ) -> None:
        written = dotted(node)
        if guards_by_name(written):
            door.guarded = True
        given = ip.value(node, Scope(file))
        if STAFF_CALL.search(written) and not _names_everyday(ip, file, node):
            door.staff = True
        if given.closure is not None and len(given.closure.function.parameters) <= 3:
            ip.invoke(given.closure, [_server_request(given.closure.function, shared), Value(), Value()])

    def _arguments(self, way: Way, target: Value, shared: Value) -> list[Value]:
        function = target.closure.function if target.closure else None
        if way.shape == "server" and function is not None:
            return [_server_request(function, shared), Value(), Value()]
        return way.arguments

    def _inline(self, way: Way, run: Run) -> list[Door]:
        """Follow the server actions that a page holds; they see its variables, not its checks."""
        found = []
        for closure in run.actions[:]:
            if closure.scope.file is not way.file or way.file.directive == "use server":
                continue
            # The page's statements keep their numbers, which the variables refer to.
            inner = Run(
                statements={n: replace(s, quiet=True) for n, s in run.statements.items()},
                numbers=self._numbers,
                trusted=run.trusted,
            )
            name = closure.function.name or "action"
            entrance = Entrance(EntranceKind.ACTION, f"{name}()", way.file.path, closure.function.line)
            follower = Interpreter(
                self.files, self.tables, self.relevance, inner, self._shared, self._interest
            )
            arguments = [client(_word(p.target)) for p in closure.function.parameters]
            follower.invoke(closure, arguments)
            principal = inner.callers[0] if inner.callers else ""
            found.append(Door(replace(entrance, principal=principal), inner))
        return found


def _note_returned(run: Run, given: Value) -> None:
    """Note which rows leave the entrance whole."""
    for _, leaf in given.leaves():
        for kind, key in leaf.origins:
            statement = run.statements.get(int(key)) if kind == "row" else None
            if statement is not None and not statement.narrowed and "." not in leaf.written and leaf.written:
                statement.returned = True


def _names_everyday(ip: Interpreter, file: TypeScriptFile, node: Node) -> bool:
    """Tell whether `checkRole("user")` names a role that anybody may have."""
    given = [ip.value(a, Scope(file)) for a in node.arguments] if isinstance(node, Call) else []
    return any(is_everyday(a) for a in given if a.written or a.fields)


def _word(target: Node) -> str:
    return target.name if isinstance(target, Name) else "argument"


def _server_request(function: Function, shared: Value) -> Value:
    """Give the first argument of a server's handler: a request, or Hono's context with one in it."""
    if len(function.parameters) <= 1 or (
        len(function.parameters) == 2 and _word(function.parameters[0].target) in ("c", "ctx", "context")
    ):
        first = function.parameters[0].target if function.parameters else None
        if isinstance(first, Name) and first.name in ("c", "ctx", "context"):
            return Value(kind="context", written=first.name, fields=None)
        if isinstance(first, Object):
            return Value(kind="context")
    return shared


def _wrapped(function: Function, arguments: list[Value], way: Way) -> list[Value]:
    """Guess what a wrapper gives its function: the request, the caller, what the client sent."""
    given: list[Value] = []
    for number, parameter in enumerate(function.parameters):
        name = _word(parameter.target)
        if isinstance(parameter.target, Object):
            known = arguments[number] if number < len(arguments) else Value()
            fields = {**(known.fields or {})}
            for part in parameter.target.properties:
                fields.setdefault(part.key, _guessed(part.key, way))
            given.append(Value(fields=fields, origins=known.origins))
        elif number < len(arguments) and (arguments[number].kind or arguments[number].fields):
            given.append(arguments[number])
        else:
            given.append(_guessed(name, way))
    return given


def _guessed(name: str, way: Way) -> Value:
    if name in ("req", "request"):
        return request()
    if name in ("ctx", "context", "c"):
        return Value(kind="context", written=name)
    if callers.NAMES.match(name) or callers.SCOPED.match(name):
        return Value(callers.as_caller(name), written=name)
    if callers.CLIENTS.match(name) or name in ("id", "slug", "prevState"):
        return client(name)
    return client(name) if way.kind is EntranceKind.ACTION else Value()


def _worst(found: list[Verdict]) -> list[Verdict]:
    """Keep one verdict for each entrance and statement; an open one before the others."""
    kept: dict[tuple[str, str, int, str, int], Verdict] = {}
    for verdict in found:
        judged = verdict.judged
        key = (judged.entrance.path, judged.entrance.name, judged.entrance.line, judged.path, judged.line)
        if key not in kept or judged.binding is Binding.OPEN:
            kept[key] = verdict
    return list(kept.values())


def _shown_elsewhere(found: list[Verdict]) -> list[Verdict]:
    """Take reads for public where a page shows the same table to strangers."""
    shown = {
        v.judged.table: v.judged.entrance.name
        for v in found
        if v.judged.entrance.kind is EntranceKind.PAGE
        and not v.entrance.known
        and v.judged.binding in (Binding.OPEN, Binding.PUBLIC)
        and v.judged.kind in ("get", "select")
    }
    settled = []
    for verdict in found:
        judged = verdict.judged
        if judged.binding is Binding.OPEN and judged.kind in ("get", "select") and judged.table in shown:
            why = f"{shown[judged.table]} shows {judged.table} to everyone"
            judged = replace(judged, binding=Binding.PUBLIC, why=why)
            verdict = replace(verdict, judged=judged, fault="")
        settled.append(verdict)
    return settled
