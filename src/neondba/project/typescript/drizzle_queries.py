"""Recognise Drizzle: `db.select().from(tasks).where(eq(tasks.id, id))`, `db.query.tasks.findFirst(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neondba.project.typescript.nodes import Call, Member, Name, Node, dotted
from neondba.project.typescript.owned import OwnedTable
from neondba.project.typescript.values import Scope, Value, merged

if TYPE_CHECKING:
    from neondba.project.typescript.evaluate import Interpreter

EQUAL = frozenset(
    {"eq", "inArray", "arrayContains", "arrayOverlaps", "like", "ilike", "gt", "gte", "lt", "lte", "between"}
)
UNEQUAL = frozenset({"ne", "notInArray", "isNull", "isNotNull", "not", "desc", "asc", "notExists", "notLike"})
JOINED = frozenset({"and", "or"})
BUILDING = frozenset(
    {"from", "where", "set", "values", "innerJoin", "leftJoin", "rightJoin", "fullJoin", "limit",
     "orderBy", "returning",
     "groupBy", "offset", "having", "$dynamic", "onConflictDoUpdate", "onConflictDoNothing", "as", "prepare",
     "execute", "for", "then", "catch", "all", "run"}
)  # fmt: skip
FOUND = {"findFirst": "get", "findMany": "select"}
CHANGES = {"update": "update", "delete": "delete", "insert": "insert"}
SELECTS = frozenset({"select", "selectDistinct", "selectDistinctOn"})


def operator(ip: Interpreter, node: Call, scope: Scope) -> Value | None:
    """Give a condition as an object of column and value: `eq(tasks.id, id)` is `{id}`."""
    callee = node.callee
    name = callee.name if isinstance(callee, Name | Member) else ""
    if name in JOINED and node.arguments:
        parts = [ip.value(a, scope) for a in node.arguments]
        return Value(fields={str(number): part for number, part in enumerate(parts)})
    if name in UNEQUAL and node.arguments and isinstance(callee, Name):
        return Value()
    if name not in EQUAL or len(node.arguments) < 2:
        return None
    if isinstance(callee, Member) and not isinstance(callee.object, Name):
        return None
    column, value = node.arguments[0], ip.value(node.arguments[1], scope)
    key = column.name if isinstance(column, Member) else ""
    other = node.arguments[1]
    if isinstance(column, Member) and isinstance(other, Member) and table_of(ip, other.object, scope):
        return Value()  # Two columns: how tables are joined.
    if isinstance(column, Name):
        value = merged([value, ip.value(column, scope)])
    return Value(fields={key: value}) if key else value


def table_of(ip: Interpreter, node: Node, scope: Scope) -> OwnedTable | None:
    """Give the table that an expression names: `tasks`, `schema.tasks`."""
    if isinstance(node, Name):
        found = ip.tables.by_variable.get(node.name)
        if found is not None and scope.find(node.name) is None:
            return found
        imported = scope.file.imports.get(node.name)
        return ip.tables.by_variable.get(imported.imported) if imported else None
    if isinstance(node, Member) and _holds_tables(node.object, scope):
        return ip.tables.by_variable.get(node.name)
    return None


def _holds_tables(node: Node, scope: Scope) -> bool:
    """Tell whether an expression may be a schema; `session.user` is no table, whatever tables are called."""
    if isinstance(node, Name):
        return scope.find(node.name) is None
    return isinstance(node, Member) and node.name in ("schema", "tables", "_")


def statement(ip: Interpreter, node: Call, scope: Scope, receiver: Value) -> Value | None:
    """Note a Drizzle call, or one more link of its chain; none for any other call."""
    callee = node.callee
    if not isinstance(callee, Member):
        return None
    if (
        callee.name in FOUND
        and isinstance(callee.object, Member)
        and ".query." in f"{dotted(callee.object)}."
    ):
        return _relational(ip, node, callee, scope)
    if receiver.kind == "query" and receiver.statement is not None and callee.name in BUILDING:
        return _link(ip, node, callee.name, scope, receiver)
    if callee.name in SELECTS and not receiver.statement:
        arguments = [ip.value(a, scope) for a in node.arguments]
        made = Value(kind="select", written=_fields(arguments))
        return made if _is_chain(receiver) else None
    if receiver.kind == "select" and callee.name == "from":
        return _from(ip, node, callee, scope, receiver)
    if callee.name in CHANGES and len(node.arguments) == 1:
        table = table_of(ip, node.arguments[0], scope)
        if table is None:
            return None
        return _sent(ip, CHANGES[callee.name], table, scope, callee.line)
    return None


def _is_chain(receiver: Value) -> bool:
    return receiver.fields is None


def _fields(arguments: list[Value]) -> str:
    return (
        "count"
        if arguments and arguments[0].fields and set(arguments[0].fields) <= {"count", "total", "value"}
        else ""
    )


def _sent(ip: Interpreter, kind: str, table: OwnedTable, scope: Scope, line: int) -> Value:
    made = ip.run.send(kind, table, scope.file.path, line, ip.run.way[-1].name if ip.run.way else "")
    made.many = False
    return Value(frozenset({("row", str(made.number))}), kind="query", statement=made, written=table.name)


def _from(ip: Interpreter, node: Call, callee: Member, scope: Scope, receiver: Value) -> Value:
    table = table_of(ip, node.arguments[0], scope) if node.arguments else None
    if table is None:
        inner = [ip.value(a, scope) for a in node.arguments]
        return merged(inner)
    given = _sent(ip, "select", table, scope, callee.line)
    assert given.statement is not None
    given.statement.amount = receiver.written == "count"
    given.statement.narrowed = isinstance(callee.object, Call) and bool(callee.object.arguments)
    return given


def _link(ip: Interpreter, node: Call, name: str, scope: Scope, receiver: Value) -> Value:
    made = receiver.statement
    assert made is not None
    arguments = [ip.value(a, scope) for a in node.arguments]
    if name in ("where", "having"):
        for argument in arguments:
            made.narrow(argument)
    elif name.endswith("Join"):
        for argument in arguments[1:]:
            made.narrow(argument)
    elif name in ("set", "values"):
        for argument in arguments:
            made.fill(argument)
    made.seen = ip.run.tick()
    made.checks = ip.run.vouched.copy()
    if name in ("where", "innerJoin", "leftJoin"):
        ip.run.settle(made)
    return receiver


def _relational(ip: Interpreter, node: Call, callee: Member, scope: Scope) -> Value | None:
    model = callee.object
    assert isinstance(model, Member)
    table = ip.tables.by_variable.get(model.name)
    if table is None:
        return None
    given = _sent(ip, FOUND[callee.name], table, scope, callee.line)
    made = given.statement
    assert made is not None
    made.many = callee.name == "findMany"
    options = ip.value(node.arguments[0], scope) if node.arguments else Value()
    where = (options.fields or {}).get("where")
    made.narrowed = "columns" in (options.fields or {})
    if where is not None and where.closure is not None:
        where = ip.invoke(where.closure, [Value(column=model.name, written=model.name), Value()])
    if where is not None:
        made.narrow(where)
    for path, leaf in options.leaves():
        if path[:1] == ("with",) and "where" in path:
            made.inside.append(leaf)
    if options.fields is None and options.origins:
        made.where.append(("", options))
    made.checks = ip.run.vouched.copy()
    made.seen = ip.run.tick()
    ip.run.settle(made)
    given.kind = ""
    return given
