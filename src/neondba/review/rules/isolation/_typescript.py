"""What the rules over TypeScript's verdicts share: one finding a cause, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from neondba.project.isolation.judged import Binding, EntranceKind
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.nodes import Call, Declare, Member, Name, Node, Object, walk
from neondba.project.typescript.owned import folded
from neondba.project.typescript.verdicts import Verdict
from neondba.review.finding import Severity

MANY = 3
"""Entrances that show a table to strangers, from which on it is meant to be so."""
CHANGES = ("update", "delete")
VERBS = {"get": "read", "select": "read", "update": "change", "delete": "delete", "insert": "make"}


def open_ones(isolation: TypeScriptIsolation, *faults: str) -> Iterator[Verdict]:
    """Give the open verdicts with these faults, one a cause: a client's value that one function believes."""
    causes: dict[tuple[str, str, str, str], Verdict] = {}
    for verdict in isolation.verdicts:
        judged = verdict.judged
        if judged.binding is not Binding.OPEN or verdict.fault not in faults:
            continue
        key = (judged.path, verdict.statement.function or judged.entrance.name, judged.table, verdict.claim)
        known = causes.get(key)
        if known is None or _rank(verdict) < _rank(known):
            causes[key] = verdict
    told: set[tuple[str, int]] = set()
    for verdict in causes.values():
        place = (verdict.judged.path, verdict.judged.line)
        if place not in told:
            told.add(place)
            yield verdict


def _rank(verdict: Verdict) -> tuple[bool, int]:
    return (verdict.judged.kind not in CHANGES, verdict.judged.line)


def believes_owner(verdict: Verdict) -> bool:
    """Tell whether the client's value stands where the owner should."""
    table = verdict.statement.table
    column = folded(verdict.column)
    return table is not None and column in table.columns and column != "id" and column != table.parent


def guarded_tables(isolation: TypeScriptIsolation) -> frozenset[str]:
    """Give the tables whose rows the project binds to the caller somewhere."""
    return frozenset(
        v.judged.table
        for v in isolation.verdicts
        if v.judged.binding in (Binding.BOUND, Binding.BOUND_LATER)
        and v.judged.kind != "insert"
        and not v.judged.why.startswith("only staff")
    )


def for_strangers(isolation: TypeScriptIsolation) -> frozenset[tuple[str, str]]:
    """Give the entrances that are made for visitors: they read what many others show to strangers, too."""
    by_table: dict[str, set[tuple[str, str]]] = {}
    public: set[tuple[str, str]] = set()
    for verdict in isolation.verdicts:
        judged, table = verdict.judged, verdict.statement.table
        if verdict.entrance.known or judged.kind not in ("get", "select") or table is None or table.people:
            continue
        if verdict.entrance.machine or verdict.entrance.run.machine:
            continue
        entrance = (judged.entrance.path, judged.entrance.name)
        by_table.setdefault(judged.table, set()).add(entrance)
        if judged.binding is Binding.PUBLIC:
            public.add(entrance)
    return frozenset(public.union(*(e for e in by_table.values() if len(e) >= MANY)))


def severity_of(verdict: Verdict, guarded: Iterable[str]) -> Severity:
    """Tell how sure it is that the row is private: by its columns, or by how the project treats it."""
    table = verdict.statement.table
    assert table is not None
    elsewhere = verdict.judged.table in guarded
    if verdict.entrance.strangers:
        return Severity.MEDIUM  # What a visitor may see is decided some other way.
    if verdict.statement.used == "keys":
        return Severity.MEDIUM  # Nothing else of the row goes anywhere.
    if verdict.judged.kind in CHANGES and (table.private or elsewhere or table.people):
        return Severity.HIGH
    return Severity.HIGH if table.private and elsewhere else Severity.MEDIUM


def name_of(verdict: Verdict) -> str:
    """Give what a person calls the entrance."""
    entrance = verdict.judged.entrance
    kind = "" if entrance.kind is EntranceKind.ROUTE else f"{entrance.kind.value} "
    return entrance.name if entrance.name.startswith(entrance.kind.value) else f"{kind}{entrance.name}"


def claim_of(verdict: Verdict) -> str:
    """Give the client's value as the code names it: `params.id`."""
    return verdict.claim.removeprefix("valid.").removeprefix("tool.") or "what the client sends"


def way_of(verdict: Verdict) -> tuple[str, ...]:
    """Give the way from the entrance to the statement."""
    entrance = verdict.judged.entrance
    steps = [f"{entrance.path}:{entrance.line} {entrance.name}"]
    steps += [f"{s.path}:{s.line} {s.name}" for s in verdict.judged.way]
    return (*dict.fromkeys(steps), f"{verdict.judged.path}:{verdict.judged.line} {verdict.judged.kind}")


def caller_of(verdict: Verdict) -> str:
    """Give the expression that carries the caller, or the usual one."""
    return verdict.judged.entrance.principal or "session.user.id"


def line_of_data(files: TypeScriptFiles, verdict: Verdict, *columns: str) -> int:
    """Give the line on which one of these columns, or a whole object, is written."""
    statement = verdict.statement
    file = files.get(statement.path)
    for call in file.calls if file is not None else ():
        given = _written(call, statement.line)
        if given is None or file is None:
            continue
        if isinstance(given, Name):
            given = _declared(file, given, statement.line)
        if isinstance(given, Object):
            parts = {p.key or "...": p.line for p in given.properties}
            return next((parts[c] for c in (*columns, "...") if c in parts), given.line)
        return given.line
    return statement.line


def _declared(file: TypeScriptFile, name: Name, line: int) -> Node:
    """Give the object that a name was declared as, in the function around a line."""
    for function in file.functions:
        if function.line <= line <= function.end:
            for node in walk(function.body):
                if (
                    isinstance(node, Declare)
                    and isinstance(node.target, Name)
                    and node.target.name == name.name
                    and isinstance(node.value, Object)
                ):
                    return node.value
    return name


def _written(call: Call, line: int) -> Node | None:
    """Give what the statement of this line writes: Prisma's `data`, or what Drizzle's `set` is given."""
    callee = call.callee
    if not isinstance(callee, Member) or not call.arguments:
        return None
    first = call.arguments[0]
    if callee.line == line and isinstance(first, Object) and (given := first.get("data")) is not None:
        return given
    inner = callee.object
    if callee.name in ("set", "values") and isinstance(inner, Call) and inner.line == line:
        return first
    return None
