"""What the programs of a folder are built with, and how each of them finds its database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from neondba.project.engines import Engines
from neondba.project.environment import Environment
from neondba.project.places import is_document, is_example, is_generated, is_migration, is_test
from neondba.project.settings_classes import SettingsClass, SettingsClasses
from neondba.project.stack_manifest import Manifests, Package
from neondba.project.stack_python import Handling, handling
from neondba.project.stack_variables import Use, Variable, inside, variables
from neondba.project.tree import Tree

KINDS: Final = {
    "fastapi": "FastAPI",
    "flask": "Flask",
    "django": "Django",
    "sqlmodel": "SQLModel",
    "sqlalchemy": "SQLAlchemy",
    "flask-sqlalchemy": "Flask-SQLAlchemy",
    "asyncpg": "asyncpg",
    "psycopg": "psycopg",
    "psycopg2": "psycopg2",
    "psycopg2-binary": "psycopg2",
    "psycopg-binary": "psycopg",
    "next": "Next.js",
    "prisma": "Prisma",
    "@prisma/client": "Prisma",
    "@prisma/adapter-pg": "Prisma adapter for pg",
    "@prisma/adapter-neon": "Prisma adapter for Neon",
    "drizzle-orm": "Drizzle",
    "pg": "node-postgres",
    "postgres": "postgres.js",
    "@neondatabase/serverless": "Neon's serverless driver",
    "@vercel/postgres": "Vercel Postgres",
    "github.com/jackc/pgx/v5": "pgx",
    "github.com/jackc/pgx/v4": "pgx",
    "github.com/lib/pq": "lib/pq",
    "gorm.io/driver/postgres": "GORM",
}
"""Packages that tell what a program is built with."""
_FRAMES: Final = frozenset({"fastapi", "flask", "django", "next"})
_SERVERLESS: Final = (
    "@neondatabase/serverless", "@prisma/adapter-neon", "drizzle-orm/neon-", "@vercel/postgres",
)  # fmt: skip
_NO_DATABASE: Final = frozenset({"fastapi", "flask", "next"})
_PYTHON: Final = ("pyproject.toml", "Pipfile", "setup.py", "setup.cfg")
_MAKES_TABLES: Final = re.compile(
    r"(?:metadata|Base\.metadata)\.create_all\b|\bdb\.create_all\(|AutoMigrate\(|CREATE TABLE", re.IGNORECASE
)
_MIGRATES: Final = re.compile(
    r"alembic\.command|command\.upgrade\(|prisma migrate deploy|\bmigrate\.(?:Up|New)\(|goose\.Up"
)


@dataclass(frozen=True)
class Evidence:
    """One thing that a program is built with, and the line that says so."""

    name: str
    version: str
    path: str
    line: int


@dataclass(frozen=True)
class App:
    """One program: its folder, what it is built with, and what it reads."""

    folder: str
    """Relative to the root; empty for the root itself."""
    evidence: tuple[Evidence, ...]
    packages: dict[str, Package] = field(repr=False)
    variables: tuple[Variable, ...] = ()
    settings: tuple[SettingsClass, ...] = field(default=(), repr=False)
    """The classes of settings whose fields are among the variables."""
    engines: frozenset[str] = frozenset()
    """Factories of the engines and pools that its code makes."""
    handling: Handling = field(default=Handling(), repr=False)
    """What its code does with the address."""
    makes_tables: tuple[str, int] | None = None
    """Where it makes tables by itself, when it starts."""
    serverless: tuple[str, int] | None = None
    """Where it uses Neon's driver over HTTP and WebSockets."""
    language: str = ""
    """`python`, `node`, `go`, or the empty text."""
    env_folder: str = ""
    """Where its file of variables belongs, relative to the root."""
    env_names: tuple[str, ...] = ()
    """Files of variables that are there already, examples first."""

    def has(self, *names: str) -> bool:
        """Tell whether one of these packages is named."""
        return any(name in self.packages for name in names)

    def using(self, *uses: Use) -> list[Variable]:
        """Give the variables of these uses."""
        return [v for v in self.variables if v.use in uses]

    @property
    def speaks_to_a_database(self) -> bool:
        """True where a package or a variable says so."""
        named = (p for p in self.packages if p in KINDS and p not in _NO_DATABASE)
        return bool(self.variables) or any(True for _ in named)

    @property
    def built_with(self) -> str:
        """Say what it is built with: `FastAPI, SQLModel, psycopg`."""
        return ", ".join(dict.fromkeys(e.name for e in self.evidence)) or "nothing that is known"

    @property
    def is_prisma(self) -> bool:
        """True for Prisma's own tool or client."""
        return self.has("prisma", "@prisma/client")

    @cached_property
    def prisma_major(self) -> int | None:
        """The major version of Prisma, where the manifest tells it."""
        found = self.packages.get("prisma") or self.packages.get("@prisma/client")
        return found.major if found else None

    @property
    def forbids_others(self) -> bool:
        """True where a name in the file that is no field of the settings stops the program."""
        return any(s.extra == "forbid" and s.env_file not in ("", "None") for s in self.settings)


