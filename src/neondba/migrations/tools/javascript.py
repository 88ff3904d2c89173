"""Prisma Migrate and Drizzle: SQL files that a JavaScript tool writes and records.

The files are run here exactly as the tool does, with its own table and checksums, because only so can
each statement be measured; the tool finds nothing left to do afterwards.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neondba.core.problem import ConflictProblem
from neondba.migrations.tools.convention import Convention, changed, half_applied, sha256, text_of
from neondba.migrations.tools.sql_migration import Mode, Script, SqlMigration
from neondba.postgres.connect import Row, literal

PROVIDER = re.compile(r"^\s*provider\s*=\s*\"(\w+)\"", re.MULTILINE)


class Prisma(Convention):
    """Prisma Migrate: a folder for each migration, recorded with its checksum."""

    tool = "Prisma"
    table = "public._prisma_migrations"
    create = (
        "create table if not exists public._prisma_migrations (id varchar(36) primary key not null,"
        " checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,"
        " logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(),"
        " applied_steps_count integer not null default 0)",
    )

    def read(self, place: Path) -> list[SqlMigration]:
        """Read the folders in the order of their names.

        Raises:
            ConflictProblem: the migrations are for another database.
        """
        lock = place / "migration_lock.toml"
        provider = PROVIDER.search(text_of(lock)) if lock.is_file() else None
        if provider and provider[1] not in ("postgresql", "postgres", "cockroachdb"):
            raise other_database("Prisma", place, provider[1])
        found = []
        for up in sorted(place.glob("*/migration.sql"), key=lambda path: path.parent.name):
            name, down = up.parent.name, up.parent / "down.sql"
            files = (up, down) if down.is_file() else (up,)
            back = Script(text_of(down)) if down.is_file() else None
            title = name.partition("_")[2].replace("_", " ")
            found.append(
                SqlMigration(name, title, files, Script(text_of(up)), back, {"checksum": sha256(up)})
            )
        return found

    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:
        """Give the migrations that were ended and not rolled back."""
        by_id = {migration.id: migration for migration in known}
        found = []
        for row in rows:
            if row["rolled_back_at"] is not None:
                continue
            name = str(row["migration_name"])
            if row["finished_at"] is None:
                hint = f"See what of it is there, then: prisma migrate resolve --rolled-back {name}"
                raise half_applied(self.tool, name, hint)
            if name in by_id and row["checksum"] != by_id[name].recorded["checksum"]:
                raise changed(self.tool, by_id[name])
            found.append(name)
        return found

    def up(self, migration: SqlMigration) -> list[str]:
        """Add the migration's row as Prisma leaves it."""
        # The same id in every run: a plan's statements must not change between two looks.
        number = uuid.uuid5(uuid.NAMESPACE_URL, f"{migration.id}:{migration.recorded['checksum']}")
        values = ", ".join(map(literal, (str(number), migration.recorded["checksum"], migration.id)))
        return [
            f"insert into {self.table} (id, checksum, migration_name, started_at, finished_at,"
            f" applied_steps_count) values ({values}, clock_timestamp(), clock_timestamp(), 1)"
        ]

    def down(self, migration: SqlMigration, before: str | None) -> list[str]:  # noqa: ARG002
        """Remove the migration's row."""
        return [f"delete from {self.table} where migration_name = {literal(migration.id)}"]


class Drizzle(Convention):
    """Drizzle: files in the order of a journal, recorded by hash and moment."""

    tool = "Drizzle"
    table = "drizzle.__drizzle_migrations"
    create = (
        "create schema if not exists drizzle",
        "create table if not exists drizzle.__drizzle_migrations"
        " (id serial primary key, hash text not null, created_at bigint)",
    )

    def read(self, place: Path) -> list[SqlMigration]:
        """Read the files in the order of the journal.

        Raises:
            ConflictProblem: the journal is broken, names a file that is gone, or is for another database.
        """
        journal = _journal(place)
        if journal.get("dialect") not in (None, "postgresql", "pg"):
            raise other_database("Drizzle", place, str(journal.get("dialect")))
        found = []
        for entry in sorted(journal["entries"], key=lambda each: int(each["idx"])):
            tag = str(entry["tag"])
            up, down = place / f"{tag}.sql", place / f"{tag}.down.sql"
            if not up.is_file():
                raise ConflictProblem(
                    "migration-missing",
                    f"The journal names {tag}, which has no file.",
                    hint=f"Restore {tag}.sql from git, or take the entry out of meta/_journal.json.",
                    missing=tag,
                )
            back = Script(text_of(down), Mode.WRAPPED) if down.is_file() else None
            title = tag.partition("_")[2].replace("_", " ")
            recorded = {"hash": sha256(up), "when": str(int(entry["when"]))}
            files = (up, down) if back else (up,)
            script = Script(text_of(up), Mode.WRAPPED)
            found.append(SqlMigration(tag, title, files, script, back, recorded))
        return found

    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:
        """Give the migrations up to the newest recorded moment, as Drizzle counts them."""
        newest = max((int(row["created_at"]) for row in rows if row["created_at"] is not None), default=-1)
        hashes = {int(row["created_at"]): row["hash"] for row in rows if row["created_at"] is not None}
        for migration in known:
            there = hashes.get(int(migration.recorded["when"]))
            if there is not None and there != migration.recorded["hash"]:
                raise changed(self.tool, migration)
        return [migration.id for migration in known if int(migration.recorded["when"]) <= newest]

    def up(self, migration: SqlMigration) -> list[str]:
        """Add the migration's row."""
        values = f"{literal(migration.recorded['hash'])}, {int(migration.recorded['when'])}"
        return [f"insert into {self.table} (hash, created_at) values ({values})"]

    def down(self, migration: SqlMigration, before: str | None) -> list[str]:  # noqa: ARG002
        """Remove the migration's row."""
        return [f"delete from {self.table} where created_at = {int(migration.recorded['when'])}"]


def _journal(place: Path) -> dict[str, Any]:
    path = place / "meta" / "_journal.json"
    try:
        journal = json.loads(path.read_text(encoding="utf-8"))
        return {**journal, "entries": [dict(entry) for entry in journal["entries"]]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConflictProblem(
            "migration-unloadable",
            f"meta/_journal.json cannot be read: {type(error).__name__}: {error}.",
            hint="Restore it from git; Drizzle writes it.",
            files=[str(path)],
        ) from None


def other_database(tool: str, place: Path, name: str) -> ConflictProblem:
    """Say that the migrations are not for PostgreSQL."""
    return ConflictProblem(
        "migrations-for-another-database",
        f"The {tool} migrations in {place.name} are for {name}, not for PostgreSQL.",
        hint="Name the folder of those for PostgreSQL with --config.",
        dialect=name,
    )
