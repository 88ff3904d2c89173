"""Folders of numbered SQL files: pairs, marked files, and plain ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from neondba.core.problem import ConflictProblem
from neondba.migrations.tools.convention import (
    Convention,
    Versions,
    by_number,
    changed,
    half_applied,
    sha256,
    text_of,
)
from neondba.migrations.tools.sql_migration import Mode, Script, SqlMigration
from neondba.postgres.connect import Row, literal
from neondba.postgres.sql_text import line_where_down_starts

NUMBERED: Final = re.compile(
    r"(?P<id>\d+)(?:[_.-]+(?P<title>.*?))?(?P<way>[._-](?:up|down|rollback))?\.sql", re.IGNORECASE
)


def numbered(place: Path) -> list[tuple[str, str, Path, bool]]:
    """Give id, title, path and whether it is the way back of each numbered file, in order."""
    found = []
    for path in place.glob("*.sql"):
        if match := NUMBERED.fullmatch(path.name):
            back = (match["way"] or "")[1:].lower() in ("down", "rollback")
            found.append((match["id"], (match["title"] or "").replace("_", " "), path, back))
    return sorted(found, key=lambda each: (by_number(each[0]), each[2].name))


def paired(place: Path, mode: Mode) -> list[SqlMigration]:
    """Put up and down files together.

    Raises:
        ConflictProblem: two files claim one version.
    """
    ups: dict[str, tuple[str, Path]] = {}
    downs: dict[str, Path] = {}
    for number, title, path, back in numbered(place):
        there = downs.get(number) if back else ups.get(number, ("", None))[1]
        if there is not None:
            raise ConflictProblem(
                "migration-double",
                f"Version {number} is in 2 files: {there.name}, {path.name}.",
                hint="Give one of them a new number.",
                revision=number,
                files=[str(there), str(path)],
            )
        if back:
            downs[number] = path
        else:
            ups[number] = (title, path)
    return [_pair(number, title, path, downs.get(number), mode) for number, (title, path) in ups.items()]


def _pair(number: str, title: str, up: Path, down: Path | None, mode: Mode) -> SqlMigration:
    text = text_of(up)
    back = Script(text_of(down), mode) if down else None
    if back is None and (line := line_where_down_starts(text)):
        lines = text.split("\n")
        text, back = "\n".join(lines[: line - 1]), Script("\n".join(lines[line - 1 :]), mode, line)
    files = (up, down) if down else (up,)
    return SqlMigration(number, title, files, Script(text, mode), back, {"checksum": sha256(up)})


class PlainFiles(Versions):
    """Numbered files that no tool tracks: we keep a table of our own."""

    tool = "SQL files"
    table = "public.neondba_migrations"
    create = (
        "create table if not exists public.neondba_migrations (version text primary key,"
        " checksum text not null, applied_at timestamptz not null default now())",
    )

    def read(self, place: Path) -> list[SqlMigration]:
        """Read the files in the order of their numbers."""
        return paired(place, Mode.SPLIT)

    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:
        """Give the versions in the table, whose files must be what they were."""
        by_id = {migration.id: migration for migration in known}
        for row in rows:
            migration = by_id.get(str(row["version"]))
            if migration and migration.recorded["checksum"] != row["checksum"]:
                raise changed("neondba", migration)
        return super().seen(rows, known)

    def up(self, migration: SqlMigration) -> list[str]:
        """Add the version with its checksum."""
        values = f"{literal(migration.id)}, {literal(migration.recorded['checksum'])}"
        return [f"insert into {self.table} (version, checksum) values ({values})"]


class GolangMigrate(Convention):
    """golang-migrate: pairs of files, one row with the newest version."""

    tool = "golang-migrate"
    table = "public.schema_migrations"
    create = (
        "create table if not exists public.schema_migrations"
        " (version bigint not null primary key, dirty boolean not null)",
    )

    def read(self, place: Path) -> list[SqlMigration]:
        """Read the pairs in the order of their numbers."""
        return paired(place, Mode.TOGETHER)

    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:
        """Give all versions up to the recorded one."""
        if not rows:
            return []
        newest = int(rows[0]["version"])
        if rows[0]["dirty"]:
            hint = f"See what of it is there, then: migrate force {newest}"
            raise half_applied(self.tool, f"version {newest}", hint)
        return [migration.id for migration in known if int(migration.id) <= newest]

    def up(self, migration: SqlMigration) -> list[str]:
        """Make it the recorded version."""
        return [f"delete from {self.table}", f"insert into {self.table} values ({int(migration.id)}, false)"]

    def down(self, migration: SqlMigration, before: str | None) -> list[str]:  # noqa: ARG002
        """Make the one before the recorded version."""
        again = [f"insert into {self.table} values ({int(before)}, false)"] if before else []
        return [f"delete from {self.table}", *again]


class Sections(Versions):
    """Files that hold both directions under marks."""

    up_mark: ClassVar[re.Pattern[str]]
    down_mark: ClassVar[re.Pattern[str]]
    alone_mark: ClassVar[re.Pattern[str]]

    def read(self, place: Path) -> list[SqlMigration]:
        """Read the files in the order of their numbers."""
        return [self._cut(number, title, path) for number, title, path, _ in numbered(place)]

    def _cut(self, number: str, title: str, path: Path) -> SqlMigration:
        text = text_of(path)
        up, down = self.up_mark.search(text), self.down_mark.search(text)
        if up is None:
            raise ConflictProblem(
                "migration-unloadable",
                f"{path.name} has no mark where the way up begins, so {self.tool} does not run it.",
                hint="Write the mark above its first statement.",
                files=[str(path)],
            )
        end = down.start() if down and down.start() > up.start() else len(text)
        back = self._script(text, down.start(), len(text)) if down else None
        return SqlMigration(number, title, (path,), self._script(text, up.start(), end), back)

    def _script(self, text: str, start: int, end: int) -> Script:
        part = text[start:end]
        mode = Mode.SEPARATE if self._is_alone(text, part) else Mode.WRAPPED
        return Script(part, mode, text.count("\n", 0, start) + 1)

    def _is_alone(self, text: str, part: str) -> bool:  # noqa: ARG002
        return self.alone_mark.match(part) is not None


class Dbmate(Sections):
    """dbmate: one file with `-- migrate:up` and `-- migrate:down`."""

    tool = "dbmate"
    table = "public.schema_migrations"
    create = ("create table if not exists public.schema_migrations (version varchar(128) primary key)",)
    up_mark = re.compile(r"^--\s*migrate:up\b.*$", re.MULTILINE)
    down_mark = re.compile(r"^--\s*migrate:down\b.*$", re.MULTILINE)
    alone_mark = re.compile(r"--\s*migrate:(?:up|down)\b.*transaction:\s*false")


class Goose(Sections):
    """goose: one file with `-- +goose Up` and `-- +goose Down`."""

    tool = "goose"
    table = "public.goose_db_version"
    column = "version_id"
    create = (
        "create table if not exists public.goose_db_version (id integer primary key generated by default as"
        " identity, version_id bigint not null, is_applied boolean not null,"
        " tstamp timestamp not null default now())",
        "insert into public.goose_db_version (version_id, is_applied) select 0, true"
        " where not exists (select from public.goose_db_version)",
    )
    up_mark = re.compile(r"^--\s*\+goose\s+up\b.*$", re.IGNORECASE | re.MULTILINE)
    down_mark = re.compile(r"^--\s*\+goose\s+down\b.*$", re.IGNORECASE | re.MULTILINE)
    alone_mark = re.compile(r"^--\s*\+goose\s+no\s+transaction\b", re.IGNORECASE | re.MULTILINE)

    def _is_alone(self, text: str, part: str) -> bool:  # noqa: ARG002
        return self.alone_mark.search(text) is not None

    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:
        """Give the versions whose newest row says that they are applied."""
        newest = {int(row["version_id"]): row["is_applied"] for row in sorted(rows, key=lambda r: r["id"])}
        return [migration.id for migration in known if newest.get(int(migration.id))]

    def up(self, migration: SqlMigration) -> list[str]:
        """Add the version's row."""
        return [f"insert into {self.table} (version_id, is_applied) values ({int(migration.id)}, true)"]

    def down(self, migration: SqlMigration, before: str | None) -> list[str]:  # noqa: ARG002
        """Remove the version's row."""
        return [f"delete from {self.table} where version_id = {int(migration.id)}"]
