"""What a part of a value is, and what a comparison tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neondba.project.schema_provider import plain
from neondba.project.typescript import callers
from neondba.project.typescript.values import Closure, Scope, Value, in_order, item_of

if TYPE_CHECKING:
    from neondba.project.typescript.evaluate import Interpreter

PLAIN = frozenset({"db", "prisma", "req", "res", "request", "response", "headers", "logger", "env", "input",
                   "params", "query", "body", "requestId", "userAgent"})  # fmt: skip
CALLERS_PART = re.compile(r"Id$|user|session|account|member|\borg|team|workspace|tenant|email", re.IGNORECASE)
"""Parts that a middleware before has put into a context, about who is calling."""
SAME = frozenset({"data", "value", "current", "json", "trim", "toString", "valid"})
"""Parts that stand for the whole: the data of a parse."""
STORES = frozenset({"get", "var", "locals", "variables", "state", "store"})


def is_identity(name: str) -> bool:
    """Tell whether a part of a request or context by this name stands for the caller."""
    return bool(callers.NAMES.match(name))


def member(ip: Interpreter, owner: Value, name: str) -> Value:
    """Give a part of a value by its name."""
    if owner.fields is not None and name in owner.fields:
        part = owner.fields[name]
        if part.is_known or not owner.origins:
            return part
        # One way gives `null` there, another one something nobody looked into.
        return member(ip, Value(owner.origins, written=owner.written), name)
    if owner.kind in ("request", "context"):
        return _of_request(ip, owner, name)
    if owner.kind == "module" and owner.module is not None:
        found = ip.files.export_of(owner.module, name)
        return ip.of(found) if found is not None else Value()
    if owner.kind in ("class", "instance") and owner.made is not None:
        return _of_class(ip, owner, name)
    if owner.fields is not None and name in SAME:
        return owner
    if owner.fields is not None:
        rest = owner.fields.get("...")
        return member(ip, rest, name) if rest is not None else Value(owner.origins)
    if owner.column:
        return Value(written=f"{owner.written}.{name}", column=name)
    if not owner.origins:
        return Value(written=f"{owner.written}.{name}" if owner.written else "")
    origins = frozenset(_inside(kind, key, name) for kind, key in owner.origins)
    return Value(
        origins, written=f"{owner.written}.{name}" if owner.written else "", statement=owner.statement
    )


def _inside(kind: str, key: str, name: str) -> tuple[str, str]:
    if kind == "client":
        return (kind, key if name in SAME else f"{key}.{name}")
    if kind == "caller" and len(key) < 60:
        return (kind, f"{key}.{name}")
    return (kind, key)


def _of_request(ip: Interpreter, owner: Value, name: str) -> Value:
    written = f"{owner.written}.{name}" if owner.written else name
    if is_identity(name) or (owner.kind == "context" and callers.SCOPED.match(name)):
        return ip.run.ask(written)
    if owner.kind == "context" and name not in PLAIN and CALLERS_PART.search(name):
        return ip.run.ask(written)
    if name in STORES:
        return Value(kind="context", written=written)
    if name in ("req", "request", "raw"):
        return Value(kind="request", written=written)
    if owner.kind == "request" or callers.CLIENTS.match(name):
        return Value(frozenset({("client", name)}), written=written)
    return Value(kind="context" if name in ("context", "ctx") else "", written=written)


def _of_class(ip: Interpreter, owner: Value, name: str) -> Value:
    assert owner.made is not None
    file, found = owner.made
    scope = Scope(file, this=owner)
    if name in found.methods:
        return Value(closure=Closure(found.methods[name], scope), written=f"{found.name}.{name}")
    if found.fields.get(name) is not None:
        return ip.value(found.fields[name], scope)
    written = found.types.get(name, "").partition("<")[0].strip()
    if written.isidentifier():
        typed = ip.of_file(file, written)
        if typed.kind == "class":
            return Value(kind="instance", made=typed.made)
    if found.base is not None:
        above = ip.value(found.base, Scope(file))
        if above.kind == "class" and above.made is not None and above.made[1] is not found:
            return member(ip, Value(kind="instance", made=above.made), name)
    return Value(written=f"this.{name}")


def element(owner: Value, number: int) -> Value:
    """Give an item of a list by its place."""
    if owner.fields is not None and str(number) in owner.fields:
        return owner.fields[str(number)]
    given = item_of(owner)
    given.statement = owner.statement
    return given


def compared(ip: Interpreter, left: Value, right: Value, why: str) -> None:
    """Note what an equality between two values tells."""
    run = ip.run
    sides = (left.all_origins(), right.all_origins())
    for value, origins, others in ((left, sides[0], sides[1]), (right, sides[1], sides[0])):
        if not is_everyday(right if value is left else left):
            asked(ip, value)
        if any(kind == "env" for kind, _ in origins) and any(kind == "client" for kind, _ in others):
            run.machine = run.machine or "a secret of the environment"
    for value, origins, others in ((left, sides[0], sides[1]), (right, sides[1], sides[0])):
        if others and (bound := run.is_bound(others)) and not run.is_bound(origins):
            run.vouch(value, f"{bound}, {why}")


def is_everyday(roles: Value) -> bool:
    """Tell whether roles, or one of a list, are such as anybody may come to have."""
    if roles.fields is not None and not roles.fields:
        return True
    return any(callers.is_everyday(leaf.written) for _, leaf in roles.leaves())


def asked(ip: Interpreter, value: Value) -> None:
    """Note a test of the caller's role."""
    for kind, key in in_order(value.origins):
        role = kind == "caller" and bool(callers.ROLE.search(key))
        if kind == "row" and callers.ROLE.search(value.written):
            # A role in a team says nothing about the rows of other teams.
            read = ip.run.statements.get(int(key))
            table = read.table if read else None
            role = bool(
                table and plain(table.name) in ("user", "profile", "admin") and ip.run.row_is_bound(int(key))
            )
        if role and ip.run.staff is None:
            ip.run.staff = (ip.run.tick(), value.written or key)
