"""The routes of FastAPI and Flask, and who may call them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property

from neondba.project.dependencies import Dependency, dependencies_of, listed_dependencies
from neondba.project.python import Function, PythonFile, PythonFiles

METHODS = frozenset({"get", "post", "put", "patch", "delete", "api_route", "route", "websocket"})
ROUTERS = ("APIRouter", "FastAPI", "Blueprint", "Flask", "Starlette")


@dataclass(eq=False)
class Router:
    """Something that routes are hung on."""

    qualified: str
    prefix: str = ""
    dependencies: list[Dependency] = field(default_factory=list)
    parents: list[tuple[str, str, list[Dependency]]] = field(default_factory=list)
    """Qualified name, prefix and dependencies of each inclusion."""


@dataclass(eq=False)
class Route:
    """A function that answers requests."""

    method: str
    path: str
    file: PythonFile
    function: Function
    dependencies: list[Dependency]
    """Of its parameters, its decorator, its router and the inclusions of that."""
    router: str

    @property
    def line(self) -> int:
        """Line of the function."""
        return self.function.line

    @cached_property
    def authentication(self) -> Dependency | None:
        """The dependency that turns strangers away."""
        return next((d for d in self.dependencies if d.authenticates), None)

    @cached_property
    def principal(self) -> str | None:
        """The parameter that carries the user of the request."""
        known = [d for d in self.dependencies if d.parameter and d.gives_principal]
        return known[0].parameter if known else None

    @cached_property
    def is_for_staff(self) -> bool:
        """Whether only administrators, machines or other services come here."""
        words = ("admin", "internal", "webhook", "cron", "superuser", "staff", "debug")
        place = f"{self.path} {self.file.path} {self.function.name}".lower()
        return any(w in place for w in words) or any(d.is_for_staff for d in self.dependencies)

    @cached_property
    def client_parameters(self) -> frozenset[str]:
        """Parameters whose value the client chooses: path, query and body."""
        injected = {d.parameter for d in self.dependencies}
        return frozenset(
            p.name
            for p in self.function.parameters
            if p.name not in injected and not _is_framework(self.file, p.annotation)
        )


class Routes:
    """All routes of a project."""

    plain = True

    def __init__(self, routes: list[Route], has_guarding_middleware: bool) -> None:
        self.routes = routes
        self.has_guarding_middleware = has_guarding_middleware
        """Whether a middleware looks at who is calling, for all routes at once."""

    @classmethod
    def gather(cls, files: PythonFiles) -> Routes:
        """Find routers, how they are put together, and the functions on them."""
        several = [f for f in files.containing("fastapi", "flask", "starlette") if not is_test(f.path)]
        routers: dict[str, Router] = {}
        for file in several:
            _declare(files, file, routers)
        for file in several:
            _include(files, file, routers)
        routes = [route for file in several for route in _routes(files, file, routers)]
        return cls(routes, any(_guards(file) for file in several))


def is_test(path: str) -> bool:
    """Tell whether a file is no part of the program: a test, or in a hidden folder."""
    *folders, last = path.lower().split("/")
    if any(f in ("tests", "test", "testing", "e2e", "__tests__") or f.startswith(".") for f in folders):
        return True
    return last.startswith(("test_", "conftest")) or ".test." in last or ".spec." in last


def _is_framework(file: PythonFile, annotation: ast.expr | None) -> bool:
    name = (file.resolve(annotation) or "").rpartition(".")[2]
    return name in ("Request", "Response", "BackgroundTasks", "WebSocket", "Session", "AsyncSession", "self")


def _declare(files: PythonFiles, file: PythonFile, routers: dict[str, Router]) -> None:
    for name, value in file.own_names.items():
        if isinstance(value, ast.Call) and (file.resolve(value.func) or "").endswith(ROUTERS):
            qualified = f"{file.module}.{name}"
            routers[qualified] = Router(
                qualified,
                _text(value, "prefix") or _text(value, "url_prefix"),
                listed_dependencies(files, file, value),
            )


def _include(files: PythonFiles, file: PythonFile, routers: dict[str, Router]) -> None:
    for call in file.calls:
        node = call.node
        if not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        if node.func.attr not in ("include_router", "register_blueprint"):
            continue
        child = canonical(files, file, node.args[0])
        if child in routers:
            parent = canonical(files, file, node.func.value) or ""
            prefix = _text(node, "prefix") or _text(node, "url_prefix")
            routers[child].parents.append((parent, prefix, listed_dependencies(files, file, node)))


def canonical(files: PythonFiles, file: PythonFile, node: ast.AST) -> str | None:
    """Give the name under which a module-level value was defined, through re-exports."""
    name = file.resolve(node)
    for _ in range(4):
        module, _, last = (name or "").rpartition(".")
        origin = files.module(module)
        through = origin.imports.get(last) if origin else None
        if through is None or last in (origin.own_names if origin else ()):
            break
        name = through
    return name


def _routes(files: PythonFiles, file: PythonFile, routers: dict[str, Router]) -> list[Route]:
    found = []
    for function in file.functions:
        for decorator in function.decorators:
            if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
                continue
            if decorator.func.attr not in METHODS:
                continue
            name = canonical(files, file, decorator.func.value) or ""
            router = routers.get(name)
            if router is None and name.rpartition(".")[2] not in ("router", "app", "api", "bp", "blueprint"):
                continue
            prefix, above = _above(router, routers)
            own = dependencies_of(files, file, function) + listed_dependencies(files, file, decorator)
            path = decorator.args[0] if decorator.args else None
            text = str(path.value) if isinstance(path, ast.Constant) else ""
            found.append(Route(_method(decorator), prefix + text, file, function, own + above, name))
    return found


def _method(decorator: ast.Call) -> str:
    attr = decorator.func.attr if isinstance(decorator.func, ast.Attribute) else "route"
    if attr not in ("route", "api_route"):
        return attr.upper()
    methods = next((k.value for k in decorator.keywords if k.arg == "methods"), None)
    first = methods.elts[0] if isinstance(methods, ast.List | ast.Tuple) and methods.elts else None
    return str(first.value).upper() if isinstance(first, ast.Constant) else "GET"


def _above(router: Router | None, routers: dict[str, Router], depth: int = 0) -> tuple[str, list[Dependency]]:
    """Give the prefix and dependencies that a router's routes inherit."""
    if router is None or depth > 8:
        return "", []
    prefix, dependencies = router.prefix, list(router.dependencies)
    if router.parents:
        parent, inner, more = router.parents[0]
        above, inherited = _above(routers.get(parent), routers, depth + 1)
        prefix, dependencies = above + inner + prefix, dependencies + more + inherited
    return prefix, dependencies


def _text(call: ast.Call, keyword: str) -> str:
    value = next((k.value for k in call.keywords if k.arg == keyword), None)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


_CALLER = ("authorization", "bearer", "jwt", "get_session", "state.user", "current_user", "verify_token")


def _guards(file: PythonFile) -> bool:
    """Tell whether a file holds a middleware that looks at the caller."""
    if not any(word in file.text for word in ("call_next", "before_request", "BaseHTTPMiddleware")):
        return False
    lowered = file.text.lower()
    return any(word in lowered for word in _CALLER)
