"""The pools that a project's code makes, with the place of each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from neondba.connections.pool_libraries import LIBRARIES, Library, Name
from neondba.project.engines import Engine, Engines
from neondba.project.places import is_migration, is_script, is_test
from neondba.project.tree import Tree

_NODE: Final = (".ts", ".tsx", ".js", ".mjs", ".cjs", ".mts")
_WORDS: Final = ("Pool(", "PrismaPg(", "PrismaNeon(", "PrismaClient(", "postgres(", "neon(")
_MADE: Final = re.compile(
    r"^(?!\s*(?://|\*))[^\n]*?(?:new\s+(?:pg\.)?(?P<pool>Pool)|new\s+(?P<adapter>Prisma(?:Pg|Neon)\b)"
    r"|new\s+(?P<prisma>PrismaClient)|(?<![\w.\"'/])(?P<js>postgres)|(?<![\w.\"'/])(?P<http>neon))\(",
    re.MULTILINE,
)
_NUMBER: Final = r"\s*:\s*(?P<text>[^,}\n]+)"
_VARIABLE: Final = re.compile(
    r"(?:getenv|environ\.get|Getenv)\(\s*[\"'](?P<a>\w+)|environ\[\s*[\"'](?P<b>\w+)"
    r"|process\.env\.(?P<c>\w+)|\bsettings\.(?P<d>\w+)"
)
_DJANGO: Final = re.compile(r"django\.db\.backends\.postgresql|dj_database_url")
_GO: Final = re.compile(r"pgxpool\.New\w*\(|sql\.Open\(\s*\"(?:pgx|postgres)\"")


@dataclass(frozen=True)
class CodePool:
    """A pool as the code makes it."""

    library: Name
    path: str
    line: int
    numbers: dict[str, float | None] = field(default_factory=dict)
    """What is written there: size, overflow, pool_timeout, connect_timeout."""
    variables: dict[str, str] = field(default_factory=dict)
    """The variable that such a number is read from, where it is one."""
    word: str = "PrismaPg"
    """The adapter's class, where there is one."""
    engine: Engine | None = field(default=None, compare=False, repr=False)

    @property
    def of(self) -> Library:
        """What its library does when nothing is set."""
        return LIBRARIES[self.library]

    @property
    def place(self) -> str:
        """The file and line."""
        return f"{self.path}:{self.line}"

    def number(self, name: str) -> float | None:
        """Give what is written, else the library's own."""
        default: float | None = getattr(self.of, name)
        return self.numbers.get(name, default)


def pools(tree: Tree, engines: Engines) -> list[CodePool]:
    """Give the pools of the application, tests and migrations left out; those of Python first."""
    found = [*_python(engines), *_django(tree), *_node(tree), *_go(tree)]
    adapters = {each.path for each in found if each.library == "prisma-adapter"}
    if adapters:
        # Prisma's client takes the connections of its adapter, and the adapter may take a Pool.
        found = [each for each in found if each.library != "prisma"]
        found = [e for e in found if e.library != "node-postgres" or e.path not in adapters]
    return found


def _python(engines: Engines) -> Iterator[CodePool]:
    of_app = [each for each in engines.all if each.is_of_the_app and each.backend not in ("sqlite", "other")]
    for engine in of_app:
        if engine.kind == "sqlalchemy":
            null = engine.pool_class == "NullPool"
            names = {"size": "pool_size", "overflow": "max_overflow", "pool_timeout": "pool_timeout"}
            yield _engine(engine, "sqlalchemy-null" if null else "sqlalchemy", {} if null else names)
        elif engine.kind == "asyncpg":
            yield _engine(engine, "asyncpg", {"size": "max_size", "connect_timeout": "timeout"})
        elif engine.kind == "psycopg":
            size = "max_size" if "max_size" in engine.keywords else "min_size"
            yield _engine(engine, "psycopg-pool", {"size": size, "pool_timeout": "timeout"})


def _engine(engine: Engine, library: Name, names: dict[str, str]) -> CodePool:
    numbers: dict[str, float | None] = {}
    variables = {}
    for ours, theirs in names.items():
        written = engine.keywords.get(theirs)
        if written is None:
            continue
        value = engine.number(theirs)
        if value is not None:
            numbers[ours] = value
        if variable := variable_in(ast.unparse(written)):
            variables[ours] = variable
    limit = engine.connect_argument("connect_timeout", "timeout")
    if isinstance(limit, ast.Constant) and isinstance(limit.value, (int, float)):
        numbers["connect_timeout"] = float(limit.value)
    if numbers.get("overflow") == -1:
        numbers["overflow"], numbers["size"] = 0, None
    return CodePool(library, engine.path, engine.line, numbers, variables, engine=engine)


