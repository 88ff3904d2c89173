"""Find out which tool a project keeps its migrations with, and open it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from shlex import quote
from typing import Final

from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.core.secret import Secret
from neondba.migrations.tools import alembic, sql_migrator
from neondba.migrations.tools.convention import Convention
from neondba.migrations.tools.flyway import NAMED, Flyway
from neondba.migrations.tools.javascript import Drizzle, Prisma
from neondba.migrations.tools.marked_files import NUMBERED, Dbmate, GolangMigrate, Goose, PlainFiles
from neondba.migrations.tools.migrator import Migrator, Source
from neondba.postgres.connect import Connection
from neondba.project.alembic_runner.locate import DEEPEST, SKIPPED, is_alembic_config

CONVENTIONS: Final[dict[str, type[Convention]]] = {
    kind.tool: kind for kind in (Prisma, Drizzle, Flyway, Goose, Dbmate, GolangMigrate, PlainFiles)
}
TOOLS: Final = ("Alembic", *CONVENTIONS)
FOLDERS: Final = frozenset({"migrations", "migration", "migrate", "drizzle", "sql", "db", "database"})
"""Names of folders in which a plain numbered file is taken for a migration."""
MOST_READ: Final = 20_000
"""Characters at the head of a file in which marks are looked for."""


def source_of(folder: Path, wanted: str | None = None, tool: str | None = None) -> Source:
    """Give the one place where a project keeps its migrations.

    Args:
        folder: The project.
        wanted: The configuration or folder of migrations, seen from the project; found if absent.
        tool: The tool, where the files alone would be taken for another one's.

    Raises:
        NotFoundProblem: there is none.
        ArgumentProblem: there are several and none was chosen.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise NotFoundProblem(
            "path-not-found", f"{folder} is no folder.", hint="Give the path of the project's folder."
        )
    found = _named(folder, wanted) if wanted is not None else sorted(_within(folder, 0, top=True), key=_place)
    if tool is not None:
        found = _of_tool(found, tool)
    if not found:
        where = f"{folder}/{wanted}" if wanted else str(folder)
        raise NotFoundProblem(
            "migrations-not-found",
            f"{where} has no {f'{tool} ' if tool else ''}migrations: no alembic.ini, no Prisma or Drizzle "
            "folder, no numbered SQL files.",
            hint="Run this in the project's folder, or name the place with --config.",
        )
    if len(found) > 1:
        raise _several(folder, found)
    return found[0]


def open_source(
    source: Source, folder: Path, direct: Secret, session: Connection, python: str | None = None
) -> AbstractContextManager[Migrator]:
    """Open the tool on a database over a direct connection; the session looks from beside.

    Raises:
        Problem: the tool or its files cannot be used; nothing has been changed then.
    """
    if source.tool == "Alembic":
        return alembic.opened(source, folder, direct, session, python)
    return sql_migrator.opened(source, CONVENTIONS[source.tool](), direct, session)


def _named(folder: Path, wanted: str) -> list[Source]:
    place = (folder / wanted).resolve()
    if place.is_file():
        return [Source("Alembic", place)]
    if not place.is_dir():
        raise NotFoundProblem(
            "migrations-not-found",
            f"There is no {wanted} in {folder}.",
            hint="Give --config the path of alembic.ini or of the migrations, seen from the project.",
        )
    return list(_within(place, DEEPEST, top=True))


def _of_tool(found: list[Source], tool: str) -> list[Source]:
    known = {name.lower(): name for name in TOOLS}
    if tool.lower() not in known:
        raise ArgumentProblem(
            "tool-unknown",
            f"No migration tool is called {tool} here.",
            hint=f"There are: {', '.join(TOOLS)}.",
        )
    name = known[tool.lower()]
    files = {"golang-migrate", "SQL files"}
    # Pairs of files look alike; the user knows whose they are.
    return [Source(name, s.place) for s in found if s.tool == name or {s.tool, name} <= files]


def _several(folder: Path, found: list[Source]) -> ArgumentProblem:
    listed = [f"{each.relative(folder)} ({each.tool})" for each in found]
    alembic_only = all(each.tool == "Alembic" for each in found)
    what = "Alembic configurations" if alembic_only else "places with migrations"
    return ArgumentProblem(
        "alembic-ambiguous" if alembic_only else "migrations-ambiguous",
        f"{folder} has {len(found)} {what}: {', '.join(listed)}.",
        hint=f"Choose one: --config {quote(found[0].relative(folder))}",
        configs=[each.relative(folder) for each in found],
    )


def _place(source: Source) -> str:
    return str(source.place)


def _within(folder: Path, depth: int, *, top: bool = False) -> Iterator[Source]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError:
        return
    here = _here(folder, {entry.name for entry in entries}, top)
    if here is not None:
        yield here
        if here.tool != "Alembic":
            return
    for entry in entries:
        skipped = entry.name in SKIPPED or entry.name.startswith(".")
        if depth < DEEPEST and not skipped and entry.is_dir(follow_symlinks=False):
            yield from _within(Path(entry.path), depth + 1)


def _here(folder: Path, names: set[str], top: bool) -> Source | None:
    """Tell whose migrations a folder holds itself, if any."""
    config = is_alembic_config(folder, names)
    if config is not None:
        return Source("Alembic", config)
    if "migration_lock.toml" in names or any(folder.glob("[0-9]*/migration.sql")):
        return Source("Prisma", folder)
    if "meta" in names and (folder / "meta" / "_journal.json").is_file():
        return Source("Drizzle", folder)
    if any(NAMED.fullmatch(name) for name in names):
        return Source("Flyway", folder)
    files = sorted(name for name in names if NUMBERED.fullmatch(name))
    return _numbered(folder, files, top) if files else None


def _numbered(folder: Path, files: list[str], top: bool) -> Source | None:
    with (folder / files[0]).open(encoding="utf-8", errors="replace") as file:
        head = file.read(MOST_READ)
    if Goose.up_mark.search(head):
        return Source("goose", folder)
    if Dbmate.up_mark.search(head):
        return Source("dbmate", folder)
    if any(name.endswith(".up.sql") for name in files):
        return Source("golang-migrate", folder)
    usual = top or folder.name.lower() in FOLDERS or folder.name.lower().endswith("migrations")
    return Source("SQL files", folder) if usual else None