@dataclass
class Stack:
    """All programs of a folder, those that speak to a database first."""

    plain = True

    apps: list[App] = field(default_factory=list)

    @classmethod
    def gather(
        cls,
        tree: Tree,
        manifests: Manifests,
        environment: Environment,
        settings: SettingsClasses,
        engines: Engines,
    ) -> Stack:
        """Look at each folder that has a manifest; without one, at the root."""
        folders = [f for f in manifests.by_folder if not is_test(f + "/") and not is_document(f + "/x")]
        reading = _Reading(tree, manifests, environment, settings, engines)
        found = [reading.app(folder, folders) for folder in folders or [""]]
        return cls(sorted(found, key=lambda a: (not a.speaks_to_a_database, a.folder.count("/"), a.folder)))

    @property
    def using(self) -> list[App]:
        """The programs that speak to a database; without one, what is built with anything; else the root."""
        with_database = [a for a in self.apps if a.speaks_to_a_database and (a.evidence or a.variables)]
        if with_database:
            named = [a for a in with_database if a.variables]
            return named or with_database[:1]
        return [a for a in self.apps if a.evidence][:1] or self.apps[:1]


@dataclass
class _Reading:
    """The facts that an app is put together from."""

    tree: Tree
    manifests: Manifests
    environment: Environment
    settings: SettingsClasses
    engines: Engines

    def app(self, folder: str, folders: list[str]) -> App:
        """Put together what is known of one folder, without the programs inside it."""
        inner = [f for f in folders if f != folder and inside(f, folder)]

        def own(path: str) -> bool:
            return inside(path, folder) and not any(inside(path, f) for f in inner)

        packages = dict(self.manifests.of(folder))
        read = variables(folder, self.tree, self.environment, self.settings)
        read = tuple(
            v for v in read if own(v.path) or (v.path.endswith(".prisma") and inside(v.path, folder))
        )
        classes = tuple(
            s for s in self.settings.all if any((v.path, v.from_class) == (s.path, s.name) for v in read)
        )
        texts = [(p, self.tree.text(p) or "") for p in self._code() if own(p)]
        python = [(p, text) for p, text in texts if p.endswith(".py")]
        made = [e for e in self.engines.all if own(e.path) and not is_test(e.path)]
        env_folder, names = self._env(folder, classes)
        return App(
            folder=folder,
            evidence=tuple(self._evidence(packages)),
            packages=packages,
            variables=read,
            settings=classes,
            engines=frozenset(e.factory for e in made if e.backend != "sqlite"),
            handling=handling(python, packages, self.manifests.locked(folder, "sqlalchemy")),
            makes_tables=_first(texts),
            serverless=self._serverless(own),
            language=self._language(folder, packages),
            env_folder=env_folder,
            env_names=names,
        )

    def _code(self) -> list[str]:
        words = (
            "postgres", "sslmode", "create_all", "AutoMigrate", "CREATE TABLE", "create table", "drivername",
            "command.upgrade", "+asyncpg", "sqlalchemy.url", "+psycopg",
        )  # fmt: skip
        paths = self.tree.having((".py", ".go", ".ts", ".js"), words)
        return [p for p in paths if not (is_test(p) or is_document(p) or is_generated(p))]

    def _serverless(self, own: Callable[[str], bool]) -> tuple[str, int] | None:
        for path in self.tree.having((".ts", ".tsx", ".js", ".mjs", ".mts"), _SERVERLESS):
            if own(path) and not (is_test(path) or is_document(path) or is_generated(path)):
                text = self.tree.text(path) or ""
                at = min(place for word in _SERVERLESS if (place := text.find(word)) >= 0)
                return path, text.count("\n", 0, at) + 1
        return None

    def _evidence(self, packages: dict[str, Package]) -> Iterator[Evidence]:
        for name in sorted((n for n in packages if n in KINDS), key=[*KINDS].index):
            package = packages[name]
            yield Evidence(KINDS[name], package.version, package.path, package.line)

    def _language(self, folder: str, packages: dict[str, Package]) -> str:
        paths = {p.path.rpartition("/")[2] for p in packages.values()}
        here = {p.rpartition("/")[2] for p in self.tree.paths if p.rpartition("/")[0] == folder} | paths
        if "go.mod" in here:
            return "go"
        python = bool(here.intersection(_PYTHON)) or any(n.startswith("requirements") for n in here)
        if "package.json" in here and not (
            python and any(n in packages for n in ("sqlalchemy", "sqlmodel", "django"))
        ):
            return "node"
        return "python" if python or any(n.endswith(".py") for n in here) else ""

    def _env(self, folder: str, classes: tuple[SettingsClass, ...]) -> tuple[str, tuple[str, ...]]:
        """Say where the file of variables belongs: where the settings look, else beside the nearest one."""
        files = [f.path for f in self.environment.files if not f.is_test]
        wanted = next((up for c in classes if (up := _named_folder(folder, c.env_file)) is not None), None)
        place = folder
        while wanted is None:
            if any(f.rpartition("/")[0] == place for f in files):
                wanted = place
            elif not place:
                wanted = folder
            else:
                place = place.rpartition("/")[0]
        there = [f.rpartition("/")[2] for f in files if f.rpartition("/")[0] == wanted]
        return wanted, tuple(sorted(there, key=lambda name: (not is_example(name), name)))


def _named_folder(folder: str, env_file: str) -> str | None:
    """Follow `"../.env"` from a program's folder; nothing where it is no plain text."""
    found = re.match(r"[\"']((?:\.{1,2}/)*)\.env", env_file)
    if found is None:
        return None
    up = found[1].count("../")
    parts = folder.split("/") if folder else []
    return "/".join(parts[: len(parts) - up]) if up <= len(parts) else None


def _first(texts: list[tuple[str, str]]) -> tuple[str, int] | None:
    """Give the first place that makes tables, outside migrations."""
    for path, text in texts:
        found = None if is_migration(path) else _MAKES_TABLES.search(text) or _MIGRATES.search(text)
        if found:
            return path, text.count("\n", 0, found.start()) + 1
    return None