def variable_in(text: str) -> str | None:
    """Give the variable of the environment that an expression reads."""
    found = _VARIABLE.search(text)
    if found is None:
        return None
    return found["a"] or found["b"] or found["c"] or found["d"].upper()


def _node(tree: Tree) -> Iterator[CodePool]:
    for path in tree.having(_NODE, _WORDS):
        if is_test(path) or is_script(path) or is_migration(path) or "prisma/seed" in path:
            continue
        text = tree.text(path) or ""
        for made in _MADE.finditer(text):
            library = _library(made, text)
            if library is not None:
                yield _call(path, text, made, library)


def _library(made: re.Match[str], text: str) -> Name | None:
    if made["adapter"]:
        return "prisma-adapter"
    if made["prisma"]:
        return "prisma"
    if made["pool"]:
        return (
            "node-postgres"
            if re.search(r"[\"'](?:pg|@neondatabase/serverless|@vercel/postgres)[\"']", text)
            else None
        )
    if made["js"]:
        return (
            "postgres.js"
            if re.search(r"from\s+[\"']postgres[\"']|require\([\"']postgres[\"']", text)
            else None
        )
    return "neon-http" if "@neondatabase/serverless" in text else None


def _call(path: str, text: str, made: re.Match[str], library: Name) -> CodePool:
    arguments = _arguments(text, made.end())
    names = {"size": "max", "connect_timeout": "connectionTimeoutMillis|connect_timeout"}
    numbers: dict[str, float | None] = {}
    variables = {}
    for ours, theirs in names.items() if library != "prisma" else ():
        written = re.search(rf"\b(?P<name>{theirs}){_NUMBER}", arguments)
        if written is None:
            continue
        value = re.search(r"\d[\d_]*", written["text"])
        if value:
            scale = 1000 if written["name"].endswith("Millis") else 1
            numbers[ours] = float(value[0].replace("_", "")) / scale or None
        if variable := variable_in(written["text"]):
            variables[ours] = variable
    if "connect_timeout" in numbers and library in ("node-postgres", "prisma-adapter"):
        # There it is one limit for both: for a free connection, and for a new one.
        numbers["pool_timeout"] = numbers["connect_timeout"]
    line = text.count("\n", 0, made.end()) + 1
    return CodePool(library, path, line, numbers, variables, made["adapter"] or "PrismaPg")


def _arguments(text: str, start: int) -> str:
    """Give what stands between a call's parentheses."""
    depth = 1
    for at in range(start, min(len(text), start + 4000)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if not depth:
            return text[start:at]
    return text[start : start + 4000]


def _django(tree: Tree) -> Iterator[CodePool]:
    for path in tree.having((".py",), ("DATABASES",)):
        text = tree.text(path) or ""
        if is_test(path) or not _DJANGO.search(text):
            continue
        made = re.search(r"^[ \t]*DATABASES\b", text, re.MULTILINE)
        line = text.count("\n", 0, made.start()) + 1 if made else 1
        pool = re.search(r"[\"']pool[\"']\s*:\s*(?P<what>True|\{[^}]*\})", text)
        if pool is None:
            yield CodePool("django", path, line)
            continue
        size = re.search(r"[\"']max_size[\"']\s*:\s*(\d+)", pool["what"])
        yield CodePool("django-pool", path, line, {"size": float(size[1])} if size else {})


def _go(tree: Tree) -> Iterator[CodePool]:
    for path in tree.having((".go",), ("pgxpool.", "sql.Open(")):
        text = tree.text(path) or ""
        made = None if path.endswith("_test.go") else _GO.search(text)
        if made is None:
            continue
        pgx = "pgxpool" in made[0]
        size = re.search(r"\.MaxConns\s*=\s*(\d+)" if pgx else r"SetMaxOpenConns\(\s*(\d+)\s*\)", text)
        line = text.count("\n", 0, made.start()) + 1
        numbers: dict[str, float | None] = {"size": float(size[1])} if size else {}
        yield CodePool("pgxpool" if pgx else "database-sql", path, line, numbers)
