"""Branches with a schema and no rows."""

from __future__ import annotations

import psycopg
import pytest

from neondba.local.api.call import Refusal
from neondba.local.api.schema_only import MOST_ROOTS
from neondba.local.control.dumps import schema
from neondba.local.state.tables import BranchRow, OperationRow, TimelineRow

ONE_COMPUTE = [{"type": "read_write"}]


@pytest.fixture(scope="module")
def made(inside):
    made = inside.project()
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    inside.call("createProjectBranchRole", {"role": {"name": "app"}}, **path)
    body = {"database": {"name": "the 'stock'", "owner_name": "app"}}
    inside.call("createProjectBranchDatabase", body, **path)
    inside.settled(path["project_id"])
    with inside.sql(path["branch_id"]) as connection:
        for statement in FURNITURE:
            connection.execute(statement)
    return made


FURNITURE = (
    "create extension pg_trgm",
    "create role reader login",
    "alter role reader set statement_timeout = '5s'",
    "alter role reader in database neondb set search_path = shop",
    "alter database neondb set work_mem = '7MB'",
    "create schema shop",
    "create table shop.items (id bigserial primary key, name text unique, tenant text)",
    "insert into shop.items (name) values ('one'), ('two')",
    "alter table shop.items enable row level security",
    "create policy own on shop.items to reader using (tenant = current_user)",
    "grant usage on schema shop to reader",
    "grant select on shop.items to reader",
    "alter default privileges in schema shop grant select on tables to reader",
    "create materialized view shop.totals as select count(*) from shop.items",
    "create publication items for table shop.items",
)


@pytest.fixture(scope="module")
def bare(inside, made):
    project_id = made["project"]["id"]
    branch = {"name": "bare", "init_source": "schema-only"}
    body = {"branch": branch, "endpoints": ONE_COMPUTE}
    answer = inside.call("createProjectBranch", body, project_id=project_id)
    inside.settled(project_id)
    return answer


@pytest.mark.shows("schema.schema-only")
def test_it_is_a_root_without_a_parent(inside, made, bare):
    shown = inside.call("getProjectBranch", project_id=made["project"]["id"], branch_id=bare["branch"]["id"])[
        "branch"
    ]
    assert "parent_id" not in shown
    assert (shown["init_source"], shown["current_state"]) == ("schema-only", "ready")
    assert [each["action"] for each in bare["operations"]] == ["apply_schema_from_branch", "start_compute"]
    assert {each["name"] for each in bare["databases"]} == {"neondb", "the 'stock'"}


@pytest.mark.shows("schema.schema-only")
def test_every_database_has_the_same_schema_and_settings(inside, made, bare):
    computes = [
        inside.plane.computes.start(inside.timeline(branch))
        for branch in (made["branch"]["id"], bare["branch"]["id"])
    ]
    for base in ("neondb", "the 'stock'", "postgres"):
        first, second = (schema(compute, base) for compute in computes)
        assert first == second
    assert "CREATE POLICY own ON shop.items" in schema(computes[1], "neondb")
    settings = (
        "select coalesce(d.datname, '-'), coalesce(r.rolname, '-'), s.setconfig from pg_db_role_setting s"
        " left join pg_database d on d.oid = s.setdatabase left join pg_roles r on r.oid = s.setrole"
        " order by 1, 2"
    )
    found = []
    for compute in computes:
        with compute.admin() as admin:
            found.append(admin.execute(settings).fetchall())
    assert found[0] == found[1]
    assert len(found[1]) == 3


def test_it_has_no_rows_and_sequences_begin_anew(inside, bare):
    with inside.sql(bare["branch"]["id"]) as connection:
        assert connection.execute("select count(*) from shop.items").fetchone() == (0,)
        row = connection.execute("insert into shop.items (name) values ('first') returning id").fetchone()
    assert row == (1,)


