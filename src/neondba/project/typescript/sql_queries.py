"""Recognise SQL in tagged templates and calls of supabase-js."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neondba.project.typescript.nodes import Call, Member, Template, Text
from neondba.project.typescript.values import Scope, Value, union

if TYPE_CHECKING:
    from neondba.project.typescript.evaluate import Interpreter
    from neondba.project.typescript.owned import OwnedTable

TAGS = re.compile(r"(^|\.)(sql|\$queryRaw|\$executeRaw|query|pg)$")
TABLE = re.compile(r"\b(from|update|into|join)\s+(?:only\s+)?((?:\"?\w+\"?\.)?\"?\w+\"?)", re.IGNORECASE)
BEFORE = re.compile(r"\"?(\w+)\"?\s*(?:=|in|@>|=\s*any|ilike|like)\s*\(?\s*(?:lower\()?$", re.IGNORECASE)
SETTING = re.compile(r"set_config\(|\bset\s+local\b", re.IGNORECASE)
FIRST = re.compile(r"^\s*(with|select|update|delete|insert)\b", re.IGNORECASE)


def tagged(ip: Interpreter, node: Call, scope: Scope) -> Value:
    """Note a statement written as a tagged template."""
    ip.value(node.callee, scope) if not TAGS.search(node.name) else None
    template = node.arguments[0] if node.arguments else None
    texts = (
        template.texts
        if isinstance(template, Template)
        else [template.value]
        if isinstance(template, Text)
        else []
    )
    holes = [ip.value(h, scope) for h in template.holes] if isinstance(template, Template) else []
    whole = " $ ".join(texts)
    if SETTING.search(whole) and union(holes):
        ip.run.policy = "set_config()"
    first = FIRST.match(whole)
    if not first or not TAGS.search(node.name):
        return Value(union(holes))
    table = _table(ip, whole)
    if table is None:
        return Value(union(holes))
    verb = first[1].lower()
    kind = {"with": "select"}.get(verb, verb)
    made = ip.run.send(kind, table, scope.file.path, node.line, ip.run.way[-1].name if ip.run.way else "")
    made.many = False
    made.amount = bool(re.match(r"\s*select\s+count\(", whole, re.IGNORECASE))
    for text, hole in zip(texts, holes, strict=False):
        before = BEFORE.search(text)
        column = before[1] if before else ""
        if kind == "insert" or (
            kind == "update"
            and not re.search(r"\bwhere\b", whole[: whole.find(text) + len(text)], re.IGNORECASE)
        ):
            made.data.append((column, hole))
        elif before or hole.fields is None:
            made.where.append((column, hole))
    ip.run.settle(made)
    return Value(frozenset({("row", str(made.number))}), statement=made, written=table.name)


def _table(ip: Interpreter, text: str) -> OwnedTable | None:
    for match in TABLE.finditer(text):
        name = match[2].replace('"', "").rpartition(".")[2].lower()
        if name in ip.tables.by_name:
            return ip.tables.by_name[name]
    return None


CHAINED = frozenset(
    {"select", "insert", "update", "delete", "upsert", "eq", "in", "match", "filter", "single",
     "maybeSingle", "order",
     "limit", "range", "or", "neq", "is", "gt", "gte", "lt", "lte", "contains", "returns",
     "throwOnError", "like",
     "ilike", "not", "textSearch", "overlaps"}
)  # fmt: skip
KINDS = {"insert": "insert", "update": "update", "delete": "delete", "upsert": "update", "select": "select"}


def supabase(ip: Interpreter, node: Call, scope: Scope, receiver: Value) -> Value | None:
    """Note `supabase.from("t")` and the links of its chain; none for any other call."""
    callee = node.callee
    if not isinstance(callee, Member):
        return None
    if callee.name == "from" and len(node.arguments) == 1 and isinstance(node.arguments[0], Text):
        table = ip.tables.by_name.get(node.arguments[0].value.lower())
        if table is None or receiver.kind == "select":
            return None
        made = ip.run.send(
            "select", table, scope.file.path, node.line, ip.run.way[-1].name if ip.run.way else ""
        )
        made.many = False
        made.by_client = receiver.written or node.name
        return Value(
            frozenset({("row", str(made.number))}), kind="supabase", statement=made, written=table.name
        )
    if receiver.kind != "supabase" or receiver.statement is None or callee.name not in CHAINED:
        return None
    made = receiver.statement
    arguments = [ip.value(a, scope) for a in node.arguments]
    if callee.name in KINDS and (callee.name != "select" or made.kind == "select"):
        made.kind = KINDS[callee.name]
        for argument in arguments if callee.name != "select" else []:
            made.fill(argument)
    elif callee.name in ("eq", "in", "contains") and len(arguments) == 2:
        first = node.arguments[0]
        made.where.append((first.value if isinstance(first, Text) else "", arguments[1]))
    else:
        made.where += [("", a) for a in arguments]
    made.checks = ip.run.vouched.copy()
    ip.run.settle(made)
    return receiver
