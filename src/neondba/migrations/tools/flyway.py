"""Flyway: `V1__title.sql`, `U1__title.sql` for the way back, and a table with checksums."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from neondba.migrations.tools.convention import Convention, by_number, changed, half_applied, text_of
from neondba.migrations.tools.sql_migration import Mode, Script, SqlMigration
from neondba.postgres.alone import stands_alone
from neondba.postgres.connect import Row, literal
from neondba.postgres.statements import parse

NAMED: Final = re.compile(r"(?P<kind>[VU])(?P<id>\d+(?:[._]\d+)*)__(?P<title>.*)\.sql")


class Flyway(Convention):
    """Flyway's versioned migrations; repeatable ones are left to Flyway."""

    tool = "Flyway"
    table = "public.flyway_schema_history"
    create = (
        "create table if not exists public.flyway_schema_history (installed_rank int not null constraint"
        " flyway_schema_history_pk primary key, version varchar(50), description varchar(200) not null,"
        " type varchar(20) not null, script varchar(1000) not null, checksum int,"
        " installed_by varchar(100) not null, installed_on timestamp not null default now(),"
        " execution_time int not null, success boolean not null)",
        "create index if not exists flyway_schema_history_s_idx on public.flyway_schema_history (success)",
    )

    def read(self, place: Path) -> list[SqlMigration]:
        """Read the versioned files in the order of their versions."""
        found: dict[str, dict[str, Path]] = {"V": {}, "U": {}}
        for path in sorted(place.glob("*.sql")):
            if match := NAMED.fullmatch(path.name):
                found[match["kind"]][match["id"].replace("_", ".")] = path
        return [
            self._one(version, found["V"][version], found["U"].get(version))
            for version in sorted(found["V"], key=by_number)
        ]

    def _one(self, version: str, up: Path, down: Path | None) -> SqlMigration:
        match = NAMED.fullmatch(up.name)
        title = match["title"].replace("_", " ") if match else ""
        files = (up, down) if down else (up,)
        back = _script(text_of(down)) if down else None
        text = text_of(up)
        recorded = {"checksum": str(checksum(text)), "script": up.name, "title": title}
        return SqlMigration(version, title, files, _script(text), back, recorded)

    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:
        """Give the versions whose newest row is no undo."""
        by_id = {migration.id: migration for migration in known}
        found: dict[str, Row] = {}
        base: str | None = None
        for row in sorted(rows, key=lambda each: int(each["installed_rank"])):
            version = str(row["version"]) if row["version"] is not None else ""
            if not row["success"]:
                raise half_applied(self.tool, str(row["script"]), "See what of it is there: flyway repair")
            if row["type"] in ("BASELINE", "SQL_BASELINE"):
                base = version
            elif version:
                found[version] = row
        for version, row in found.items():
            migration = by_id.get(version)
            said = row["checksum"]
            if row["type"] == "SQL" and migration and said not in (None, int(migration.recorded["checksum"])):
                raise changed(self.tool, migration)
        undone = {version for version, row in found.items() if "UNDO" in str(row["type"])}
        return [
            each.id
            for each in known
            if (each.id in found and each.id not in undone)
            or (base is not None and by_number(each.id) <= by_number(base))
        ]

    def up(self, migration: SqlMigration) -> list[str]:
        """Add the version's row."""
        return [self._row(migration, "SQL", migration.recorded["script"], migration.recorded["checksum"])]

    def down(self, migration: SqlMigration, before: str | None) -> list[str]:  # noqa: ARG002
        """Add a row that takes the version back."""
        return [self._row(migration, "UNDO_SQL", migration.files[-1].name, "null")]

    def _row(self, migration: SqlMigration, kind: str, script: str, check: str) -> str:
        values = ", ".join(
            [
                literal(migration.id),
                literal(migration.recorded["title"]),
                literal(kind),
                literal(script),
                check,
            ]
        )
        return (
            f"insert into {self.table} (installed_rank, version, description, type, script, checksum,"
            " installed_by, execution_time, success)"
            f" select coalesce(max(installed_rank), 0) + 1, {values}, current_user, 0, true from {self.table}"
        )


def checksum(text: str) -> int:
    """Compute Flyway's checksum: CRC-32 over the lines without their ends, as a signed number."""
    value = 0
    for line in text.removeprefix("\ufeff").splitlines():
        value = zlib.crc32(line.encode(), value)
    return value - (1 << 32) if value >= 1 << 31 else value


def _script(text: str) -> Script:
    """Run outside a transaction what no transaction takes, as Flyway does."""
    alone = any(stands_alone(statement) for statement in parse(text))
    return Script(text, Mode.SEPARATE if alone else Mode.WRAPPED)
