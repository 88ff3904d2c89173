"""The project's SQL files: what each is for, in which order migrations run, and their statements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from neondba.postgres.sql_text import line_where_down_starts
from neondba.postgres.statement import SetParameter, Statement, Transaction
from neondba.postgres.statements import Dialect, dialect_of, parse
from neondba.project.facts import Unparsed
from neondba.project.tree import Tree

TESTS = frozenset(
    {"test", "tests", "__tests__", "testdata", "test-data", "fixtures", "spec", "e2e", "testing"}
)
MIGRATIONS = frozenset(
    {"migrations", "migration", "migrate", "versions", "drizzle", "changelog", "schema-migrations"}
)
SEED = re.compile(r"(^|[/_.-])(seeds?|seeding|sample[_-]?data|demo[_-]?data)([/_.-]|$)", re.IGNORECASE)
CREATE_TABLE = re.compile(r"^[^\n'-]*\bcreate\s+(?:\w+\s+)?table\b", re.IGNORECASE | re.MULTILINE)
NUMBERED = re.compile(r"^[VU]?\d+(?:[._]\d+)*[_.-]", re.IGNORECASE)
FLYWAY = re.compile(r"^[VUR]\d*(?:[._]\d+)*__", re.IGNORECASE)
DIALECT_OF_TOOL = re.compile(r"(?:provider\s*=|\"dialect\"\s*:)\s*\"(\w+)\"")
TOOL_FILES = {
    "sqlx-data.json": "sqlx", "diesel.toml": "Diesel", "knexfile.js": "Knex", "knexfile.ts": "Knex",
    "yoyo.ini": "yoyo", "sqitch.conf": "Sqitch", "dbmate.env": "dbmate",
}  # fmt: skip
OTHER_DATABASE = re.compile(
    r"(?:^|[/_-])(clickhouse|mysql|mariadb|sqlite3?|mssql|sqlserver|oracle|bigquery|snowflake|duckdb|libsql|d1)(?:[/_-]|$)",
    re.IGNORECASE,
)
JOURNAL_TAG = re.compile(r"\"tag\"\s*:\s*\"([^\"\n]+)\"")
BY_LETTERS = frozenset({"Prisma", "Supabase", "Atlas", "Diesel", "Knex", "yoyo"})
"""Tools that compare the names of migrations letter by letter; the others compare numbers."""
POSTGRES = frozenset({"postgres", "postgresql", "pg", "cockroachdb"})


class Role(StrEnum):
    """What a SQL file is for."""

    MIGRATION = "migration"
    DUMP = "dump"
    SCHEMA = "schema"
    SEED = "seed"
    TEST = "test"
    QUERY = "query"


@dataclass(eq=False)
class SqlFile:
    """One SQL file; it is parsed when its statements are asked for."""

    path: str
    text: str
    role: Role
    tool: str | None = None
    """The migration tool that keeps track of it, as far as the tree shows."""
    dialect: str | None = None
    """The other language it is written in; `None` for PostgreSQL."""
    backward: bool = False
    """The whole file is the way back."""
    turn: int = 0
    """Its place in the list that the tool keeps; 0 where it keeps none, or not this file."""

    @cached_property
    def _all(self) -> list[Statement]:
        return [] if self.dialect else parse(self.text)

    @cached_property
    def _down(self) -> int:
        if self.backward:
            return 0
        found = line_where_down_starts(self.text) if self.role is Role.MIGRATION else None
        return found or 1 << 30

    @property
    def statements(self) -> list[Statement]:
        """The statements on the way forward."""
        return [s for s in self._all if s.line < self._down]

    @property
    def down(self) -> list[Statement]:
        """The statements on the way back."""
        return [s for s in self._all if s.line >= self._down]

    @property
    def broken(self) -> list[Statement]:
        """Statements that PostgreSQL's grammar refuses."""
        return [s for s in self._all if s.error]

    @property
    def has_timeout(self) -> bool:
        """Whether it limits how long it waits for locks."""
        return any(isinstance(s.action, SetParameter) and s.action.name == "lock_timeout" for s in self._all)

    @property
    def opens_transaction(self) -> bool:
        """Whether it begins a transaction of its own."""
        return any(isinstance(s.action, Transaction) and s.action.kind == "begin" for s in self._all)


@dataclass
class History:
    """Migrations that run one after the other."""

    folder: str
    tool: str | None
    files: list[SqlFile] = field(default_factory=list)


class SqlFiles(Mapping[str, SqlFile]):
    """All SQL files of a tree by path."""

    def __init__(self, files: dict[str, SqlFile]) -> None:
        self._files = files

    @classmethod
    def gather(cls, tree: Tree) -> SqlFiles:
        """Sort the SQL files by what they are for; parsing waits until a rule asks."""
        tools = _Tools(tree)
        files = {}
        for path in tree.named(suffix=".sql"):
            text = tree.text(path)
            if text is not None:
                files[path] = _file(path, text, tools)
        return cls(files)

    @cached_property
    def histories(self) -> list[History]:
        """The folders of migrations, each in the order in which it runs."""
        found: dict[str, History] = {}
        for file in sorted(self.values(), key=_order):
            if file.role is Role.MIGRATION and not file.dialect:
                folder = _folder_of_history(file.path)
                found.setdefault(folder, History(folder, file.tool)).files.append(file)
        return list(found.values())

    @cached_property
    def unparsed(self) -> list[Unparsed]:
        """Statements that PostgreSQL's grammar refuses, in files that are meant for PostgreSQL."""
        return [
            Unparsed(
                path=file.path, line=statement.error_line or statement.line, reason=statement.error or ""
            )
            for file in self.of(*Role)
            for statement in file.broken
        ] + [
            Unparsed(path=file.path, reason=f"written for {file.dialect}: not read as PostgreSQL")
            for file in self.values()
            if file.dialect
        ]

    def of(self, *roles: Role) -> Iterator[SqlFile]:
        """Give the PostgreSQL files with one of these roles."""
        return (file for file in self.values() if file.role in roles and not file.dialect)

    def __getitem__(self, path: str) -> SqlFile:
        """Give the file at a path."""
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        """Go over the paths."""
        return iter(self._files)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._files)


