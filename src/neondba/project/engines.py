"""Where Python code makes engines and pools, and with which settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles, Scope
from neondba.project.services import Services

FACTORIES: Final = {
    "create_engine": "sqlalchemy",
    "create_async_engine": "sqlalchemy",
    "engine_from_config": "config",
    "async_engine_from_config": "config",
    "create_pool": "asyncpg",
    "ConnectionPool": "psycopg",
    "AsyncConnectionPool": "psycopg",
}
"""Functions that make an engine or pool, and whose settings they take."""
Entries = tuple[dict[str, ast.expr], bool]
"""Items of a dictionary, and whether these are all."""
_ORIGINS: Final = ("sqlalchemy", "sqlmodel", "asyncpg", "psycopg_pool")


@dataclass(frozen=True)
class Engine:
    """A call that makes an engine or a pool."""

    file: PythonFile
    call: ast.Call
    scope: Scope
    factory: str
    keywords: dict[str, ast.expr]
    """Keyword arguments, those of resolved `**settings` included."""
    is_complete: bool
    """False when a `**settings` could not be followed, so that an absent keyword says nothing."""
    backend: str
    """`postgres`, `sqlite`, `other`, or the empty text where the address does not tell."""

    @property
    def path(self) -> str:
        """The file of the call."""
        return self.file.path

    @property
    def line(self) -> int:
        """The line of the call."""
        return self.call.lineno

    @property
    def function(self) -> Function | None:
        """The function around the call."""
        return self.scope.enclosing_function

    @property
    def url(self) -> ast.expr | None:
        """The address as written in the call."""
        return self.call.args[0] if self.call.args else self.keywords.get("url", self.keywords.get("dsn"))

    @property
    def kind(self) -> str:
        """Whose settings it takes: `sqlalchemy`, `asyncpg`, `psycopg` or `config`."""
        return FACTORIES[self.factory]

    @property
    def is_of_the_app(self) -> bool:
        """False in tests, migrations, and scripts that run once."""
        return not (is_test(self.path) or is_migration(self.path) or is_script(self.path))

    @cached_property
    def pool_class(self) -> str:
        """Name of the pool class, if one is given."""
        given = self.keywords.get("poolclass")
        return (self.file.resolve(given) or "").rpartition(".")[2] if given else ""

    def number(self, keyword: str) -> int | None:
        """Give a keyword's number where it can be read off: a constant, or a variable's default."""
        return _number(self.file, self.scope, self.keywords.get(keyword))

    def connect_argument(self, *names: str) -> ast.expr | None:
        """Give an entry of `connect_args`, if it is written out."""
        given = _followed(self.scope, self.keywords.get("connect_args"))
        return next((v for k, v in _entries(self.file, self.scope, given)[0].items() if k in names), None)

    @property
    def connect_args_known(self) -> bool:
        """False when `connect_args` comes from elsewhere."""
        given = self.keywords.get("connect_args")
        return given is None or _entries(self.file, self.scope, given)[1]


@dataclass
class Engines:
    """All engines and pools of the project's Python code."""

    plain = True

    all: list[Engine] = field(default_factory=list)

    @classmethod
    def gather(cls, python: PythonFiles) -> Engines:
        """Look at every call of a known factory."""
        found = cls()
        for file in python.containing(*FACTORIES):
            for call in file.calls:
                name = (file.resolve(call.node.func) or "").rpartition(".")
                if name[2] in FACTORIES and name[0].startswith(_ORIGINS):
                    found.all.append(_engine(file, call.node, call.scope, name[2]))
        return found

    def of_apps(self, services: Services) -> Iterator[Engine]:
        """Give the engines of long-running programs that speak to Postgres."""
        for engine in self.all:
            known = engine.backend == "postgres" or (
                not engine.backend and services.uses_postgres(engine.path)
            )
            if known and engine.is_of_the_app and services.serves(engine.path):
                yield engine


def _engine(file: PythonFile, call: ast.Call, scope: Scope, factory: str) -> Engine:
    keywords: dict[str, ast.expr] = {}
    complete = True
    for keyword in call.keywords:
        if keyword.arg:
            keywords[keyword.arg] = keyword.value
        else:
            entries, known = _entries(file, scope, keyword.value)
            keywords.update(entries)
            complete &= known
    url = call.args[0] if call.args else keywords.get("url", keywords.get("dsn"))
    backend = "postgres" if FACTORIES[factory] in ("asyncpg", "psycopg") else _backend(scope, url)
    return Engine(file, call, scope, factory, keywords, complete, _branch(file, call) or backend)


