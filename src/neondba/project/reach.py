"""What each route reaches: its own statements and those of its services."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from neondba.project.guards import called, looks_at_caller, mentions
from neondba.project.owners import Model, Owners
from neondba.project.python import Class, Function, PythonFile, PythonFiles
from neondba.project.queries import Statement, statements
from neondba.project.routes import Route, Routes

ROW_SECURITY = ("set_config(", "SET LOCAL", "with_loader_criteria", "row_security", "request.jwt.claims")


CLAIMS = frozenset({"user_id", "owner_id", "userid", "user_uuid"})
"""Parameters by which a client says who it is."""


OPEN_TO_ALL = re.compile(
    r"public|share|health|login|log_?in|sign|register|webhook|callback|hook|verify|token|confirm|invite|embed|form|"
    r"feedback|contact|subscribe|internal|cron|job|event|demo|seed|test|preview|stats",
    re.IGNORECASE,
)


@dataclass(eq=False)
class Reached:
    """A statement that a route runs, itself or through a service."""

    route: Route
    statement: Statement
    client: frozenset[str]
    """Names in the statement's function whose value the client chose."""

    @property
    def is_for_client_row(self) -> bool:
        """Whether the client says which row."""
        return any(
            (column == "id" or column.endswith(("_id", "uuid"))) and self.chosen(value)
            for column, value in self.statement.equalities()
        )

    def chosen(self, value: ast.AST) -> bool:
        """Tell whether the client chose a value."""
        return mentions(value, self.client)


@dataclass(frozen=True)
class Created:
    """A row that a route makes for an owner whom the client named."""

    model: Model
    owner: str
    path: str
    line: int


@dataclass(eq=False)
class Handling:
    """A route with all that it reaches, and whether the caller is ever looked at."""

    route: Route
    reached: list[Reached] = field(default_factory=list)
    created: list[Created] = field(default_factory=list)
    looks_at_caller: bool = False
    behind_middleware: bool = False
    """Whether a middleware of the program looks at the callers of most routes."""

    @property
    def knows_caller(self) -> bool:
        """Whether a dependency, or a middleware, turns strangers away."""
        return self.route.authentication is not None or (self.behind_middleware and not self.is_open_to_all)

    @property
    def is_open_to_all(self) -> bool:
        """Whether the route's names say that strangers may come."""
        return bool(OPEN_TO_ALL.search(self.route.path) or OPEN_TO_ALL.search(self.route.function.name))

    @property
    def is_checked_by_dependency(self) -> bool:
        """Whether a dependency sees the row's id, and so may have checked it."""
        return any(
            (name == "id" or name.endswith("_id")) and name not in CLAIMS
            for dependency in self.route.dependencies
            for name in dependency.read_from_request
        )


class Reach:
    """The handling of every route that touches rows of the project's models."""

    def __init__(
        self, handlings: list[Handling], has_row_security: bool, tenants: frozenset[str] = frozenset()
    ) -> None:
        self.handlings = handlings
        self.claims = CLAIMS | tenants
        """Parameters by which a client says who it is, or for whom it acts."""
        self.has_row_security = has_row_security
        """Whether the application hands the caller to the database."""

    def careless(self) -> Iterator[Handling]:
        """Give the routes that know the caller and never look at them; none where the database looks."""
        for handling in self.handlings:
            if self.has_row_security or handling.looks_at_caller or not handling.knows_caller:
                continue
            if not handling.route.is_for_staff:
                yield handling

    @classmethod
    def gather(cls, files: PythonFiles, routes: Routes, owners: Owners) -> Reach:
        """Follow each route into the services it calls, two steps deep."""
        if not owners.owned:
            return cls([], has_row_security=False)
        seen = any("/versions/" not in f.path for f in files.containing(*ROW_SECURITY))
        walker = _Walker(files, owners)
        handlings = [walker.handle(r) for r in routes.routes]
        for handling in handlings:
            handling.behind_middleware = routes.has_guarding_middleware
        return cls(handlings, has_row_security=seen, tenants=owners.tenants)


