"""A branch of masked rows: whole, joined, and without one original anywhere."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from neon_world import World

from neondba import capabilities
from neondba.branches.mask_create import anonymised_branch
from neondba.branches.results import BranchCreated
from neondba.core.plan import Plan
from neondba.core.problem import ArgumentProblem, ConflictProblem, Problem
from neondba.local import launch, tunnel
from neondba.neon.client import NeonClient
from neondba.neon.connection_string import parse
from neondba.neon.models import Project
from neondba.neon.throwaway import reached
from neondba.postgres import binaries
from neondba.postgres.connect import Connection, connect, trusted

MARK = "qjorig"
"""Begins every original value; no mask makes it."""
TABLES = f"""
create table "user" (
    id text primary key, name text not null, email text not null unique, "emailVerified" boolean not null,
    image text
);
create table session (
    id text primary key, token text not null unique, "expiresAt" timestamptz not null, "ipAddress" text,
    "userAgent" text, "userId" text not null references "user"
);
create table account (
    id text primary key, "accountId" text not null, "providerId" text not null, "accessToken" text,
    password text, "userId" text not null references "user"
);
create table ticket (
    id bigint generated always as identity primary key, email text references "user" (email), subject text,
    body text, state text not null
);
create index on ticket (subject);
insert into "user"
select 'id' || i, '{MARK} name' || i, '{MARK}' || i || '@{MARK}.com', true, 'https://x/{MARK}' || i
from generate_series(1, 500) i;
insert into session
select 's' || i, '{MARK}token' || i, now(), '10.9.8.' || i % 250, '{MARK} browser', 'id' || i
from generate_series(1, 500) i;
insert into account
select 'a' || i, '{MARK}acc' || i, 'google', '{MARK}secret' || i, '{MARK}:hash' || i, 'id' || i
from generate_series(1, 500) i;
insert into ticket (email, subject, body, state)
select '{MARK}' || i % 500 + 1 || '@{MARK}.com', 'Printer broken',
    repeat('{MARK} wrote this. ', case when i = 7 then 20000 else 3 end), 'open'
