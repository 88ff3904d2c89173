"""The ways in: routes, tools of an assistant and jobs, each with all that it does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from neondba.project.dependencies import DATABASE, Dependency
from neondba.project.isolation.binding import Bindings
from neondba.project.isolation.callers import CONTEXT
from neondba.project.isolation.judged import Entrance, EntranceKind, Step
from neondba.project.isolation.values import NOTHING, Caller, Client, Fields, Summary, Thing, Value
from neondba.project.isolation.world import World
from neondba.project.places import is_script
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.routes import Route, Routes, is_test

TOOLS = ("tool", "function_tool", "tool_plain", "ai_function", "kernel_function")
TOOL_WORDS = (".tool", "@tool", "function_tool", "FunctionTool", "tool_plain", "StructuredTool", "add_tool")
JOBS = frozenset(
    {
        "shared_task",
        "task",
        "actor",
        "scheduled_job",
        "periodic_task",
        "cron",
        "repeat_every",
        "job",
        "on_interval",
    }
)
TOLD = re.compile(r"^(ctx|context|wrapper|runtime|run_context|run_ctx|tool_context|state|config)$")


@dataclass(eq=False)
class Door:
    """An entrance with what happens behind it."""

    entrance: Entrance
    file: PythonFile
    function: Function
    summary: Summary = field(default_factory=Summary)
    route: Route | None = None
    authenticated: bool = False
    """Whether strangers are turned away."""

    @cached_property
    def bindings(self) -> Bindings:
        """What behind the door is known to be the caller's."""
        return Bindings(self.summary)

    @property
    def is_reading(self) -> bool:
        """Whether nothing is meant to change behind it."""
        return self.route is not None and self.route.method in ("GET", "HEAD", "ROUTE")


def doors(world: World, files: PythonFiles, routes: Routes) -> Iterator[Door]:
    """Give every way in, what happens behind it read."""
    for route in routes.routes:
        yield _route(world, route)
    yield from tools(world, files)
    for file in files.containing(
        "celery", "dramatiq", "apscheduler", "taskiq", "arq", "huey", "procrastinate"
    ):
        if not is_test(file.path) and not is_script(file.path):
            for function in file.functions:
                if JOBS & set(_decorators(function)):
                    yield _job(world, file, function)


def tools(world: World, files: PythonFiles) -> Iterator[Door]:
    """Give the functions that a model may call, what they do read."""
    for file in files.containing(*TOOL_WORDS):
        if not is_test(file.path):
            for function in _tools(files, file):
                yield _tool(world, file, function)


def _route(world: World, route: Route) -> Door:
    known = route.authentication is not None or any(_is_login(d) for d in route.function.decorators)
    entrance = Entrance(
        EntranceKind.ROUTE,
        f"{route.method} {route.path or route.function.name}",
        route.file.path,
        route.line,
        route.principal or "",
    )
    door = Door(entrance, route.file, route.function, route=route, authenticated=known)
    given: dict[str, Value] = {}
    seen: dict[int, Value] = {}
    for dependency in route.dependencies:
        value = injected(world, door, dependency, seen)
        if dependency.parameter is not None:
            given.setdefault(dependency.parameter, value)
    for name in sorted(route.client_parameters):
        given[name] = Value({Client(name)})
    _enter(world, door, given)
    return door


