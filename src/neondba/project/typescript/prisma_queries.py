"""Recognise calls of a Prisma client: `prisma.task.findMany({ where })`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neondba.postgres.statement import Name as TableName
from neondba.project.schema_table import Table
from neondba.project.typescript.nodes import Call, Index, Member, Name, Text, dotted
from neondba.project.typescript.owned import OWNERS, OwnedTable, folded
from neondba.project.typescript.statements import Statement
from neondba.project.typescript.values import Scope, Value

if TYPE_CHECKING:
    from neondba.project.typescript.evaluate import Interpreter

KINDS = {
    "findUnique": "get", "findUniqueOrThrow": "get", "findFirst": "get", "findFirstOrThrow": "get",
    "findMany": "select", "count": "select", "aggregate": "select", "groupBy": "select",
    "update": "update", "updateMany": "update", "updateManyAndReturn": "update", "upsert": "update",
    "delete": "delete", "deleteMany": "delete",
    "create": "insert", "createMany": "insert", "createManyAndReturn": "insert",
}  # fmt: skip
CLIENTS = re.compile(r"(^|\.)(prisma|db|database|prismadb|prismaClient|client|tx|orm)$")
"""How a client is called where no Prisma schema tells which models there are."""
ADDRESSES = frozenset({"email", "phone", "phoneNumber", "mobile"})
MANY_PEOPLE = re.compile(
    r"([Uu]ser|[Aa]pplicant|[Cc]andidate|[Mm]ember|"
    r"[Pp]articipant|[Aa]ttendee|[Cc]ustomer|[Gg]uest|[Ss]tudent|[Pp]atient)s"
    r"(?![a-z])"
)
"""Relations to lists of people."""
AMOUNTS = frozenset({"count", "aggregate", "groupBy"})


def statement(ip: Interpreter, node: Call, scope: Scope) -> Value | None:
    """Note a Prisma call and give its row; none for any other call."""
    callee = node.callee
    if not isinstance(callee, Member) or callee.name not in KINDS:
        return None
    model = callee.object
    if isinstance(model, Index) and isinstance(model.index, Text):
        accessor, root = model.index.value, model.object
    elif isinstance(model, Member):
        accessor, root = model.name, model.object
    else:
        return None
    table = ip.tables.by_accessor.get(accessor)
    if table is None and not ip.tables.by_accessor and CLIENTS.match(dotted(root)):
        table = OwnedTable(accessor, Table(TableName(accessor), "", 0, "prisma", accessor))
    if table is None or (isinstance(root, Name) and root.name in ("this", "z")):
        return None
    if ".query." in f".{dotted(root)}.":
        return None
    made = ip.run.send(KINDS[callee.name], table, scope.file.path, callee.line, _function(ip))
    made.many = callee.name.endswith("Many") or callee.name in AMOUNTS
    made.amount = callee.name in AMOUNTS
    arguments = [ip.value(a, scope) for a in node.arguments]
    if arguments:
        _read(made, arguments[0])
    if not table.table.path:
        _guess_owner(made, table)
    made.checks = ip.run.vouched.copy()
    made.seen = ip.run.tick()
    ip.run.settle(made)
    return Value(frozenset({("row", str(made.number))}), written=accessor, statement=made)


def _guess_owner(made: Statement, table: OwnedTable) -> None:
    """Take a column called like an owner for one where the schema is not in the checkout."""
    named = [c for c, _ in [*made.where, *made.data] if folded(c) in OWNERS]
    if named:
        table.owner, table.private, table.columns = named[0], True, frozenset(folded(c) for c in named)


def _read(made: Statement, given: Value) -> None:
    fields = given.fields or {}
    made.narrowed = "select" in fields or "omit" in fields
    for name, value in fields.items():
        if name == "where":
            made.narrow(value)
        elif name in ("data", "create", "update"):
            made.fill(value)
        elif name in ("select", "include"):
            made.inside += [leaf for path, leaf in value.leaves() if "where" in path]
            made.people = made.people or _people(value)
    if given.fields is None and given.origins:
        made.where.append(("", given))
    elif given.origins:
        made.where.append(("", Value(given.origins)))


def _people(value: Value) -> str:
    """Give the relation to many people whose e-mail or telephone number is fetched with it."""
    for path, _ in value.leaves():
        names = [p for p in path if p not in ("select", "include")]
        if len(names) > 1 and names[-1] in ADDRESSES and MANY_PEOPLE.search(names[0]):
            return names[0]
    return ""


def _function(ip: Interpreter) -> str:
    return ip.run.way[-1].name if ip.run.way else ""
