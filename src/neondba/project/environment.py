"""The project's variables: files that set them and code that reads them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from neondba.core.secret import Secret
from neondba.project.places import is_example
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.tree import Tree

_ENTRY: Final = re.compile(r"^\s*(?:export\s+)?(?P<key>[A-Za-z_][\w.]*)\s*=\s*(?P<value>.*?)\s*$")
_SCRIPTS: Final = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
_IN_SCRIPT: Final = re.compile(
    r"(?:process|import\.meta)\.env(?:\.(?P<a>[A-Z][A-Z0-9_]*)|\[\s*[\"'](?P<b>\w+)[\"']\s*\])"
)
_IN_SCRIPT_DEFAULT: Final = re.compile(
    r"!?\)?\s*(?:\?\?|\|\|)\s*(?P<quote>[\"'`])(?P<value>[^\"'`\n]*)(?P=quote)"
)
READERS: Final = frozenset({"os.getenv", "os.environ.get", "getenv", "environ.get", "os.environ.setdefault"})
_LIBRARIES: Final = ("decouple", "environs", "environ.Env", "starlette.config")
"""Whose objects are called with the name of a variable: `config("DATABASE_URL", default="…")`."""
_NAMED: Final = re.compile(r"^[A-Z][A-Z0-9_]*$")


@dataclass(frozen=True)
class EnvEntry:
    """A line `KEY=value`."""

    key: str
    value: Secret
    line: int


@dataclass(frozen=True)
class EnvFile:
    """A file of the `.env` kind."""

    path: str
    entries: tuple[EnvEntry, ...]

    @property
    def is_example(self) -> bool:
        """True for `.env.example` and its like."""
        return is_example(self.path)

    @property
    def is_test(self) -> bool:
        """True for variables of tests or of a pipeline."""
        return bool(re.search(r"\.(?:test|testing|ci)$", self.path))


@dataclass(frozen=True)
class Read:
    """A place where code reads a variable."""

    name: str
    path: str
    line: int
    default: str | None = None
    """The constant text that is used when the variable is missing."""
    required: bool = True
    """False when there is a default of any kind."""
    from_class: str = ""
    """Name of the settings class whose field it is."""


@dataclass
class Environment:
    """Variables that are set in files and read by code."""

    plain = True

    files: list[EnvFile] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    @classmethod
    def gather(cls, tree: Tree, python: PythonFiles) -> Environment:
        """Read `.env` files, Python and TypeScript."""
        found = cls()
        scripts = set(tree.having(_SCRIPTS, (".env",)))
        for path in tree.paths:
            name = path.rpartition("/")[2]
            if name == ".env" or name.startswith(".env.") or name.endswith(".env"):
                found.files.append(env_file(path, tree.text(path) or ""))
            elif name.endswith(".prisma"):
                found.reads += _prisma_reads(path, tree.text(path) or "")
            elif path in scripts:
                found.reads += _script_reads(path, tree.text(path) or "")
        found.reads += _python_reads(python)
        return found

    def read(self, name: str) -> Iterator[Read]:
        """Give the places that read a variable."""
        return (r for r in self.reads if r.name == name)


def env_file(path: str, text: str) -> EnvFile:
    """Read the entries of a `.env` file."""
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        match = _ENTRY.match(line)
        if match:
            value = match["value"]
            if value[:1] in ("'", '"') and value[0] in value[1:]:
                value = value[1 : value.index(value[0], 1)]
            else:
                value = re.split(r"\s#", value, maxsplit=1)[0].strip()
            entries.append(EnvEntry(match["key"], Secret(value), number))
    return EnvFile(path, tuple(entries))


def _script_reads(path: str, text: str) -> Iterator[Read]:
    for match in _IN_SCRIPT.finditer(text):
        start = text.rfind("\n", 0, match.start()) + 1
        if text[start : match.start()].lstrip().startswith(("//", "* ", "/*")):
            continue
        default = _IN_SCRIPT_DEFAULT.match(text, match.end())
        line = text.count("\n", 0, match.start()) + 1
        yield Read(
            match["a"] or match["b"], path, line, default["value"] if default else None, default is None
        )


def _prisma_reads(path: str, text: str) -> Iterator[Read]:
    for match in re.finditer(r"\benv\(\s*\"(\w+)\"\s*\)", text):
        yield Read(match[1], path, text.count("\n", 0, match.start()) + 1)


def _python_reads(python: PythonFiles) -> Iterator[Read]:
    for file in python.containing(*_LIBRARIES):
        yield from _library_reads(file)
    for file in python.containing("environ.get", "environ[", "environ.setdefault", "getenv", "BaseSettings"):
        later = _later(file) if _LATER.search(file.text) else {}
        for call in file.calls:
            name = _constant(call.node.args[0]) if call.node.args else None
            if name and file.resolve(call.node.func) in READERS:
                given = call.node.args[1] if len(call.node.args) > 1 else later.get(id(call.node))
                at = call.node if given is None or len(call.node.args) > 1 else given
                yield Read(name, file.path, at.lineno, _constant(given), given is None)
        for subscript in re.finditer(r"\benviron\[\s*[\"'](\w+)[\"']\s*\](?!\s*=[^=])", file.text):
            yield Read(subscript[1], file.path, file.text.count("\n", 0, subscript.start()) + 1)
        for declared in file.classes:
            if any((file.resolve(base) or "").endswith("BaseSettings") for base in declared.bases):
                for node in declared.assignments:
                    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                        default = _field_default(node.value)
                        required = _is_required(node.value)
                        yield Read(
                            node.target.id.upper(), file.path, node.lineno, default, required, declared.name
                        )


def _library_reads(file: PythonFile) -> Iterator[Read]:
    """Give what is read through decouple, environs, django-environ and Starlette."""
    for call in file.calls:
        node = call.node
        name = _constant(node.args[0]) if node.args else None
        if not name or not _NAMED.match(name) or not _is_library(file, node.func):
            continue
        given = next((k.value for k in node.keywords if k.arg == "default"), None)
        given = given or (node.args[1] if len(node.args) > 1 else None)
        yield Read(name, file.path, node.lineno, _constant(given), given is None)


def _is_library(file: PythonFile, node: ast.expr) -> bool:
    base = node.value if isinstance(node, ast.Attribute) else node
    made = file.own_names.get(base.id) if isinstance(base, ast.Name) else None
    name = file.resolve(made.func if isinstance(made, ast.Call) else base) or ""
    kinds = (
        "starlette.config.Config",
        "environs.Env",
        "environ.Env",
        "decouple.Config",
        "decouple.AutoConfig",
    )
    return name in kinds if isinstance(made, ast.Call) else name == "decouple.config"


_LATER: Final = re.compile(r"\bor\s*\(?\s*[\"']|\bif\s+(?:not\s+\w+|\w+\s+is\s+None)\s*:")


def _later(file: PythonFile) -> dict[int, ast.expr]:
    """Give what replaces a missing variable after its call: `… or "text"`, `if not x: x = "text"`."""
    found: dict[int, ast.expr] = {}
    named: dict[str, list[ast.expr]] = {}
    for scope in (file.index.module, *file.classes, *file.functions):
        for node in scope.assignments:
            value, target = node.value, node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and _constant(value.values[-1]):
                found.update((id(part), value.values[-1]) for part in value.values[:-1])
            elif isinstance(value, ast.Call) and scope is file.index.module and isinstance(target, ast.Name):
                named.setdefault(target.id, []).append(value)
    for test in file.tree.body if file.tree else ():
        if isinstance(test, ast.If) and (name := _missing(test.test)):
            for inner in test.body:
                if not isinstance(inner, ast.Assign) or not _constant(inner.value):
                    continue
                if getattr(inner.targets[0], "id", "") == name:
                    found.update((id(call), inner.value) for call in named.get(name, ()))
    return found


def _missing(test: ast.expr) -> str:
    """Give the name that a condition finds empty: `not x`, `x is None`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return getattr(test.operand, "id", "")
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is):
        return getattr(test.left, "id", "")
    return ""


def _field_default(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Call):
        named = next((k.value for k in value.keywords if k.arg == "default"), None)
        value = named or (value.args[0] if value.args else None)
    return _constant(value)


def _is_required(value: ast.expr | None) -> bool:
    """Tell whether a field of settings must be given."""
    if isinstance(value, ast.Call):
        first = value.args[0] if value.args else None
        names_itself = isinstance(first, ast.Constant) and not ast.unparse(value.func).endswith("Field")
        given = first is not None and not names_itself and not _is_ellipsis(first)
        return not given and not any(k.arg in ("default", "default_factory") for k in value.keywords)
    return value is None or _is_ellipsis(value)


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