def test_its_roles_are_the_parents_with_their_passwords(inside, made, bare):
    endpoints = made["endpoints"][0]["id"], bare["endpoints"][0]["id"]
    for role in ("neondb_owner", "app"):
        first, second = (inside.plane.directory.verifier(each, role) for each in endpoints)
        assert first == second is not None
    with inside.sql(bare["branch"]["id"]) as connection:
        row = connection.execute(
            "select rolbypassrls, pg_has_role(oid, 'neon_superuser', 'member') from pg_roles"
            " where rolname = 'app'"
        ).fetchone()
    assert row == (True, True)


def test_it_may_be_deleted_though_it_is_a_root(inside, made):
    project_id = made["project"]["id"]
    body = {"branch": {"name": "gone", "init_source": "schema-only"}, "endpoints": ONE_COMPUTE}
    branch = inside.call("createProjectBranch", body, project_id=project_id)["branch"]["id"]
    inside.settled(project_id)
    inside.call("deleteProjectBranch", query={"hard_delete": "true"}, project_id=project_id, branch_id=branch)
    inside.settled(project_id)
    assert not inside.plane.branches.exists(branch)


@pytest.mark.parametrize("endpoints", [[], ONE_COMPUTE * 2, [{"type": "read_only"}]])
def test_it_needs_one_compute_that_writes(inside, made, endpoints):
    body = {"branch": {"init_source": "schema-only"}, "endpoints": endpoints}
    with pytest.raises(Refusal, match="read_write") as refused:
        inside.call("createProjectBranch", body, project_id=made["project"]["id"])
    assert refused.value.status == 400


@pytest.mark.shows("branch.roots")
def test_a_project_has_a_limit_of_root_branches(inside):
    made = inside.project()
    project_id, now = made["project"]["id"], made["branch"]["created_at"]
    with inside.plane.state.change() as rows:
        for number in range(MOST_ROOTS - 1):
            times = {"project_id": project_id, "created_at": now}
            rows.add(TimelineRow(id=f"root-{number}", **times))
            rows.add(
                BranchRow(
                    id=f"root-{number}",
                    name=f"{number}",
                    timeline_id=f"root-{number}",
                    state_changed_at=now,
                    updated_at=now,
                    **times,
                )
            )
    body = {"branch": {"init_source": "schema-only"}, "endpoints": ONE_COMPUTE}
    with pytest.raises(Refusal, match="at most 25") as refused:
        inside.call("createProjectBranch", body, project_id=project_id)
    assert refused.value.status == 422


def test_a_schema_that_cannot_be_made_leaves_nothing(inside):
    made = inside.project()
    project_id = made["project"]["id"]
    with inside.sql(made["branch"]["id"]) as connection:
        connection.execute(
            "create function twice(int) returns int language sql begin atomic select $1 * 2; end"
        )
        connection.execute("create table t (n int check (twice(n) > 0))")
    compute = inside.plane.computes.start(made["branch"]["id"])
    with compute.admin("neondb") as admin:
        # pg_dump cannot write a function whose language is not there.
        admin.execute("update pg_proc set prolang = 99999 where proname = 'twice'")
    body = {"branch": {"name": "never", "init_source": "schema-only"}, "endpoints": ONE_COMPUTE}
    with pytest.raises((Refusal, AssertionError)):
        inside.call("createProjectBranch", body, project_id=project_id)
    with inside.plane.state.read() as rows:
        assert [row.name for row in rows.all(BranchRow, project_id=project_id)] == ["main"]
        failed = rows.first(OperationRow, project_id=project_id, action="apply_schema_from_branch")
    assert "pg_dump" in failed.error


def test_a_half_made_directory_is_made_again(fresh):
    inside = fresh()
    made = inside.project()
    project_id = made["project"]["id"]
    body = {"branch": {"name": "bare", "init_source": "schema-only"}, "endpoints": ONE_COMPUTE}
    branch = inside.call("createProjectBranch", body, project_id=project_id)["branch"]["id"]
    inside.settled(project_id)
    inside.plane.close()
    folder = inside.plane.branches.folder
    (folder / branch).rename(folder / f"{branch}.part")
    with inside.plane.state.change() as rows:
        for operation in rows.all(OperationRow, branch_id=branch):
            operation.status = "running"
    inside.open()
    inside.settled(project_id)
    with inside.sql(branch) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("select from items")
    assert not (folder / f"{branch}.part").exists()
