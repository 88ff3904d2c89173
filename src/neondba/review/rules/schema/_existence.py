"""Code that looks whether a row is there and adds it if it is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from neondba.project.orm_calls import OrmCalls, Use, names_in
from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import Function, PythonFiles
from neondba.project.schema import Schema, Table
from neondba.project.typescript import nodes as script

NAMES = frozenset({"email", "username", "user_name", "slug", "phone", "phone_number", "login", "handle"})
"""Columns whose values are names: a check before adding says that they are meant to be unique."""
_SIGNS_IN = ("email", "username", "user_name", "login")
_PASSWORD = re.compile(r"^(?:hashed_?)?(?:password|passwd)(?:_?(?:hash|digest))?$", re.IGNORECASE)
_READS = frozenset({"read", "list"})
_LEAVES = (ast.Raise, ast.Return, ast.Continue)


@dataclass(frozen=True)
class Existence:
    """One such place: the row is told apart by these columns."""

    path: str
    line: int
    function: str
    table: Table
    columns: frozenset[str]


def in_scripts(calls: OrmCalls) -> Iterator[Existence]:
    """Give the places in TypeScript."""
    for file in calls.running(".create(", ".insert("):
        for function, uses in calls.functions(file):
            created = [u for u in uses if u.kind == "create" and u.data is not None and not _settles(u)]
            for made in created:
                for read in uses:
                    if _finds_rows(read) and read.line < made.line and read.table is made.table:
                        columns = _columns(read, made)
                        if columns and _decides(function, read, made):
                            yield Existence(file.path, read.line, function.name, made.table, columns)


def _finds_rows(use: Use) -> bool:
    """Tell whether a statement gives rows; how many there are may be held against any limit."""
    return use.kind in _READS and not {"count", "aggregate", "groupBy"} & {name for name, _ in use.links}


def _settles(use: Use) -> bool:
    return any(name.startswith("onConflict") for name, _ in use.links)


def _columns(read: Use, made: Use) -> frozenset[str]:
    """Give the columns that a row is looked for by, if the new row gets the same values."""
    written = {p.key for p in made.data.properties} if made.data else set()
    columns = {field: read.table.named(field) for field in read.equals}
    if not columns or None in columns.values() or not set(columns) <= written:
        return frozenset()
    return frozenset(c.name for c in columns.values() if c)


def _decides(function: script.Function, read: Use, made: Use) -> bool:
    """Tell whether the new row is added because none was found."""
    names: set[str] = set()
    for node in script.walk(function.body):
        if (
            isinstance(node, script.Declare)
            and node.value is not None
            and read.node in script.walk(node.value)
        ):
            names = names_in(node.target)
    for node in script.walk(function.body):
        if (
            isinstance(node, script.If)
            and names & names_in(node.test)
            and read.line <= node.line <= made.line
        ):
            inside = made.node in script.walk(node)
            if inside or any(isinstance(n, script.Return | script.Throw) for n in script.walk(node.then)):
                return True
    return False


def in_python(python: PythonFiles, schema: Schema) -> Iterator[Existence]:
    """Give the places in Python."""
    tables = {t.label: t for t in schema.tables if t.label and t.source in ("sqlmodel", "sqlalchemy")}
    for file in python.containing(".where(", ".filter(", ".filter_by("):
        if is_test(file.path) or is_script(file.path) or is_migration(file.path):
            continue
        for function in file.functions:
            yield from _in_function(file.path, function, tables)


def _in_function(path: str, function: Function, tables: dict[str, Table]) -> Iterator[Existence]:
    made = [c for c in function.calls if isinstance(c.func, ast.Name) and c.func.id in tables and c.keywords]
    for new in made:
        table = tables[new.func.id]  # type: ignore[attr-defined]
        given = {k.arg for k in new.keywords}
        for read in function.assignments:
            if read.value is None or read.lineno >= new.lineno:
                continue
            fields = _asked(read.value, table.label)
            columns = {f: table.named(f) for f in fields}
            if not fields or None in columns.values() or not fields <= given:
                continue
            if _decides_here(function, read, new):
                names = frozenset(c.name for c in columns.values() if c)
                yield Existence(path, read.lineno, function.name, table, names)


def _asked(value: ast.expr, model: str) -> set[str]:
    """Give the columns in `select(Model).where(Model.a == a, …)`; nothing for any other condition."""
    said = ast.unparse(value)
    if not any(start in said for start in (f"select({model})", f"query({model})", f"select({model}.")):
        return set()
    fields: set[str] = set()
    for call in (n for n in ast.walk(value) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
        name = call.func.attr  # type: ignore[attr-defined]
        if name in ("join", "outerjoin", "having"):
            return set()
        if name == "filter_by":
            fields |= {str(k.arg) for k in call.keywords}
        if name not in ("where", "filter"):
            continue
        for condition in call.args:
            field = _field(condition, model)
            if field is None:
                return set()
            fields.add(field)
    return fields


def _field(condition: ast.expr, model: str) -> str | None:
    if not isinstance(condition, ast.Compare) or not isinstance(condition.ops[0], ast.Eq):
        return None
    left = condition.left
    owned = isinstance(left, ast.Attribute) and isinstance(left.value, ast.Name) and left.value.id == model
    return left.attr if owned and isinstance(left, ast.Attribute) else None


def _decides_here(function: Function, read: ast.AST, new: ast.Call) -> bool:
    """Tell whether the new row is made because the read found none."""
    names, start = _bound(read), getattr(read, "lineno", 0)
    for assigned in function.assignments:
        if assigned.value is not None and start < assigned.lineno < new.lineno:
            inside = {n.id for n in ast.walk(assigned.value) if isinstance(n, ast.Name)}
            if inside & names:
                names |= _bound(assigned)
    for node in ast.walk(function.node):
        if not isinstance(node, ast.If) or not start <= node.lineno <= new.lineno:
            continue
        if names & {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)} and (
            any(new is n for n in ast.walk(node)) or any(isinstance(s, _LEAVES) for s in node.body)
        ):
            return True
    return False


def _bound(node: ast.AST) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {t.id for t in targets if isinstance(t, ast.Name)}


def accounts(python: PythonFiles, schema: Schema) -> Iterator[Existence]:
    """Give accounts with a password that are found by a name which no unique index holds."""
    for table in schema.tables:
        if table.source not in ("sqlmodel", "sqlalchemy") or not any(map(_PASSWORD.match, table.columns)):
            continue
        held = {c for t in schema.same(table) for i in t.all_indexes if i.unique for c in i.columns}
        name = next((n for n in _SIGNS_IN if n in table.columns), None)
        if name is None or name in held:
            continue
        asked = re.compile(rf"\b{table.label}\.{name}\s*==|filter_by\(\s*{name}\s*=")
        for file in python.containing(f"{table.label}.{name}", f"filter_by({name}"):
            if not (is_test(file.path) or is_script(file.path)) and (found := asked.search(file.text)):
                line = file.text.count("\n", 0, found.start()) + 1
                yield Existence(file.path, line, "", table, frozenset({name}))
                break
