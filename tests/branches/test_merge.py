"""Merging a branch into another, over the API of a real local Neon."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from merging import SCHEMA, Pair
from neon_world import World

from neondba import capabilities
from neondba.core.problem import ArgumentProblem, ConfirmationNeeded, ConflictProblem
from neondba.postgres.applying import KEY
from neondba.postgres.connect import connect, trusted
from neondba.postgres.ddl.schema import changes

NUMBERS = count()


@pytest.fixture(scope="module")
def merged_project(world: World) -> Iterator[str]:
    """A project whose branch `trunk` holds the schema that all tests begin with."""
    made = world.call("project.create", name="merging", branch="trunk")
    with connect(Pair(world, made.name, 0).url_of("trunk")) as session:
        session.execute(trusted(SCHEMA))
    yield str(made.name)
    with world.client() as client:
        client.delete_project(made.id, hard=True)


@pytest.fixture
def pair(world: World, merged_project: str) -> Iterator[Pair]:
    made = Pair(world, merged_project, next(NUMBERS)).begin()
    yield made
    made.end()


def test_what_both_branches_did_is_there_afterwards(pair: Pair) -> None:
    pair.on("feature", "alter table users add city text; create index users_email on users (email)")
    pair.on("main", "alter table plans add note text; drop view cheap")
    merged = pair.merge()
    assert (merged.merged, merged.exit_status) == (True, 0)
    there = pair.schema("main").objects.keys()
    assert {"column public.users.city", "index public.users_email", "column public.plans.note"} <= there
    assert "view public.cheap" not in there
    assert pair.rows("main", "select count(*) from users") == [(50,)]
    assert merged.restore_point.come_back.startswith("neondba branch restore")
    assert pair.branches() == {pair.named("main"), pair.named("feature")}


def test_without_consent_nothing_is_done_and_with_nothing_to_do_none_is_asked(pair: Pair) -> None:
    merged = pair.merge()
    assert (merged.merged, merged.statements, merged.exit_status) == (False, (), 0)
    pair.on("feature", "alter table users drop email")
    operation = capabilities.load()["branch.merge"]
    arguments = {"name": pair.named("feature"), "into": pair.named("main"), "migration": False}
    ctx = pair.world.context(pair.project)
    ctx.dry_run = True
    plan = operation.call(ctx, arguments)
    assert "ALTER TABLE public.users DROP COLUMN email;" in plan.steps
    assert pair.branches() == {pair.named("main"), pair.named("feature")}
    ctx.dry_run = False
    with pytest.raises(ConfirmationNeeded) as needed:
        operation.call(ctx, arguments)
    assert needed.value.facts["hash"] == plan.hash
    assert pair.rows("main", "select count(email) from users") == [(50,)]
    ctx.confirmation = plan.hash
    pair.on("main", "alter table users add meanwhile int")
    with pytest.raises(ConfirmationNeeded, match="no longer the one"):
        operation.call(ctx, arguments)


def test_a_conflict_stops_everything_until_a_side_is_named_and_later_merges_begin_there(pair: Pair) -> None:
    pair.on("feature", "alter table users alter email type varchar(90); alter table users add city text")
    pair.on("main", "drop view cheap; alter table users alter email type varchar(50)")
    before = pair.schema("main").fingerprint
    merged = pair.merge()
    assert merged.exit_status == 5
    [conflict] = merged.conflicts
    assert conflict.kind == "both changed"
    assert f"{pair.named('main')} has character varying(50), {pair.named('feature')} has" in conflict.said
    assert pair.schema("main").fingerprint == before
    with pytest.raises(ArgumentProblem, match="The conflicts are: column public"):
        pair.merge(prefer=["users.email=theirs"])
    assert pair.merge(prefer=["column public.users.email=theirs"]).merged
    assert pair.schema("main").objects["column public.users.email"].type == "character varying(90)"
    pair.on("feature", "alter table users alter city type varchar(80)")
    pair.on("main", "comment on table users is 'people'")
    assert pair.merge().merged
    assert pair.rows("main", "select obj_description('users'::regclass)") == [("people",)]
    assert pair.schema("main").objects["column public.users.city"].type == "character varying(80)"


def test_rows_that_stand_against_constraints_are_shown(pair: Pair) -> None:
    pair.on("feature", "alter table users alter email set not null; create unique index one on users (email);"
            "alter table plans add constraint paid check (price >= 0)")  # fmt: skip
    pair.on("main", "insert into users (email) values (null), ('twin@example.com'), ('twin@example.com');"
            "insert into plans values (9, 'bad', -1)")  # fmt: skip
    before = pair.schema("main").fingerprint
    merged = pair.merge()
    found = {each.object: each.rows[0] for each in merged.conflicts}
    assert {each.kind for each in merged.conflicts} == {"rows in the way"}
    assert found["column public.users.email"]["email"] is None
    assert found["index public.one"] == {"email": "twin@example.com", "rows": "2"}
    assert found["constraint public.plans.paid"]["name"] == "bad"
    assert pair.schema("main").fingerprint == before


def test_what_the_rehearsal_refuses_leaves_the_target_alone(pair: Pair) -> None:
    pair.on("feature", "create table cities (id int primary key); insert into cities select id from plans;"
            "alter table plans add constraint in_city foreign key (id) references cities")  # fmt: skip
    before = pair.schema("main").fingerprint
    with pytest.raises(ConflictProblem, match="does not run on a fresh branch of main-"):
        pair.merge()
    assert pair.schema("main").fingerprint == before
    pair.on("feature", "alter table plans drop constraint in_city")
    with connect(pair.url("main")) as session:
        session.execute("select pg_advisory_lock(%s)", [KEY])
        with pytest.raises(ConflictProblem, match="Another apply or merge is at work"):
            pair.merge()
    assert pair.schema("main").fingerprint == before


def test_rows_of_reference_tables_are_merged_by_key_and_column(pair: Pair) -> None:
    pair.on("feature", "update plans set price = 25 where id = 2; insert into plans values (4, 'more', 50);"
            "insert into users (email) values ('new@example.com')")  # fmt: skip
    pair.on("main", "update plans set name = 'teams' where id = 2; update plans set price = 1 where id = 1")
    assert pair.merge(data="plans, users").merged
    assert pair.rows("main", "select * from plans order by id") == [
        (1, "free", 1), (2, "teams", 25), (3, "firm", 90), (4, "more", 50),
    ]  # fmt: skip
    pair.on("main", "insert into users (email) values ('next@example.com')")
    assert pair.rows("main", "select id, email from users where id > 50 order by id") == [
        (51, "new@example.com"), (52, "next@example.com"),
    ]  # fmt: skip


def test_a_row_that_both_changed_is_a_conflict_and_can_be_settled(pair: Pair) -> None:
    pair.on("feature", "update plans set price = 25 where id = 2")
    pair.on("main", "update plans set price = 30 where id = 2")
    [conflict] = pair.merge(data="plans").conflicts
    assert (conflict.kind, conflict.object) == ("row changed on both sides", "rows public.plans [2]")
    assert pair.merge(data="plans", prefer=["rows public.plans [2]=theirs"]).merged
    assert pair.rows("main", "select price from plans where id = 2") == [(25,)]


def test_a_label_that_is_used_at_once_is_committed_first(pair: Pair) -> None:
    pair.on("main", "create type mood as enum ('calm')")
    pair.branch("moody")
    pair.on("moody", "alter type mood add value 'wild'")
    pair.on("moody", "create table pets (id int primary key, mood mood default 'wild')")
    assert pair.merge("moody").merged
    assert pair.rows("main", "insert into pets values (1) returning mood") == [("wild",)]


def test_names_with_quotes_and_statements_in_them_are_merged(pair: Pair) -> None:
    pair.on("feature", """create table "o'dd ""t""; drop table users; --é" ("a b" int primary key)""")
    assert pair.merge().merged
    assert pair.rows("main", "select count(*) from users") == [(50,)]
    assert changes(pair.schema("main"), pair.schema("feature")) == []


def test_a_merge_becomes_a_numbered_migration_of_the_project(pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_users.sql").write_text("create table users (id int);\n")
    pair.on("feature", "alter table users add city text")
    merged = pair.merge(migration=True, path=str(tmp_path))
    assert merged.files[0].startswith("migrations/002_merge_feature")
    assert "ADD COLUMN city text;" in (tmp_path / merged.files[0]).read_text()


def test_a_merge_becomes_a_prisma_migration_that_is_noted_as_applied(pair: Pair, tmp_path: Path) -> None:
    record = """create table _prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null,
        finished_at timestamptz, migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
        started_at timestamptz not null default now(), applied_steps_count int not null default 0)"""
    pair.on("main", record)
    pair.branch("by-hand")
    folder = tmp_path / "prisma" / "migrations" / "20260101000000_init"
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text("CREATE TABLE plans (id int);\n")
    pair.on("by-hand", "alter table users add city text")
    merged = pair.merge("by-hand", migration=True, path=str(tmp_path))
    [file] = merged.files
    assert pair.rows("main", "select migration_name from _prisma_migrations") == [(file.split("/")[2],)]


def test_a_merge_becomes_an_alembic_revision_that_is_noted_as_run(pair: Pair, tmp_path: Path) -> None:
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    (versions / "a1_first.py").write_text(
        'from alembic import op\n\nrevision = "a1"\ndown_revision = None\n\n\n'
        "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
    )
    record = "create table alembic_version (version_num varchar(32) primary key)"
    pair.on("main", f"{record}; insert into alembic_version values ('a1')")
    pair.branch("by-hand")
    pair.on("by-hand", "alter table users add city text default 'Ω \"x\" :y %s'")
    merged = pair.merge("by-hand", migration=True, path=str(tmp_path))
    [file] = merged.files
    assert pair.rows("main", "select version_num from alembic_version") != [("a1",)]
    [(version,)] = pair.rows("main", "select version_num from alembic_version")
    assert f'"{version}"' in (tmp_path / file).read_text() or f"'{version}'" in (tmp_path / file).read_text()


def test_what_the_project_tool_did_on_the_branch_moves_along(pair: Pair, tmp_path: Path) -> None:
    record = "create table alembic_version (version_num varchar(32) primary key)"
    pair.on("main", f"{record}; insert into alembic_version values ('a1')")
    pair.branch("by-tool")
    pair.on("by-tool", "alter table users add city text; update alembic_version set version_num = 'b2'")
    merged = pair.merge("by-tool", migration=True, path=str(tmp_path))
    assert merged.files == ()
    assert pair.rows("main", "select version_num from alembic_version") == [("b2",)]
