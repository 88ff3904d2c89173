"""Find the ways in: where requests, actions, pages and tools of a TypeScript project begin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.isolation.judged import EntranceKind
from neondba.project.typescript import callers
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TESTS, TypeScriptFiles
from neondba.project.typescript.nest import Nest
from neondba.project.typescript.nodes import Array, Call, Function, Member, Name, Node, Object, Text, dotted
from neondba.project.typescript.relevance import Relevance
from neondba.project.typescript.values import Value, client, request
from neondba.project.typescript.ways import Way

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTE = re.compile(r"(?:^|/)app/(?P<place>.*?)/?route\.[jt]sx?$")
PAGE = re.compile(r"(?:^|/)app/(?P<place>(?:.*/)?)(?:page|layout|template|default)\.[jt]sx?$")
PAGES_API = re.compile(r"(?:^|/)pages/(?P<place>api/.*)\.[jt]sx?$")
PAGES = re.compile(r"(?:^|/)pages/(?P<place>(?!api/).*)\.[jt]sx?$")
LOADERS = ("getServerSideProps", "getStaticProps", "loader", "action")
METHODS = frozenset({"get", "post", "put", "patch", "delete", "all", "del"})
ROUTERS = re.compile(
    r"(^|\.)(Hono|OpenAPIHono|Elysia|Router|express|router|app|server|fastify|api|routes?|\w+Router|\w+Routes?|\w*[aA]pp|instance|hono|r)$"
)
STEPS = frozenset({"query", "mutation", "subscription"})
SERVER = ("express", "hono", "fastify", "Router(", "OpenAPIHono", "restify", "koa-router", "itty-router")
TOOL = re.compile(r"(^|\.)(tool|registerTool|addTool|createTool|defineTool|dynamicTool)$")
REMIX = re.compile(r"(?:^|/)app/routes/.*\.[jt]sx?$")


class Ways:
    """All ways into a project, by file."""

    def __init__(self, files: TypeScriptFiles, relevance: Relevance) -> None:
        self._files = files
        self._relevance = relevance
        self._nest = Nest(files)

    def all(self) -> Iterator[Way]:
        """Give every way in that can lead to the database."""
        for path in self._files.paths:
            if TESTS.search(path) or not self._relevance.matters(path):
                continue
            if not self._may_hold(path):
                continue
            file = self._files.get(path)
            if file is not None:
                yield from self._of(file)

    def _may_hold(self, path: str) -> bool:
        text = self._files.text(path)
        if ROUTE.search(path) or PAGE.search(path) or PAGES_API.search(path) or REMIX.search(path):
            return True
        if PAGES.search(path) and "getServerSideProps" in text:
            return True
        return (
            "use server" in text
            or "rocedure" in text
            or any(w in text for w in SERVER)
            or "ool(" in text
            or ".action(" in text
            or "outer." in text
            or "app." in text
            or "execute" in text
            or "@Controller" in text
            or "@Resolver" in text
        )

    def _of(self, file: TypeScriptFile) -> Iterator[Way]:
        yield from _next(file)
        if file.directive == "use server":
            yield from _actions(file)
        yield from _procedures(file)
        yield from _handlers(file)
        yield from _tools(file)
        yield from self._nest.of(file)


def _next(file: TypeScriptFile) -> Iterator[Way]:
    if match := ROUTE.search(file.path):
        address = f"/{_plain_address(match['place'])}"
        for export in file.exports:
            if export.name in VERBS and (node := _definition(file, export.local)) is not None:
                context = Value(fields={"params": client("params")})
                yield Way(EntranceKind.ROUTE, f"{export.name} {address}", address, file, export.line, node,
                          [request(), context])  # fmt: skip
    elif match := PAGES_API.search(file.path):
        address = f"/{match['place']}".removesuffix("/index")
        if (node := _default(file)) is not None:
            yield Way(
                EntranceKind.ROUTE,
                address,
                address,
                file,
                node.line,
                node,
                [request(), Value()],
                shape="server",
            )
    elif match := PAGE.search(file.path):
        address = f"/{_plain_address(match['place'])}"
        if file.directive != "use client" and (node := _default(file)) is not None:
            props = Value(fields={"params": client("params"), "searchParams": client("searchParams")})
            yield Way(EntranceKind.PAGE, f"page {address}", address, file, node.line, node, [props])
    elif match := PAGES.search(file.path):
        yield from _loaders(file, f"/{match['place']}", LOADERS[:2])
    elif REMIX.search(file.path):
        yield from _loaders(file, f"/{file.path.rpartition('/')[2]}", LOADERS[2:])


def _loaders(file: TypeScriptFile, address: str, names: tuple[str, ...]) -> Iterator[Way]:
    for name in names:
        if name in file.exported and (node := _definition(file, file.exported[name].local)) is not None:
            given = Value(fields={"params": client("params"), "query": client("query"), "req": request(),
                                  "request": request(), "context": Value(kind="context")})  # fmt: skip
            kind = EntranceKind.ROUTE if name == "action" else EntranceKind.PAGE
            yield Way(kind, f"{name} {address}", address, file, node.line, node, [given])


def _plain_address(place: str) -> str:
    return "/".join(p for p in place.strip("/").split("/") if not (p.startswith("(") and p.endswith(")")))


def _definition(file: TypeScriptFile, name: str) -> Node | None:
    if name in file.definitions:
        return file.definitions[name]
    return Name(1, name) if name in file.imports else None


def _default(file: TypeScriptFile) -> Node | None:
    export = file.exported.get("default")
    return _definition(file, export.local) if export is not None and not export.source else None


def _actions(file: TypeScriptFile) -> Iterator[Way]:
    for export in file.exports:
        node = file.definitions.get(export.local)
        if export.source or node is None or _is_safe_action(node):
            continue
        name = export.name if export.name != "default" else export.local
        if isinstance(node, Function):
            arguments = [_argument(p.target, n) for n, p in enumerate(node.parameters)]
        else:
            arguments = [client("input"), client("formData")]
        line = node.line if isinstance(node, Function) else export.line
        yield Way(EntranceKind.ACTION, f"{name}()", "", file, line, node, arguments, wrappers=_chain_of(node))


def _argument(target: Node, number: int) -> Value:
    return client(target.name if isinstance(target, Name) else f"argument {number + 1}")


def _chain_of(node: Node) -> str:
    return dotted(node.callee) if isinstance(node, Call) else ""


def _is_safe_action(node: Node) -> bool:
    """Tell whether an export is found as a procedure."""
    return isinstance(node, Call) and isinstance(node.callee, Member) and node.callee.name == "action"


def _procedures(file: TypeScriptFile) -> Iterator[Way]:
    """Find tRPC procedures, oRPC handlers and safe actions: `protectedProcedure.query(({ctx, input}) "
    "=> ...)`."""
    for call in file.calls:
        callee = call.callee
        if not isinstance(callee, Member) or not call.arguments:
            continue
        function = call.arguments[0]
        if not isinstance(function, Function):
            continue
        chain = dotted(callee.object)
        procedure = callee.name in STEPS and "rocedure" in chain
        action = callee.name == "action" and re.search(r"action|client", chain, re.IGNORECASE)
        handler = callee.name == "handler" and "rocedure" in chain
        if not (procedure or action or handler):
            continue
        name = _named(file, call) or function.name or chain
        context = Value(kind="context", written="ctx")
        given = Value(fields={"ctx": context, "context": context, "input": client("input"),
                              "parsedInput": client("input"), "clientInput": client("input")})  # fmt: skip
        second = Value(fields={"ctx": Value(kind="context", written="ctx")})
        first = (
            given
            if isinstance(function.parameters[0].target if function.parameters else None, Object)
            or not action
            else client("input")
        )
        kind = EntranceKind.ACTION if action else EntranceKind.ROUTE
        yield Way(kind, f"{name}()" if action else f"procedure {name}", f"/{name}", file, call.line, function,
                  [first, second], shape="procedure", wrappers=_whole_chain(file, callee.object))  # fmt: skip


def _whole_chain(file: TypeScriptFile, node: Node) -> str:
    """Give the names that a chain is built from, with those of a variable it begins with."""
    written = dotted(node)
    root = written.partition(".")[0]
    made = file.definitions.get(root)
    return f"{dotted(made)}.{written}" if isinstance(made, Call) else written


def _named(file: TypeScriptFile, call: Call) -> str:
    for found in file.objects:
        for part in found.properties:
            if part.value is call:
                return part.key
    return next((name for name, node in file.definitions.items() if node is call), "")


def _handlers(file: TypeScriptFile) -> Iterator[Way]:
    """Find `router.get("/tasks/:id", auth, handler)` and `app.route("/").get(handler)`."""
    used = _used(file)
    for call in file.calls:
        callee = call.callee
        if not isinstance(callee, Member) or callee.name not in METHODS or not call.arguments:
            continue
        address, handlers = _address(callee, call)
        root = _root(callee.object)
        if address is None or not handlers or not (ROUTERS.search(root) or _is_router(file, root)):
            continue
        before = [
            (file, n)
            for line, n, prefix in used.get(root, [])
            if line < call.line and address.startswith(prefix)
        ]
        handlers = [i for h in handlers for i in (h.items if isinstance(h, Array) else [h])]
        if not handlers:
            continue
        before += [(file, h) for h in [*_before_in_chain(callee.object), *handlers[:-1]]]
        name = f"{callee.name.upper()} {address or '/'}"
        yield Way(EntranceKind.ROUTE, name, address, file, call.line, handlers[-1],
                  [request(), Value(), Value()], before, shape="server")  # fmt: skip


def _address(callee: Member, call: Call) -> tuple[str | None, list[Node]]:
    first = call.arguments[0]
    if isinstance(first, Text) and (not first.value or first.value[0] in "/*:"):
        return first.value, call.arguments[1:]
    inner = callee.object
    while isinstance(inner, Call) and isinstance(inner.callee, Member):
        if inner.callee.name == "route" and inner.arguments and isinstance(inner.arguments[0], Text):
            return inner.arguments[0].value, call.arguments
        inner = inner.callee.object
    return None, []


def _before_in_chain(node: Node) -> list[Node]:
    """Give what `route("/x").all(auth)` puts before its handlers."""
    found: list[Node] = []
    while isinstance(node, Call) and isinstance(node.callee, Member):
        if node.callee.name in ("all", "use"):
            found = [a for a in node.arguments if not isinstance(a, Text)] + found
        node = node.callee.object
    return found


def _root(node: Node) -> str:
    while isinstance(node, Call) and isinstance(node.callee, Member):
        node = node.callee.object
    return dotted(node)


def _is_router(file: TypeScriptFile, root: str) -> bool:
    made = file.definitions.get(root)
    while isinstance(made, Call) and isinstance(made.callee, Member) and not made.name.endswith("Router"):
        made = made.callee.object
    return isinstance(made, Call) and bool(
        re.search(r"(Router|Hono|express|fastify|Fastify|Elysia)$", made.name)
    )


def _used(file: TypeScriptFile) -> dict[str, list[tuple[int, Node, str]]]:
    """Give the middlewares that `router.use(...)` sets, by router, with their prefixes."""
    found: dict[str, list[tuple[int, Node, str]]] = {}
    for call in file.calls_of("use", "addHook", "register"):
        if not isinstance(call.callee, Member):
            continue
        first = call.arguments[0] if call.arguments else None
        prefix = (
            first.value.rstrip("*").rstrip("/")
            if isinstance(first, Text) and first.value.startswith("/")
            else ""
        )
        for argument in call.arguments:
            if not isinstance(argument, Text):
                found.setdefault(_root(call.callee.object), []).append((call.line, argument, prefix))
    return found


def _tools(file: TypeScriptFile) -> Iterator[Way]:
    """Find `tool({ execute })` and `server.tool("name", ..., handler)`."""
    for call in file.calls:
        if not TOOL.search(call.name):
            continue
        function: Node | None = None
        for argument in call.arguments:
            if isinstance(argument, Function):
                function = argument
            elif isinstance(argument, Object):
                function = argument.get("execute") or argument.get("handler") or function
        if not isinstance(function, Function):
            continue
        first = call.arguments[0]
        named = first.value if isinstance(first, Text) else _text(first) or _named(file, call) or "tool"
        extra = Value(kind="context", written="extra")
        yield Way(
            EntranceKind.TOOL,
            f"tool {named}",
            "",
            file,
            call.line,
            function,
            [client("tool"), extra],
            shape="tool",
        )


def _text(node: Node) -> str:
    found = node.get("name") if isinstance(node, Object) else None
    return found.value if isinstance(found, Text) else ""


def guards_by_name(names: str) -> bool:
    """Tell whether the names of wrappers and middlewares say that no stranger gets in."""
    return bool(callers.GUARD_CALL.search(names)) and not callers.OPEN_CALL.search(names)