class _Tools:
    """What the tree says about migration tools, by folder."""

    def __init__(self, tree: Tree) -> None:
        self.by_folder: dict[str, str] = {}
        self.dialects: dict[str, str] = {}
        self.turns: dict[str, int] = {}
        for path in tree.named(
            "migration_lock.toml", "_journal.json", "atlas.sum", "flyway.conf", "flyway.toml"
        ):
            folder, _, name = path.rpartition("/")
            tool = {"migration_lock.toml": "Prisma", "_journal.json": "Drizzle", "atlas.sum": "Atlas"}.get(
                name, "Flyway"
            )
            folder = folder.removesuffix("/meta") if tool == "Drizzle" else folder
            self.by_folder[folder] = tool
            text = tree.text(path) or ""
            if match := DIALECT_OF_TOOL.search(text):
                self.dialects[folder] = match[1].lower()
            if tool == "Drizzle":
                tags = JOURNAL_TAG.findall(text)
                self.turns |= {f"{folder}/{tag}.sql": place for place, tag in enumerate(tags, 1)}
        names = {p.rpartition("/")[2] for p in tree.paths}
        self.project = next((tool for name, tool in TOOL_FILES.items() if name in names), None)

    def of(self, path: str, text: str) -> tuple[str | None, str | None]:
        """Give the tool that runs a migration and the dialect the tool is set to."""
        folder, _, name = path.rpartition("/")
        if folder.endswith("supabase/migrations"):
            return "Supabase", None  # Drizzle may write them there; what is not in its journal runs too.
        for place in (folder, folder.rpartition("/")[0]):
            if place in self.by_folder:
                return self.by_folder[place], self.dialects.get(place)
        if "supabase/migrations" in path:
            return "Supabase", None
        if "-- +goose" in text or "-- migrate:up" in text or "-- +migrate Up" in text:
            return "goose or dbmate", None
        if FLYWAY.match(name):
            return "Flyway", None
        if name.endswith((".up.sql", ".down.sql")) or name in ("up.sql", "down.sql"):
            return "up and down files", None
        if name == "migration.sql":
            return "Prisma", None
        return self.project, None


def natural(path: str) -> list[tuple[int, str]]:
    """Order names with numbers as people do: 2 before 10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path) if part]


def _order(file: SqlFile) -> tuple[object, ...]:
    """Give the place of a file: its folder, the turn that its tool gives it, then its name."""
    folder = _folder_of_history(file.path)
    name = file.path.removeprefix(folder).lstrip("/")
    letters = [(0, name.partition("/")[0])] if file.tool in BY_LETTERS else natural(name)
    return natural(folder), file.turn or 1 << 30, letters, name


def _dialect(path: str, text: str) -> str | None:
    """Tell another language by the folder's name, or by words that PostgreSQL does not have."""
    named = OTHER_DATABASE.search(path.rpartition("/")[0])
    return named[1] if named else dialect_of(text)


def _file(path: str, text: str, tools: _Tools) -> SqlFile:
    role = _role(path, text)
    tool, dialect = tools.of(path, text) if role is Role.MIGRATION else (None, None)
    name = path.rpartition("/")[2].lower()
    backward = role is Role.MIGRATION and (
        name.endswith((".down.sql", "_down.sql", "-down.sql", "rollback.sql"))
        or name == "down.sql"
        or bool(re.match(r"u\d+__", name))
    )
    if dialect and dialect not in POSTGRES:
        return SqlFile(path, text, role, tool, dialect, backward)
    turn = tools.turns.get(path, 0) if tool == "Drizzle" else 0
    return SqlFile(path, text, role, tool, _dialect(path, text), backward, turn)


def _role(path: str, text: str) -> Role:
    folders = path.lower().split("/")[:-1]
    name = path.rpartition("/")[2]
    if TESTS.intersection(folders) or name.lower().startswith(("test_", "test-")):
        return Role.TEST
    if SEED.search(path):
        return Role.SEED
    if "PostgreSQL database dump" in text[:2000]:
        return Role.DUMP
    if any(_is_migrations(f) for f in folders) or FLYWAY.match(name) or "-- +goose" in text:
        return Role.MIGRATION
    if CREATE_TABLE.search(text):
        return Role.SCHEMA
    return Role.QUERY


def _is_migrations(folder: str) -> bool:
    return (
        folder in MIGRATIONS
        or folder.startswith("migrations")
        or folder.endswith(("_migrations", "-migrations"))
    )


def _folder_of_history(path: str) -> str:
    folder, _, name = path.rpartition("/")
    if name.lower() in ("migration.sql", "up.sql", "down.sql"):
        return folder.rpartition("/")[0]
    return folder


__all__ = ["Dialect", "History", "Role", "SqlFile", "SqlFiles", "natural"]
