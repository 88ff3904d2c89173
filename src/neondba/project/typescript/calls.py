"""What a call tells: who is asked for, what is checked, which function is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neondba.project.typescript import callers, drizzle_queries, members, prisma_queries, sql_queries
from neondba.project.typescript.nodes import Call, Member, Name, Text
from neondba.project.typescript.values import Scope, Value, item_of, merged, union

if TYPE_CHECKING:
    from neondba.project.typescript.evaluate import Interpreter

TOGETHER = frozenset({"Promise.all", "Promise.allSettled", "Promise.race", "Object.values", "Array.from",
                      "structuredClone", "Promise.resolve", "Object.freeze"})  # fmt: skip
READING = frozenset({"get", "getAll", "param", "header", "query", "valid", "getHeader", "has", "queries"})
WHOLE = {"json": "body", "formData": "formData", "text": "body", "parseBody": "body", "getBody": "body",
         "blob": "body", "arrayBuffer": "body"}  # fmt: skip
CHOOSING = frozenset({"filter", "find", "some", "every", "forEach", "findIndex", "sort", "findLast"})
MADE = frozenset({"map", "flatMap", "then", "finally", "catch", "reduce"})


def call(ip: Interpreter, node: Call, scope: Scope) -> Value:
    """Give what a call gives, after noting what it does."""
    if node.form == "jsx":
        return _element(ip, node, scope)
    if node.form == "tag":
        return sql_queries.tagged(ip, node, scope)
    if (made := prisma_queries.statement(ip, node, scope)) is not None:
        return made
    if (made := drizzle_queries.operator(ip, node, scope)) is not None:
        return made
    callee = node.callee
    receiver = ip.value(callee.object, scope) if isinstance(callee, Member) else Value()
    if (made := drizzle_queries.statement(ip, node, scope, receiver)) is not None:
        return made
    if (made := sql_queries.supabase(ip, node, scope, receiver)) is not None:
        return made
    arguments = [ip.value(a, scope) for a in node.arguments]
    _policies(ip, node, arguments)
    target = (
        members.member(ip, receiver, callee.name) if isinstance(callee, Member) else ip.value(callee, scope)
    )
    given = _followed(ip, node, target, arguments)
    if given is None:
        given = _foreign(ip, node, receiver, arguments)
    _checks(ip, node, given, arguments, known=target.closure is not None)
    return given


def _policies(ip: Interpreter, node: Call, arguments: list[Value]) -> None:
    """Note that the caller's token, or a setting made of it, goes to the database."""
    last = node.name.rpartition(".")[2]
    if last in ("$withAuth", "withRLS", "rlsTransaction", "withRls"):
        ip.run.policy = f"{last}()"
    elif last in ("neon", "drizzle") and any("authToken" in (a.fields or {}) for a in arguments):
        ip.run.policy = f"{last}({{ authToken }})"


def _element(ip: Interpreter, node: Call, scope: Scope) -> Value:
    props = [ip.value(a, scope) for a in node.arguments]
    if isinstance(node.callee, Name) and node.callee.name[:1].isupper():
        target = ip.value(node.callee, scope)
        if target.closure is not None:
            ip.invoke(target.closure, props, line=node.line)
    return Value()


def _followed(ip: Interpreter, node: Call, target: Value, arguments: list[Value]) -> Value | None:
    """Follow a call into the project; none where it leads outside."""
    if target.kind == "class" and target.made is not None and node.form == "new":
        return Value(kind="instance", made=target.made)
    if target.closure is not None:
        this = target.closure.scope.this
        given = ip.invoke(target.closure, arguments, line=node.line, this=this)
        return _as_caller(ip, node, given, arguments)
    if target.inner:
        return merged([ip.invoke(i.closure, arguments) for i in target.inner if i.closure is not None])
    return None


def _as_caller(ip: Interpreter, node: Call, given: Value, arguments: list[Value]) -> Value:
    """Take what a function of the project called `getSession` gives for the caller."""
    known = any(kind == "caller" for kind, _ in given.all_origins())
    if known or not callers.telling(node.name).asking or given.closure is not None:
        return given
    if any(k == "client" for k, _ in union(arguments)):
        return given
    if given.fields and not given.origins:
        return Value(ip.run.ask(f"{node.name}()").origins, written=f"{node.name}()")
    made = ip.run.ask(f"{node.name}()")
    return Value(made.origins | given.origins, written=made.written)


def _foreign(ip: Interpreter, node: Call, receiver: Value, arguments: list[Value]) -> Value:
    """Take a call of other people's code for what its name says."""
    last = node.callee.name if isinstance(node.callee, Member | Name) else ""
    told = callers.telling(node.name)
    if arguments and (
        node.name in TOGETHER or (told.parsing and (arguments[0].fields or arguments[0].origins))
    ):
        return arguments[0]
    if isinstance(node.callee, Member) and (made := _of_request(ip, receiver, last, node)) is not None:
        return made
    nameless = not arguments and callers.SOMEBODY.search(last) is not None
    if (told.asking or nameless) and not _looks_up(node, last, arguments):
        return ip.run.ask(f"{node.name}()")
    if (made := _of_list(ip, node, receiver, arguments, last)) is not None:
        return made
    functions = [a for a in arguments if a.closure is not None]
    if functions and not ip.run.active:
        return Value(union(arguments), kind="wrapped", inner=functions, written=node.name, node=node)
    if last in CHOOSING or last in MADE:
        return _over(ip, receiver, arguments, last)
    results = _run_all(ip, arguments, Value(receiver.origins))
    return Value(receiver.origins | union([receiver, *arguments, *results]), inner=functions)


