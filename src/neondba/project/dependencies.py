"""What FastAPI injects into a function, and whether that tells who is calling."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property

from neondba.project.python import Class, Function, PythonFile, PythonFiles

CALLER = re.compile(
    r"user|auth|token|jwt|principal|claims|identity|permission|require|admin|tenant|login|credential|api_?key"
    r"|verify|member|account|owner|subject",
    re.IGNORECASE,
)
PERSON = re.compile(
    r"user|principal|claims|identity|subject|payload|account|token|auth|\bme\b|member", re.IGNORECASE
)
STAFF = re.compile(
    r"admin|superuser|staff|service_|internal|api_?key|require_role|has_role|permission|scope", re.IGNORECASE
)
LOOKS = re.compile(
    r"authorization|httpbearer|oauth2|cookies?\b|\bjwt\b|state\.user|verify_token|decode_token|credentials|x-user",
    re.IGNORECASE,
)
DATABASE = re.compile(
    r"^(get_)?(async_)?(db|session|database|engine|conn|connection)(_session|_dep)?$|settings|config"
)

MAKES_SERVICE = re.compile(
    r"(?:.*\.)?(?:(?:get|make|create|provide|build)_\w*(?:service|repository|repo|settings|store|provider)"
    r"|[A-Z]\w*(?:Service|Repository|Settings|Store))$"
)
"""Dependencies that give a tool to work with, such as `get_auth_service`; nobody is asked by them."""


@dataclass(eq=False)
class Dependency:
    """One `Depends(...)`, with those that it needs itself."""

    name: str
    """Name of what is called, as `get_current_user`."""
    parameter: str | None
    """The parameter that receives it; `None` on routers and decorators."""
    function: Function | None
    text: str
    """Source of the function or class; empty outside the project."""
    needs: list[Dependency] = field(default_factory=list)
    takes: frozenset[str] = frozenset()
    """Parameters that it reads from the request itself, such as a path's `task_id`."""
    file: PythonFile | None = None
    """The file of the function or class."""
    owner: Class | None = None
    """The class that is made, or whose method is called."""

    @property
    def chain(self) -> list[Dependency]:
        """This dependency and all below it."""
        return [self, *(d for need in self.needs for d in need.chain)]

    @cached_property
    def authenticates(self) -> bool:
        """Whether it, or something it needs, looks at who is calling."""
        return any(_looks_at_caller(d) for d in self.chain)

    @property
    def gives_principal(self) -> bool:
        """Whether its value is the caller."""
        if not self.authenticates or DATABASE.search(self.name) or self._loads_row:
            return False
        return bool(PERSON.search(self.name) or PERSON.search(self.parameter or ""))

    @cached_property
    def is_for_staff(self) -> bool:
        """Whether it lets only administrators or machines pass."""
        return any(STAFF.search(d.name) for d in self.chain)

    @property
    def read_from_request(self) -> frozenset[str]:
        """All plain parameters of the chain: what a dependency may have checked."""
        return frozenset().union(*(d.takes for d in self.chain))

    @property
    def _loads_row(self) -> bool:
        return any(name.endswith("_id") and name != "user_id" for name in self.takes)


def _looks_at_caller(dependency: Dependency) -> bool:
    if DATABASE.search(dependency.name):
        return False
    if MAKES_SERVICE.match(dependency.name) and not LOOKS.search(dependency.text):
        return False
    return bool(CALLER.search(dependency.name) or LOOKS.search(dependency.text))


def dependencies_of(
    files: PythonFiles, file: PythonFile, function: Function, depth: int = 0
) -> list[Dependency]:
    """Give the dependencies of a function's parameters, `Annotated` aliases included."""
    found = []
    for parameter in function.parameters if depth < 6 else ():
        for where, node in _injections(files, file, parameter.default, parameter.annotation):
            found.append(_dependency(files, where, node, parameter.name, parameter.annotation, depth))
            break
    return found


