"""Every tool's files are found, run as the tool runs them, and recorded as the tool records them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.migrations.rehearsal import rehearse_at
from neondba.migrations.results import Direction, Rehearsal, Reversibility
from neondba.migrations.tools.detect import open_source, source_of
from neondba.migrations.tools.flyway import checksum
from neondba.migrations.tools.migrator import Migrator, pending
from neondba.postgres.connect import Connection

CREATE = "create table item (id int primary key, name text);\n"
ADD = "alter table item add column note text;\n"
INDEX = "create index concurrently item_name on item (name);\n"

Files = dict[str, str]
GOOSE = "-- +goose Up\n{up}-- +goose Down\n{down}"
DBMATE = "-- migrate:up{mark}\n{up}-- migrate:down{mark}\n{down}"
JOURNAL = json.dumps(
    {
        "version": "7",
        "dialect": "postgresql",
        "entries": [
            {"idx": 0, "version": "7", "when": 1700000000001, "tag": "0000_first", "breakpoints": True},
            {"idx": 1, "version": "7", "when": 1700000000002, "tag": "0001_second", "breakpoints": True},
        ],
    }
)
PRISMA = {
    "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
    "prisma/migrations/20240101000000_first/migration.sql": CREATE,
    "prisma/migrations/20240102000000_second/migration.sql": ADD,
}
DRIZZLE = {
    "drizzle/meta/_journal.json": JOURNAL,
    "drizzle/0000_first.sql": CREATE + "--> statement-breakpoint\n" + "create table other (id int);",
    "drizzle/0001_second.sql": ADD,
}
TOOLS: dict[str, tuple[str, Files]] = {
    "golang-migrate": (
        "schema_migrations",
        {
            "migrations/1_first.up.sql": CREATE,
            "migrations/1_first.down.sql": "drop table item;",
            "migrations/2_second.up.sql": ADD,
            "migrations/2_second.down.sql": "alter table item drop note;",
            "migrations/10_third.up.sql": INDEX,
            "migrations/10_third.down.sql": "drop index concurrently item_name;",
        },
    ),
    "goose": (
        "goose_db_version",
        {
            "db/00001_first.sql": GOOSE.format(up=CREATE, down="drop table item;"),
            "db/00002_second.sql": GOOSE.format(up=ADD, down="alter table item drop note;"),
            "db/00003_third.sql": "-- +goose NO TRANSACTION\n"
            + GOOSE.format(up=INDEX, down="drop index concurrently item_name;"),
        },
    ),
    "dbmate": (
        "schema_migrations",
        {
            "db/migrations/20240101_first.sql": DBMATE.format(mark="", up=CREATE, down="drop table item;"),
            "db/migrations/20240102_third.sql": DBMATE.format(
                mark=" transaction:false", up=INDEX, down="drop index concurrently item_name;"
            ),
        },
    ),
    "Flyway": (
        "flyway_schema_history",
        {
            "sql/V1__first.sql": CREATE,
            "sql/U1__first.sql": "drop table item;",
            "sql/V1.1__second.sql": ADD,
            "sql/U1.1__second.sql": "alter table item drop note;",
            "sql/V2__third.sql": INDEX,
            "sql/U2__third.sql": "drop index item_name;",
        },
    ),
    "SQL files": (
        "neondba_migrations",
        {
            "migrations/001_first.sql": CREATE + "-- Down\ndrop table item;",
            "migrations/002_second.sql": f"begin;\n{ADD}commit;\n{INDEX}\n-- rollback\n"
            "drop index concurrently item_name; alter table item drop note;",
        },
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Files], Path]:
    def write(files: Files) -> Path:
        for name, text in files.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "project"

    return write


@pytest.fixture
def opened(
    folder: Callable[[Files], Path], url: Secret, session: Connection
) -> Iterator[Callable[..., Migrator]]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def one(files: Files) -> Migrator:
            place = folder(files)
            return stack.enter_context(open_source(source_of(place), place, url, session))

        yield one


def refused(run: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        run()
    return caught.value


def applied_all(migrator: Migrator) -> None:
    migrator.prepare()
    for revision in pending(migrator):
        result = migrator.step("up", revision.id, 20, lambda: None)
        assert result.failure is None


def columns(session: Connection) -> list[str]:
    rows = session.execute(
        "select attname from pg_attribute where attrelid = 'item'::regclass and attnum > 0"
    )
    return sorted(str(row["attname"]) for row in rows)


@pytest.mark.parametrize("tool", TOOLS)
def test_each_convention_goes_up_down_and_up(
    tool: str, ctx: Context, url: Secret, session: Connection, folder: Callable[[Files], Path]
) -> None:
    table, files = TOOLS[tool]
    result: Rehearsal = rehearse_at(ctx, folder(files), url)
    assert result.tool == tool
    assert [s.reversibility for s in result.steps] == [Reversibility.REVERSIBLE] * len(result.steps)
    assert all([r.direction for r in s.runs][1] is Direction.DOWN for s in result.steps)
    assert session.execute("select from pg_class where relname = %s", [table]).rowcount == 1
    again = rehearse_at(ctx, folder(files), url)
    assert again.steps == ()
    assert again.already_applied == len(result.steps)


@pytest.mark.parametrize("files", [PRISMA, DRIZZLE], ids=["Prisma", "Drizzle"])
def test_tools_without_a_way_back_are_rehearsed_up(
    files: Files, ctx: Context, url: Secret, folder: Callable[[Files], Path]
) -> None:
    result = rehearse_at(ctx, folder(files), url)
    assert [s.reversibility for s in result.steps] == [Reversibility.IRREVERSIBLE] * 2
    assert "restore point" in result.steps[0].sentences[0]
    assert result.sound
    assert rehearse_at(ctx, folder(files), url).steps == ()


def test_a_way_back_beside_a_prisma_migration_is_used(
    ctx: Context, url: Secret, folder: Callable[[Files], Path]
) -> None:
    down = {"prisma/migrations/20240102000000_second/down.sql": "alter table item drop note;"}
    result = rehearse_at(ctx, folder(PRISMA | down), url)
    assert result.steps[1].reversibility is Reversibility.REVERSIBLE


def test_prisma_finds_its_own_rows(opened: Callable[..., Migrator], session: Connection) -> None:
    applied_all(opened(PRISMA))
    rows = session.execute("select * from _prisma_migrations order by migration_name").fetchall()
    assert [r["migration_name"] for r in rows] == ["20240101000000_first", "20240102000000_second"]
    assert all(r["finished_at"] and r["applied_steps_count"] == 1 and len(r["checksum"]) == 64 for r in rows)


def test_drizzle_finds_its_own_rows(opened: Callable[..., Migrator], session: Connection) -> None:
    applied_all(opened(DRIZZLE))
    rows = session.execute("select * from drizzle.__drizzle_migrations order by id").fetchall()
    assert [r["created_at"] for r in rows] == [1700000000001, 1700000000002]
    assert all(len(r["hash"]) == 64 for r in rows)


def test_flyway_computes_checksums_over_lines() -> None:
    assert checksum("select 1;\r\nselect 2;\n") == checksum("select 1;\nselect 2;")
    assert -(1 << 31) <= checksum("create table t (id int);") < 1 << 31


def test_a_single_statement_runs_outside_a_transaction_and_two_do_not(
    ctx: Context, url: Secret, folder: Callable[[Files], Path]
) -> None:
    two = {"migrations/1_a.up.sql": CREATE, "migrations/2_b.up.sql": INDEX + ADD}
    result = rehearse_at(ctx, folder(two), url)
    assert result.steps[1].reversibility is Reversibility.FAILS
    assert "cannot run inside a transaction block" in result.steps[1].sentences[0]


@pytest.mark.parametrize(
    ("files", "spoil", "code"),
    [
        (PRISMA, "update _prisma_migrations set checksum = 'other'", "migration-changed"),
        (PRISMA, "update _prisma_migrations set finished_at = null", "migration-half-applied"),
        (DRIZZLE, "update drizzle.__drizzle_migrations set hash = 'other'", "migration-changed"),
        (TOOLS["Flyway"][1], "update flyway_schema_history set checksum = 1", "migration-changed"),
        (TOOLS["Flyway"][1], "update flyway_schema_history set success = false", "migration-half-applied"),
        (TOOLS["golang-migrate"][1], "update schema_migrations set dirty = true", "migration-half-applied"),
        (TOOLS["SQL files"][1], "update neondba_migrations set checksum = 'other'", "migration-changed"),
    ],
)
def test_what_the_tool_would_refuse_is_refused(
    files: Files, spoil: str, code: str, opened: Callable[..., Migrator], session: Connection
) -> None:
    migrator = opened(files)
    applied_all(migrator)
    session.execute(spoil.encode())
    problem = refused(lambda: pending(migrator))
    assert problem.code == code
    assert problem.hint


def test_no_migrations_at_all_is_said(folder: Callable[[Files], Path]) -> None:
    problem = refused(lambda: source_of(folder({"app/query.sql": "select 1"})))
    assert problem.code == "migrations-not-found"


def test_several_places_are_listed_and_one_can_be_chosen(folder: Callable[[Files], Path]) -> None:
    place = folder(PRISMA | DRIZZLE)
    problem = refused(lambda: source_of(place))
    assert problem.code == "migrations-ambiguous"
    assert "drizzle (Drizzle), prisma/migrations (Prisma)" in problem.message
    assert source_of(place, "drizzle").tool == "Drizzle"
    assert source_of(place, tool="prisma").tool == "Prisma"


@pytest.mark.parametrize(
    ("files", "place", "text"),
    [
        (PRISMA, "prisma/migrations/migration_lock.toml", 'provider = "mysql"\n'),
        (DRIZZLE, "drizzle/meta/_journal.json", JOURNAL.replace("postgresql", "sqlite")),
    ],
)
def test_files_for_another_database_are_refused(
    files: Files, place: str, text: str, opened: Callable[..., Migrator]
) -> None:
    assert refused(lambda: opened(files | {place: text})).code == "migrations-for-another-database"


def test_a_mistake_in_a_file_is_named_before_anything_runs(
    opened: Callable[..., Migrator], session: Connection
) -> None:
    problem = refused(lambda: opened({"migrations/001_a.sql": CREATE + "\nalter tabel item add n int;\n"}))
    assert problem.code == "migration-unloadable"
    assert "001_a.sql:3" in problem.message
    assert session.execute("select from pg_class where relname = 'item'").rowcount == 0


def test_two_files_with_one_number_are_named(opened: Callable[..., Migrator]) -> None:
    problem = refused(lambda: opened({"migrations/001_a.sql": CREATE, "migrations/001_b.sql": ADD}))
    assert problem.code == "migration-double"
    assert "001_a.sql, 001_b.sql" in problem.message


def test_names_with_quotes_unicode_and_sql_are_names(
    ctx: Context, url: Secret, session: Connection, folder: Callable[[Files], Path]
) -> None:
    name = 'it\'s "ü"; drop table item; --'
    files = {
        f"prisma/migrations/20240101000000_{name}/migration.sql": 'create table "Größe ""x""" (id int);',
        "prisma/migrations/20240102000000_b/migration.sql": 'alter table "Größe ""x""" add "né ; e" text;',
    }
    result = rehearse_at(ctx, folder(files), url)
    assert result.sound
    row = session.execute("select migration_name as n from _prisma_migrations order by 1 limit 1").fetchone()
    assert row == {"n": f"20240101000000_{name}"}
    assert result.steps[1].locks[0].relation == 'public."Größe ""x"""'


def test_each_statement_is_measured(ctx: Context, url: Secret, folder: Callable[[Files], Path]) -> None:
    files = {
        "migrations/001_a.sql": CREATE,
        "migrations/002_b.sql": "alter table item alter id type bigint; update item set name = 'x';",
    }
    run = rehearse_at(ctx, folder(files), url).steps[1].runs[0]
    retyped, updated = run.measured
    assert retyped.rewritten == ("public.item",)
    assert retyped.work == "until the table is written anew"
    assert [(lock.relation, lock.mode) for lock in retyped.locks] == [("public.item", "AccessExclusiveLock")]
    assert updated.rows == 3
    assert updated.rewritten == ()
    assert updated.locks == ()
    for one in (retyped, updated):
        assert one.wal
        assert one.seconds
    assert retyped.locks[0].seconds >= retyped.seconds + updated.seconds