class _Walker:
    """Follows calls between the project's functions."""

    def __init__(self, files: PythonFiles, owners: Owners) -> None:
        self.files, self.owners = files, owners
        self.rows = frozenset(m.name for m in owners.models.values())
        self._statements: dict[int, list[Statement]] = {}

    def handle(self, route: Route) -> Handling:
        """Collect what a route reaches."""
        handling = Handling(route)
        principals = {d.parameter for d in route.dependencies if d.parameter and d.authenticates}
        handling.looks_at_caller = looks_at_caller(route.function, principals, self.rows)
        self._follow(handling, route.file, route.function, route.client_parameters, 0)
        return handling

    def _follow(
        self, handling: Handling, file: PythonFile, function: Function, client: frozenset[str], depth: int
    ) -> None:
        client = _chosen(function, client)
        for statement in self._of(file, function):
            handling.reached.append(Reached(handling.route, statement, client))
        handling.created += self._created(file, function, client)
        if depth >= 2:
            return
        for call in function.calls:
            target = self._target(file, function, call)
            if target is None or target[1] is function:
                continue
            where, inner = target
            if not handling.looks_at_caller and looks_at_caller(inner, (), self.rows):
                handling.looks_at_caller = True
            self._follow(handling, where, inner, _received(call, inner, client), depth + 1)

    def _created(self, file: PythonFile, function: Function, client: frozenset[str]) -> Iterator[Created]:
        """Find `Task(user_id=user_id)` where the client chose the value."""
        for call in function.calls:
            if called(call) not in self.rows:
                continue
            model = self.owners.model(self.files, file, call.func)
            for keyword in call.keywords if model is not None else ():
                if model and keyword.arg in model.owners and is_chosen(keyword.value, client):
                    yield Created(model, keyword.arg or "", file.path, call.lineno)

    def _of(self, file: PythonFile, function: Function) -> list[Statement]:
        if id(function) not in self._statements:
            self._statements[id(function)] = statements(self.files, self.owners, file, function)
        return self._statements[id(function)]

    def _target(
        self, file: PythonFile, function: Function, call: ast.Call
    ) -> tuple[PythonFile, Function] | None:
        """Find the project's function that a call runs."""
        called_later = isinstance(call.func, ast.Attribute) and call.func.attr in ("delay", "apply_async")
        node = call.func.value if called_later and isinstance(call.func, ast.Attribute) else call.func
        found = self.files.definition(file.resolve(node))
        if found is not None and isinstance(found[1], Function):
            return found[0], found[1]
        if isinstance(call.func, ast.Attribute):
            for where, owner in self._classes(file, function, call.func.value):
                method = next((f for f in owner.functions if f.name == call.func.attr), None)
                if method is not None:
                    return where, method
        return None

    def _classes(
        self, file: PythonFile, function: Function, node: ast.AST
    ) -> Iterator[tuple[PythonFile, Class]]:
        """Find the class of an object: by annotation, by construction, or `self`."""
        if isinstance(node, ast.Name) and node.id in ("self", "cls") and function.owner is not None:
            yield file, function.owner
            return
        makers: list[ast.AST | None] = []
        if isinstance(node, ast.Name):
            makers += [p.annotation for p in function.parameters if p.name == node.id]
            for made in function.assignments:
                targets = made.targets if isinstance(made, ast.Assign) else [made.target]
                if any(isinstance(t, ast.Name) and t.id == node.id for t in targets):
                    makers.append(made.value)
        makers.append(node)
        for maker in makers:
            inner = maker.func if isinstance(maker, ast.Call) else maker
            found = self.files.definition(file.resolve(inner))
            if found is not None and isinstance(found[1], ast.Call):
                found = self.files.definition(found[0].resolve(found[1].func))
            if found is not None and isinstance(found[1], Class):
                yield found[0], found[1]


def _chosen(function: Function, client: frozenset[str]) -> frozenset[str]:
    """Add the variables that are made from what the client sent, by conversion alone."""
    names = set(client)
    for node in function.assignments:
        value = node.value
        if isinstance(value, ast.Call) and called(value) not in ("UUID", "int", "str"):
            continue
        if value is not None and not isinstance(value, ast.Await) and mentions(value, names):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {t.id for t in targets if isinstance(t, ast.Name)}
    return frozenset(names)


def is_chosen(value: ast.expr, client: frozenset[str]) -> bool:
    """Tell whether a value is a name that the client chose, as it is or converted."""
    if isinstance(value, ast.Call) and called(value) in ("UUID", "int", "str") and value.args:
        value = value.args[0]
    return isinstance(value, ast.Name) and value.id in client


def _received(call: ast.Call, function: Function, client: frozenset[str]) -> frozenset[str]:
    """Give the parameters of a called function that receive what the client chose."""
    names = [p.name for p in function.parameters if p.name not in ("self", "cls")]
    pairs = [*zip(names, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
    return frozenset(name for name, value in pairs if name and mentions(value, client))