def _entries(file: PythonFile, scope: Scope, node: ast.expr | None, depth: int = 0) -> Entries:
    """Give the entries of a dictionary, and whether all of them are known."""
    if node is None:
        return {}, True
    if depth > 4:
        return {}, False
    if isinstance(node, ast.Dict):
        return _literal(file, scope, node, depth)
    if isinstance(node, ast.IfExp):
        first, known = _entries(file, scope, node.body, depth + 1)
        second, also = _entries(file, scope, node.orelse, depth + 1)
        return {**first, **second}, known and also
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "dict"
        and not node.args
    ):
        return {k.arg: k.value for k in node.keywords if k.arg}, all(k.arg for k in node.keywords)
    if isinstance(node, ast.Call):
        return _returned(file, node, depth)
    if isinstance(node, ast.Name):
        return _collected(file, scope, node.id, depth)
    return {}, False


def _literal(file: PythonFile, scope: Scope, node: ast.Dict, depth: int) -> Entries:
    entries: dict[str, ast.expr] = {}
    complete = True
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            inner, known = _entries(file, scope, value, depth + 1)
            entries.update(inner)
            complete &= known
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            entries[key.value] = value
        else:
            complete = False
    return entries, complete


def _returned(file: PythonFile, call: ast.Call, depth: int) -> Entries:
    made = file.own_names.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if not isinstance(made, Function) or not made.returns:
        return {}, False
    entries: dict[str, ast.expr] = {}
    complete = True
    for node in made.returns:
        inner, known = _entries(file, made, node.value, depth + 1)
        entries.update(inner)
        complete &= known
    return entries, complete


def _collected(file: PythonFile, scope: Scope, name: str, depth: int) -> Entries:
    """Follow a variable: its assignments, `name["key"] = …` and `name.update(…)`."""
    place: Scope | None = scope
    while place is not None:
        entries: dict[str, ast.expr] = {}
        seen, complete = False, True
        for node in place.assignments:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id == name and node.value is not None:
                    inner, known = _entries(file, place, node.value, depth + 1)
                    entries.update(inner)
                    seen, complete = True, complete and known
                elif _is_item_of(target, name) and node.value is not None:
                    entries[target.slice.value] = node.value  # type: ignore[attr-defined]
        for given in _updates(place, name):
            inner, known = _entries(file, place, given, depth + 1)
            entries.update(inner)
            complete &= known
        if seen:
            return entries, complete
        place = place.parent
    return {}, False


def _updates(place: Scope, name: str) -> Iterator[ast.expr]:
    """Give what `name.update(…)` adds."""
    for call in place.calls:
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr == "update" and _is_name(func.value, name):
            yield from call.args
            named = [k for k in call.keywords if k.arg]
            yield ast.Dict([ast.Constant(k.arg) for k in named], [k.value for k in named])


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_item_of(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and _is_name(node.value, name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _followed(scope: Scope, node: ast.expr | None) -> ast.expr | None:
    """Give what a name was last assigned; the node itself when it is no name."""
    if not isinstance(node, ast.Name):
        return node
    place: Scope | None = scope
    while place is not None:
        for made in reversed(place.assignments):
            targets = made.targets if isinstance(made, ast.Assign) else [made.target]
            if any(_is_name(target, node.id) for target in targets):
                return made.value if made.value is not None else node
        place = place.parent
    return node


def _backend(scope: Scope, url: ast.expr | None) -> str:
    """Read the kind of database off an address, as far as it is written out."""
    text = first_text(_followed(scope, url)).lower()
    if text.startswith("sqlite"):
        return "sqlite"
    if text.startswith("postgres"):
        return "postgres"
    return "other" if "://" in text else ""


def first_text(node: ast.AST | None) -> str:
    """Give the first text inside an expression that holds an address; empty if there is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return first_text(node.values[0]) if node.values else ""
    if isinstance(node, ast.BinOp):
        return first_text(node.left)
    return ""


def _branch(file: PythonFile, call: ast.Call) -> str:
    """Tell which side of an `if` about the kind of database a call stands on."""
    if file.tree is None or not ("sqlite" in file.text or "postgres" in file.text):
        return ""
    for node in ast.walk(file.tree):
        if not isinstance(node, (ast.If, ast.IfExp)):
            continue
        test = ast.unparse(node.test).lower()
        kinds = (
            ("sqlite", "postgres")
            if "sqlite" in test
            else ("postgres", "other")
            if "postgres" in test
            else ()
        )
        if kinds and ("not " in test or "!=" in test):
            kinds = kinds[::-1]
        for kind, part in zip(kinds, (node.body, node.orelse), strict=False):
            if any(_holds(inner, call) for inner in (part if isinstance(part, list) else [part])):
                return kind
    return ""


def _holds(node: ast.AST, wanted: ast.AST) -> bool:
    return any(inner is wanted for inner in ast.walk(node))


def _number(file: PythonFile, scope: Scope, node: ast.expr | None) -> int | None:
    node = _followed(scope, node)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isdigit():
        return int(node.value)
    if isinstance(node, ast.Call) and node.args:
        default = node.args[0] if isinstance(node.func, ast.Name) and node.func.id == "int" else node.args[-1]
        return _number(file, scope, default)
    return None
