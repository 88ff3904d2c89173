"""Merging a branch into another, over the API of a real local Neon."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from merging import SCHEMA, Pair
from neon_world import World

from neondba import capabilities
from neondba.core.problem import ConfirmationNeeded, ConflictProblem
from neondba.postgres.connect import connect, trusted
from neondba.postgres.ddl.schema import changes

NUMBERS = count()


@pytest.fixture(scope="module")
def merged_project(world: World) -> str:
    """A project whose branch `trunk` holds the schema that all tests begin with."""
    made = world.call("project.create", name="merging", branch="trunk")
    with connect(Pair(world, made.name, 0).url_of("trunk")) as session:
        session.execute(trusted(SCHEMA))
    return str(made.name)


@pytest.fixture
def pair(world: World, merged_project: str) -> Iterator[Pair]:
    made = Pair(world, merged_project, next(NUMBERS)).begin()
    yield made
    made.end()


def test_what_both_branches_did_is_there_afterwards(pair: Pair) -> None:
    pair.on("feature", "alter table users add city text; create index users_email on users (email)")
    pair.on("main", "alter table plans add note text; drop view cheap")
    merged = pair.merge()
    assert merged.merged
    assert merged.exit_status == 0
    there = pair.schema("main").objects.keys()
    assert {"column public.users.city", "index public.users_email", "column public.plans.note"} <= there
    assert "view public.cheap" not in there
    assert pair.rows("main", "select count(*) from users") == [(50,)]


def test_a_merge_names_its_restore_point_and_leaves_no_branch_behind(pair: Pair) -> None:
    pair.on("feature", "alter table users add city text")
    merged = pair.merge()
    assert merged.restore_point.come_back.startswith("neondba branch restore")
    assert pair.branches() == {pair.named("main"), pair.named("feature")}


def test_nothing_to_merge_changes_nothing(pair: Pair) -> None:
    merged = pair.merge()
    assert (merged.merged, merged.statements, merged.exit_status) == (False, (), 0)


def test_a_conflict_stops_everything_and_is_said_with_the_names_of_the_branches(pair: Pair) -> None:
    pair.on("feature", "alter table users alter email type varchar(90); alter table users add city text")
    pair.on("main", "alter table users alter email type varchar(50)")
    before = pair.schema("main").fingerprint
    merged = pair.merge()
    assert merged.exit_status == 5
    [conflict] = merged.conflicts
    assert conflict.kind == "both changed"
    assert f"{pair.named('main')} has character varying(50), {pair.named('feature')} has" in conflict.said
    assert pair.schema("main").fingerprint == before


def test_a_conflict_is_settled_by_naming_a_side(pair: Pair) -> None:
    pair.on("feature", "alter table users alter email type varchar(90)")
    pair.on("main", "alter table users alter email type varchar(50)")
    assert pair.merge(prefer=["column public.users.email=theirs"]).merged
    assert changes(pair.schema("main"), pair.schema("feature")) == []


def test_a_second_merge_begins_where_the_first_ended(pair: Pair) -> None:
    pair.on("feature", "alter table users add city text")
    pair.merge()
    pair.on("feature", "alter table users alter city type varchar(80)")
    pair.on("main", "comment on table users is 'people'")
    assert pair.merge().merged
    assert pair.rows("main", "select obj_description('users'::regclass)") == [("people",)]
    assert pair.schema("main").objects["column public.users.city"].type == "character varying(80)"


def test_the_parent_can_be_merged_into_the_child(pair: Pair) -> None:
    pair.on("main", "alter table plans add note text")
    pair.on("feature", "alter table users add city text")
    assert pair.merge("main", "feature").merged
    assert {"column public.plans.note", "column public.users.city"} <= pair.schema("feature").objects.keys()


def test_two_children_of_one_parent_can_be_merged(pair: Pair) -> None:
    pair.branch("other")
    pair.on("feature", "alter table users add city text")
    pair.on("other", "alter table plans add note text")
    assert pair.merge("feature", "other").merged
    assert {"column public.plans.note", "column public.users.city"} <= pair.schema("other").objects.keys()


@pytest.mark.parametrize(
    ("change", "object_", "row"),
    [
        ("update users set email = '' where email is null; alter table users alter email set not null",
         "column public.users.email", {"email": None}),
        ("delete from users where email in (select email from users group by 1 having count(*) > 1);"
         "create unique index one_mail on users (email)", "index public.one_mail",
         {"email": "twin@example.com", "rows": "2"}),
        ("update plans set price = 0 where price < 0;"
         "alter table plans add constraint paid check (price >= 0)",
         "constraint public.plans.paid", {"name": "bad"}),
        ("create table cities (id int primary key); alter table plans add constraint in_city"
         " foreign key (id) references cities not valid; insert into cities select id from plans;"
         "alter table plans validate constraint in_city", "constraint public.plans.in_city", {}),
    ],
)  # fmt: skip
def test_rows_that_stand_against_a_constraint_are_shown(
    pair: Pair, change: str, object_: str, row: dict[str, str | None]
) -> None:
    pair.on("feature", change)
    pair.on("main", "insert into users (email) values (null), ('twin@example.com'), ('twin@example.com');"
            "insert into plans values (9, 'bad', -1)")  # fmt: skip
    before = pair.schema("main").fingerprint
    if object_.endswith("in_city"):
        with pytest.raises(ConflictProblem, match="does not run on a fresh branch of main-"):
            pair.merge()
    else:
        merged = pair.merge()
        assert [(c.object, c.kind) for c in merged.conflicts] == [(object_, "rows in the way")]
        assert row.items() <= merged.conflicts[0].rows[0].items()
    assert pair.schema("main").fingerprint == before


def test_rows_of_reference_tables_are_merged_by_key_and_column(pair: Pair) -> None:
    pair.on("feature", "update plans set price = 25 where id = 2; insert into plans values (4, 'more', 50);"
            "delete from plans where id not in (select plan_id from users) and id = 3")  # fmt: skip
    pair.on("main", "update plans set name = 'teams' where id = 2")
    merged = pair.merge(data="plans")
    assert merged.merged
    assert pair.rows("main", "select * from plans order by id") == [
        (1, "free", 0), (2, "teams", 25), (3, "firm", 90), (4, "more", 50),
    ]  # fmt: skip


def test_a_row_that_both_changed_is_a_conflict_and_can_be_settled(pair: Pair) -> None:
    pair.on("feature", "update plans set price = 25 where id = 2")
    pair.on("main", "update plans set price = 30 where id = 2")
    [conflict] = pair.merge(data="plans").conflicts
    assert (conflict.kind, conflict.object) == ("row changed on both sides", "rows public.plans [2]")
    assert pair.merge(data="plans", prefer=["rows public.plans [2]=theirs"]).merged
    assert pair.rows("main", "select price from plans where id = 2") == [(25,)]


def test_new_rows_of_an_identity_column_keep_their_ids_and_the_counter_follows(pair: Pair) -> None:
    pair.on("feature", "insert into users (email) values ('new@example.com')")
    assert pair.merge(data="users").merged
    pair.on("main", "insert into users (email) values ('next@example.com')")
    assert pair.rows("main", "select id, email from users where id > 50 order by id") == [
        (51, "new@example.com"), (52, "next@example.com"),
    ]  # fmt: skip


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


def test_a_merge_that_destroys_waits_for_consent_to_its_very_plan(pair: Pair) -> None:
    pair.on("feature", "alter table users drop email")
    ctx = pair.world.context(pair.project)
    operation = capabilities.load()["branch.merge"]
    arguments = {"name": pair.named("feature"), "into": pair.named("main"), "migration": False}
    with pytest.raises(ConfirmationNeeded) as needed:
        operation.call(ctx, arguments)
    assert any("DROP COLUMN email" in step for step in needed.value.facts["plan"]["steps"])
    assert pair.rows("main", "select count(email) from users") == [(50,)]
    ctx.confirmation = needed.value.facts["hash"]
    pair.on("main", "alter table users add meanwhile int")
    with pytest.raises(ConfirmationNeeded, match="no longer the one"):
        operation.call(ctx, arguments)


def test_a_dry_run_shows_the_plan_and_makes_nothing(pair: Pair) -> None:
    pair.on("feature", "alter table users add city text")
    ctx = pair.world.context(pair.project)
    ctx.dry_run = True
    arguments = {"name": pair.named("feature"), "into": pair.named("main"), "migration": False}
    plan = capabilities.load()["branch.merge"].call(ctx, arguments)
    assert "ALTER TABLE public.users ADD COLUMN city text;" in plan.steps
    assert pair.branches() == {pair.named("main"), pair.named("feature")}


def test_branches_without_a_common_past_are_refused(pair: Pair) -> None:
    pair.branch("bare", schema_only=True)
    with pytest.raises(ConflictProblem, match="no moment in common"):
        pair.merge("bare")


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