from generate_series(1, 2000) i;
update ticket set state = 'closed', body = body || ' {MARK}!' where id % 3 = 0;
analyze;
create role keeper nologin;
grant keeper to current_user;
grant create on schema public to keeper;
alter table ticket owner to keeper;
revoke keeper from current_user granted by current_user;
"""


@contextmanager
def inside(
    client: NeonClient, project: Project, branch_id: str, database: str = "neondb"
) -> Iterator[Connection]:
    owner = next(each.owner_name for each in client.databases(project.id, branch_id) if each.name == database)
    with connect(client.connection_uri(project.id, branch_id, database, owner)) as session:
        yield session


@pytest.fixture(scope="module")
def made(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, BranchCreated]]:
    """A project with originals, and its masked branch: tests leave both as they are."""
    project = world.call("project.create", name="masked-store")
    with world.client() as client:
        found = client.find_project("masked-store")
        with inside(client, found, client.default_branch(found).id) as session:
            session.execute(trusted(TABLES))
        folder = tmp_path_factory.mktemp("nothing")
        yield found, call(world, "branch.create", found, folder, name="safe", anonymised=True)
        client.delete_project(project.id, hard=True)


@pytest.fixture
def filled(world: World, store: str) -> Project:
    """A project whose default branch holds originals."""
    with world.client() as client:
        project = client.find_project(store)
        with inside(client, project, client.default_branch(project).id) as session:
            session.execute(trusted(TABLES))
    return project


def call(world: World, name: str, project: Project, folder: Path, /, **arguments: Any) -> Any:
    ctx = world.context(project.name)
    ctx.folder = folder
    return capabilities.load()[name].call(ctx, arguments)


def holding(folder: Path) -> list[str]:
    """Name the files below a folder that hold an original."""
    files = [Path(place) / name for place, _, names in os.walk(folder) for name in names]
    return [str(file) for file in files if file.is_file() and MARK.encode() in file.read_bytes().lower()]


def dump(world: World, client: NeonClient, project: Project, branch_id: str) -> bytes:
    branch = reached(client, project.id, client.branch(project.id, branch_id))
    direct, running = parse(branch.direct), launch.ensure(world.state)
    assert direct.password is not None
    with tunnel.opened(direct.host, direct.port or 0, Path(running.ca)) as through:
        environment = {
            **through,
            "PGUSER": branch.role,
            "PGPASSWORD": direct.password.reveal(),
            "PGOPTIONS": direct.parameter("options") or "",
        }
        command = [binaries.find().program("pg_dump"), branch.database]
        return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


def folder_of(world: World, branch_id: str) -> Path:
    (found,) = [each for each in (world.state / "local" / "branches").glob(f"{branch_id}*") if each.is_dir()]
    return found


def test_no_original_is_anywhere_in_the_branch_or_its_dump(
    world: World, made: tuple[Project, BranchCreated]
) -> None:
    project, safe = made
    with world.client() as client:
        main = client.default_branch(project)
        text = dump(world, client, project, safe.id)
        assert b"Printer broken" in text
        assert MARK.encode() not in text.lower()
        assert MARK.encode() in dump(world, client, project, main.id)
    assert holding(folder_of(world, main.id))
    assert holding(folder_of(world, safe.id)) == []


def test_the_branch_is_a_root_with_every_row_and_join(
    world: World, made: tuple[Project, BranchCreated]
) -> None:
    project, safe = made
    assert safe.coverage is not None
    assert safe.coverage.undecided == []
    with world.client() as client:
        assert {each.name for each in client.branches(project.id)} == {"main", "safe"}
        assert client.branch(project.id, safe.id).parent_id is None
        with inside(client, project, safe.id) as session:
            joined = session.execute('select count(*) as n from ticket t join "user" u using (email)')
            assert joined.fetchone() == {"n": 2000}
            users = session.execute('select count(*) as n, count(distinct email) as e from "user"')
            assert users.fetchone() == {"n": 500, "e": 500}
            owner = session.execute("select tableowner as o from pg_tables where tablename = 'ticket'")
            assert owner.fetchone() == {"o": "keeper"}


def test_no_moment_of_the_branch_shows_an_original(world: World, made: tuple[Project, BranchCreated]) -> None:
    project, safe = made
    with world.client() as client:
        begun = client.branch(project.id, safe.id).created_at - timedelta(hours=1)
        with pytest.raises(Problem, match="outside the history window") as caught:
            client.create_branch(project.id, "older", parent_id=safe.id, parent_timestamp=begun)
        (earliest,) = re.findall(r"from \S+ \(([0-9A-F/]+)\)", caught.value.message)
        first = client.create_branch(project.id, "first", parent_id=safe.id, parent_lsn=earliest).branch
        assert MARK.encode() not in dump(world, client, project, first.id).lower()
        client.delete_branch(project.id, first.id)


def test_the_passwords_of_the_parent_do_not_open_the_branch(
    world: World, made: tuple[Project, BranchCreated]
) -> None:
    project, safe = made
    with world.client() as client:
        main = client.default_branch(project)
        known = {
            client.reveal_password(project.id, each, "neondb_owner").reveal() for each in (main.id, safe.id)
        }
    assert len(known) == 2


def test_an_open_column_stops_it_with_the_lines_that_settle_it(
    world: World, filled: Project, tmp_path: Path
) -> None:
    with world.client() as client:
        with inside(client, filled, client.default_branch(filled).id) as session:
            session.execute('alter table "user" add gender text')
        with pytest.raises(ConflictProblem, match=r"public\.user\.gender") as caught:
            call(world, "branch.create", filled, tmp_path, name="safe", anonymised=True)
        assert caught.value.code == "mask-open"
        assert caught.value.facts["lines"] == ['"public.user.gender" = "null"']
        assert '"public.user.gender" = { keep = "WHY IT MAY STAY" }' in (caught.value.hint or "")
        assert [each.name for each in client.branches(filled.id)] == ["main"]
    lines = (
        '"public.user.gender" = { keep = "nobody fills it" }\n"public.ticket.subject" = { value = "none" }\n'
    )
    (tmp_path / "neondba.toml").write_text(f'[mask]\n"public.user.name" = "null"\n{lines}')
    with pytest.raises(ArgumentProblem, match="null does not fit text"):
        call(world, "branch.create", filled, tmp_path, name="safe", anonymised=True)
    (tmp_path / "neondba.toml").write_text(f"[mask]\n{lines}")
    made = call(world, "branch.create", filled, tmp_path, name="safe", anonymised=True)
    states = {each.column: (each.state.value, each.kind, each.why) for each in made.coverage.columns}
    assert states["public.user.gender"] == ("kept", None, "nobody fills it")
    with world.client() as client, inside(client, filled, made.id) as session:
        assert session.execute("select distinct subject as s from ticket").fetchall() == [{"s": "none"}]


def test_the_check_says_the_same_and_makes_nothing(world: World, filled: Project, tmp_path: Path) -> None:
    check = capabilities.load()["mask.check"]
    coverage = call(world, "mask.check", filled, tmp_path)
    masked = {each.column: each.kind for each in coverage.columns if each.state == "masked"}
    assert masked == {
        "public.account.accountId": "token",
        "public.account.accessToken": "token",
        "public.account.password": "token",
        "public.session.token": "token",
        "public.session.ipAddress": "ip",
        "public.session.userAgent": "text",
        "public.ticket.body": "text",
        "public.ticket.email": "email",
        "public.user.name": "name",
        "public.user.email": "email",
        "public.user.image": "url",
    }
    assert check.findings(coverage) == 0
    assert "11 masked" in coverage.as_text(80)
    with world.client() as client:
        assert [each.name for each in client.branches(filled.id)] == ["main"]


def test_every_database_is_masked_as_it_was_at_a_point(world: World, filled: Project) -> None:
    with world.client() as client:
        main = client.default_branch(filled)
        client.create_database(filled.id, main.id, "second", "neondb_owner")
        with inside(client, filled, main.id, "second") as session:
            session.execute(trusted(f"create table lead as select '{MARK}@x.com' as email"))
            point = session.execute("select pg_current_wal_flush_lsn()::text as lsn").fetchone()
            session.execute("insert into lead values ('later@x.com')")
        assert point is not None
        ctx = world.context(filled.name)
        masked = anonymised_branch(client, ctx, filled, main, "safe", lsn=point["lsn"])
        with inside(client, filled, masked.made.branch.id, "second") as session:
            (row,) = session.execute("select email from lead").fetchall()
    assert row["email"].endswith(".example.com")
    assert masked.rows == 500 * 3 + 2000 + 1
    assert {each.database for each in masked.coverage.columns} == {"neondb", "second"}


def test_what_goes_wrong_in_the_middle_leaves_no_branch(world: World, filled: Project) -> None:
    with world.client() as client:
        main = client.default_branch(filled)
        with inside(client, filled, main.id) as session:
            session.execute(
                trusted(f"""alter table "user" add constraint house check (email like '%@{MARK}.com')""")
            )
        with pytest.raises(ConflictProblem, match=r"Masked rows of public\.user do not fit house"):
            anonymised_branch(client, world.context(filled.name), filled, main, "safe")
        assert [each.name for each in client.branches(filled.id)] == ["main"]


def test_the_plan_names_what_will_be_touched(world: World, filled: Project) -> None:
    ctx = world.context(filled.name)
    ctx.dry_run = True
    plan = capabilities.load()["branch.create"].call(ctx, {"name": "safe", "anonymised": True})
    assert isinstance(plan, Plan)
    assert any("root with the schema alone" in step for step in plan.steps)
    with world.client() as client:
        assert [each.name for each in client.branches(filled.id)] == ["main"]