def _of_list(ip: Interpreter, node: Call, receiver: Value, arguments: list[Value], last: str) -> Value | None:
    """Follow what is added to a list or looked for in it; none for any other call."""
    if last in ("push", "unshift", "append", "set", "add") and receiver.fields is not None:
        for argument in arguments:
            receiver.fields[f"{len(receiver.fields)}"] = argument
        return Value()
    if last == "includes" and arguments:
        members.compared(ip, receiver, arguments[0], f"compared in line {node.line}")
        return Value()
    return receiver if last == "bind" and receiver.closure is not None else None


def _looks_up(node: Call, last: str, arguments: list[Value]) -> bool:
    """Tell whether a call like `users.getUser(id)` fetches somebody whom the client names."""
    if (
        last not in ("getUser", "getUserId", "getProfile", "getMe", "getToken")
        or ".auth." in f".{node.name}."
    ):
        return False
    return any(kind in ("client", "row") for kind, _ in union(arguments))


def _of_request(ip: Interpreter, receiver: Value, last: str, node: Call) -> Value | None:
    """Read `request.json()`, `params.get("id")`, `c.get("user")`."""
    first = node.arguments[0] if node.arguments else None
    text = first.value if isinstance(first, Text) else ""
    if receiver.kind == "request" and last in WHOLE:
        return Value(frozenset({("client", WHOLE[last])}), written=WHOLE[last])
    if receiver.kind in ("request", "context") and last in READING and text:
        if receiver.kind == "context":
            return members.member(ip, receiver, text)
        return Value(frozenset({("client", f"{last}.{text}")}), written=text)
    if receiver.kind == "request" and last in READING:
        return Value(frozenset({("client", last)}), written=last)
    if last in READING and any(key.endswith("headers") for _, key in receiver.origins) and _is_set(ip, text):
        return ip.run.ask(f"the header {text}")
    if last in READING and text and any(kind in ("client", "caller") for kind, _ in receiver.origins):
        return members.member(ip, receiver, text)
    return None


def _is_set(ip: Interpreter, header: str) -> bool:
    """Tell whether a middleware of the project sets a header that names the caller."""
    return bool(callers.CARRIED.search(header)) and header.lower() in ip.run.trusted


def _over(ip: Interpreter, receiver: Value, arguments: list[Value], last: str) -> Value:
    """Follow a function given to a list or a promise."""
    whole = last in ("then", "finally", "catch")
    results = _run_all(ip, arguments, receiver if whole else item_of(receiver))
    if last in CHOOSING:
        return Value(receiver.all_origins(), written=receiver.written, statement=receiver.statement)
    return merged([*results, Value(receiver.all_origins() if not results else frozenset())])


def _run_all(ip: Interpreter, arguments: list[Value], first: Value) -> list[Value]:
    """Follow every function among the arguments, also those inside objects."""
    results = []
    for argument in arguments:
        if argument.closure is not None:
            results.append(ip.invoke(argument.closure, [first]))
        elif argument.fields:
            for name, part in argument.fields.items():
                if part.closure is not None:
                    results.append(ip.invoke(part.closure, [_for_tool(name, first)]))
                elif name == "tools" and part.fields:
                    _run_all(ip, list(part.fields.values()), first)
    return results


def _for_tool(name: str, first: Value) -> Value:
    if name in ("execute", "handler"):
        return Value(frozenset({("client", "tool")}), written="args")
    return first


def _checks(ip: Interpreter, node: Call, given: Value, arguments: list[Value], *, known: bool) -> None:
    """Note what a call by this name vouches for."""
    run, name = ip.run, node.name
    told = callers.telling(name)
    last = name.rpartition(".")[2]
    if told.signature:
        run.machine = run.machine or f"{last}()"
    if told.login:
        run.login = True
        _vouch(ip, arguments, f"{last}() in line {node.line}")
    if told.parsing:
        run.parsed |= {key.partition(".")[0] for kind, key in union(arguments) if kind == "client"}
    everyday = last not in ("can", "cannot") and any(
        members.is_everyday(a) for a in arguments if a.written or a.fields
    )
    if told.staff and run.staff is None and not everyday:
        run.staff = (run.tick(), f"{last}()")
    if told.requiring and not known:
        _vouch(ip, arguments, f"{last}() in line {node.line}")
    if told.checking and not given.statement and _is_guard(run.callers, arguments, known):
        _vouch(ip, arguments, f"checked by {last}() in line {node.line}")


def _vouch(ip: Interpreter, arguments: list[Value], why: str) -> None:
    for argument in arguments:
        ip.run.vouch(argument, why)


def _is_guard(callers_: list[str], arguments: list[Value], known: bool) -> bool:
    origins = union(arguments)
    if any(kind == "caller" for kind, _ in origins):
        return True
    return bool(callers_) and not known and bool(origins)