def injected(
    world: World, door: Door, dependency: Dependency, seen: dict[int, Value], depth: int = 0
) -> Value:
    """Give what a dependency gives, and note what it does."""
    key = id(dependency.function) if dependency.function is not None else 0
    principal = dependency.gives_principal
    words = dependency.parameter or dependency.name
    told: Value = Value({Caller(words)}) if principal else NOTHING
    if (
        DATABASE.search(dependency.name)
        or dependency.function is None
        or dependency.file is None
        or depth > 5
    ):
        return told
    if key in seen:
        return seen[key] | told if principal else seen[key]
    seen[key] = NOTHING
    given: dict[str, Value] = {}
    for need in dependency.needs:
        if need.parameter is not None:
            given[need.parameter] = injected(world, door, need, seen, depth + 1)
    for name in sorted(dependency.takes):
        given[name] = Value({Client(name)})
    kind = (dependency.file, dependency.owner) if dependency.owner is not None else None
    inner = world.summary(dependency.file, dependency.function, kind)
    if inner is None:
        return told
    given["self"] = world.class_thing(kind) if kind is not None else NOTHING
    step = Step(dependency.name, door.file.path, door.function.line)
    result = world.apply(inner, door.summary, given, step)
    if kind is not None and dependency.function.name == "__init__":
        values = {k: v for k, held in inner.stored.items() if (v := world.filled(held, given))}
        values = {**{k: v for k, v in given.items() if k != "self"}, **world.class_fields(kind), **values}
        result = Value({Thing(Fields(values, *kind))})
    seen[key] = (result if _tells_rows(result) else NOTHING) | told if principal else result
    return seen[key]


def _tells_rows(value: Value) -> bool:
    return any(isinstance(a, Client | Thing) for a in value)


def _enter(world: World, door: Door, given: dict[str, Value]) -> None:
    owner = door.function.owner
    kind = (door.file, owner) if owner is not None else None
    inner = world.summary(door.file, door.function, kind)
    if inner is None:
        return
    given.setdefault("self", world.class_thing(kind) if kind is not None else NOTHING)
    known = len(door.summary.queries)
    step = Step(door.function.name, door.file.path, door.function.line)
    world.apply(inner, door.summary, given, step)
    for query in door.summary.queries[known:]:
        query.way = query.way[1:]


def _tools(files: PythonFiles, file: PythonFile) -> Iterator[Function]:
    """Give the functions that a model may call."""
    given: set[int] = set()
    for function in file.functions:
        if set(TOOLS) & set(_decorators(function)):
            given.add(id(function))
            yield function
    for call in file.calls:
        node = call.node
        inner = node.func.func if isinstance(node.func, ast.Call) else node.func
        name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
        if name in ("function_tool", "add_tool", "FunctionTool", "from_function", "tool") and node.args:
            found = files.definition(file.resolve(node.args[0]))
            if (
                found is not None
                and isinstance(found[1], Function)
                and found[0] is file
                and id(found[1]) not in given
            ):
                given.add(id(found[1]))
                yield found[1]


def _tool(world: World, file: PythonFile, function: Function) -> Door:
    given: dict[str, Value] = {}
    principal = ""
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        if (
            TOLD.match(parameter.name)
            or _is_told(file, parameter.annotation)
            or (
                parameter.default is not None
                and (
                    "Depends" in ast.unparse(parameter.default)
                    or "Injected" in ast.unparse(parameter.default)
                )
            )
        ):
            principal = principal or parameter.name
            given[parameter.name] = Value({Caller(parameter.name)})
        else:
            given[parameter.name] = Value({Client(parameter.name)})
    entrance = Entrance(EntranceKind.TOOL, f"tool {function.name}", file.path, function.line, principal)
    door = Door(entrance, file, function, authenticated=bool(principal))
    _enter(world, door, given)
    return door


def _is_told(file: PythonFile, annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name | ast.Attribute):
            name = (file.resolve(node) or "").rpartition(".")[2]
            if CONTEXT.match(name) or name in ("Session", "AsyncSession"):
                return True
    return False


def _job(world: World, file: PythonFile, function: Function) -> Door:
    entrance = Entrance(EntranceKind.JOB, f"job {function.name}", file.path, function.line)
    door = Door(entrance, file, function)
    _enter(world, door, {})
    return door


def _decorators(function: Function) -> list[str]:
    found = []
    for decorator in function.decorators:
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        found.append(node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", ""))
    return found


_LOGIN = re.compile(
    r"login_required|auth|token_required|jwt_required|require|protected|permission|verified", re.IGNORECASE
)


def _is_login(decorator: ast.expr) -> bool:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return bool(_LOGIN.search(name))