def listed_dependencies(files: PythonFiles, file: PythonFile, call: ast.Call) -> list[Dependency]:
    """Give what `dependencies=[Depends(...)]` of a call names."""
    value = next((k.value for k in call.keywords if k.arg == "dependencies"), None)
    items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
    return [
        _dependency(files, file, item, None, None, 0)
        for item in items
        if isinstance(item, ast.Call) and _is_depends(file, item)
    ]


def _is_depends(file: PythonFile, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (file.resolve(node.func) or "").rpartition(".")[2] in (
        "Depends",
        "Security",
    )


def _injections(
    files: PythonFiles,
    file: PythonFile,
    default: ast.expr | None,
    annotation: ast.expr | None,
    depth: int = 0,
) -> list[tuple[PythonFile, ast.Call]]:
    """Find the `Depends(...)` of a parameter, with the file it is written in."""
    if isinstance(default, ast.Call) and _is_depends(file, default):
        return [(file, default)]
    if isinstance(annotation, ast.Subscript) and (file.resolve(annotation.value) or "").endswith("Annotated"):
        parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
        return [(file, p) for p in parts if isinstance(p, ast.Call) and _is_depends(file, p)]
    if isinstance(annotation, ast.Name | ast.Attribute) and depth < 3:
        found = files.definition(file.resolve(annotation))
        if found is not None and isinstance(found[1], ast.expr):
            return _injections(files, found[0], None, found[1], depth + 1)
    return []


def _dependency(
    files: PythonFiles,
    file: PythonFile,
    node: ast.Call,
    parameter: str | None,
    annotation: ast.expr | None,
    depth: int,
) -> Dependency:
    target = node.args[0] if node.args else annotation
    called = target.func if isinstance(target, ast.Call) else target
    qualified = file.resolve(called) or (called.attr if isinstance(called, ast.Attribute) else "")
    name = qualified.rpartition(".")[2] if not isinstance(target, ast.Call) else ast.unparse(target)[:80]
    found = files.definition(qualified)
    if found is None:
        return Dependency(name, parameter, None, "")
    where, what = found
    if isinstance(what, ast.Call) and depth < 6 and not isinstance(target, ast.Call):
        made = ast.Call(ast.Name("Depends", ast.Load()), [what], [])
        inner = _dependency(files, where, made, parameter, annotation, depth + 1)
        inner.text = inner.text or ast.unparse(what)[:200]
        return inner
    if isinstance(what, ast.expr):
        return Dependency(name, parameter, None, ast.unparse(what)[:200])
    text = source(where, what)
    function = _inner(what) if isinstance(target, ast.Call) else None
    function = function or (what if isinstance(what, Function) else _entry(what))
    owner = what if isinstance(what, Class) else what.owner
    if function is None:
        return Dependency(name, parameter, None, text, file=where, owner=owner)
    needs = dependencies_of(files, where, function, depth + 1)
    injected = {d.parameter for d in needs} | {"self", "request", "response"}
    takes = frozenset(p.name for p in function.parameters if p.name not in injected)
    return Dependency(name, parameter, function, text, needs, takes, where, owner)


def _entry(found: Class) -> Function | None:
    methods = {f.name: f for f in found.functions}
    return methods.get("__call__") or methods.get("__init__")


def _inner(found: Class | Function) -> Function | None:
    """Give the function that a factory of dependencies returns: `Depends(require_role("x"))`."""
    if isinstance(found, Class):
        return next((f for f in found.functions if f.name == "__call__"), None)
    given = {r.value.id for r in found.returns if isinstance(r.value, ast.Name)}
    return next((f for f in found.functions if f.name in given), None)


def source(file: PythonFile, scope: Function | Class) -> str:
    """Give the text of a function or class."""
    return "\n".join(file.text.split("\n")[scope.node.lineno - 1 : scope.node.end_lineno])
