"""Roles and databases get what Neon gives them."""

from __future__ import annotations

import psycopg
import pytest

from neondba.local.api.call import Refusal


@pytest.fixture(scope="module")
def made(inside):
    return inside.project()


@pytest.mark.shows("roles.rights")
def test_a_role_made_through_the_api_bypasses_row_level_security_itself(inside, made):
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    path = {"project_id": project_id, "branch_id": branch_id}
    inside.call("createProjectBranchRole", {"role": {"name": "app"}}, **path)
    inside.settled(project_id)
    with inside.sql(branch_id) as connection:
        found = connection.execute(
            "select rolname, rolbypassrls, rolsuper, rolcreatedb, rolcreaterole, rolreplication,"
            " pg_has_role(oid, 'neon_superuser', 'member') from pg_roles"
            " where rolname in ('app', 'neondb_owner') order by 1"
        ).fetchall()
    assert found == [(name, True, False, True, True, True, True) for name in ("app", "neondb_owner")]


@pytest.mark.shows("roles.rights")
def test_a_role_made_by_sql_gets_none_of_it(inside, made):
    with inside.sql(made["branch"]["id"]) as connection:
        connection.execute("create role plain login password 'long-enough-word'")
        found = connection.execute(
            "select rolbypassrls, pg_has_role(oid, 'neon_superuser', 'member') from pg_roles"
            " where rolname = 'plain'"
        ).fetchone()
    assert found == (False, False)
    verifier = inside.plane.directory.verifier(made["endpoints"][0]["id"], "plain")
    assert verifier is not None
    assert verifier.startswith("SCRAM-SHA-256$4096:")


@pytest.mark.shows("roles.superuser")
def test_an_api_role_is_no_superuser(inside, made):
    with inside.sql(made["branch"]["id"]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("alter system set fsync = off")


@pytest.mark.shows("roles.superuser")
def test_nobody_logs_in_as_the_superuser(inside, made):
    assert inside.plane.directory.verifier(made["endpoints"][0]["id"], "cloud_admin") is None


def test_the_public_schema_belongs_to_the_databases_owner(inside, made):
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    path = {"project_id": project_id, "branch_id": branch_id}
    inside.call("createProjectBranchRole", {"role": {"name": "keeper"}}, **path)
    body = {"database": {"name": "archive", "owner_name": "keeper"}}
    inside.call("createProjectBranchDatabase", body, **path)
    inside.settled(project_id)
    compute = inside.plane.computes.start(branch_id)
    owners = {}
    for database in ("neondb", "archive"):
        with compute.admin(database) as connection:
            query = "select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'public'"
            owners[database] = connection.execute(query).fetchone()[0]
    assert owners == {"neondb": "neondb_owner", "archive": "keeper"}


def test_a_project_may_name_its_first_role_and_database(inside):
    made = inside.project(name="trunk", role_name="Alice O'Neil", database_name="shop db")
    compute = inside.plane.computes.start(made["branch"]["id"])
    with psycopg.connect(
        host=str(compute.place.sockets), user="Alice O'Neil", dbname="shop db"
    ) as connection:
        assert connection.execute("select current_user").fetchone() == ("Alice O'Neil",)
    assert made["branch"]["name"] == "trunk"
    verifier = inside.plane.directory.verifier(made["endpoints"][0]["id"], "Alice O'Neil")
    assert verifier is not None


@pytest.mark.parametrize("name", ["postgres", "template0", "TEMPLATE1", "pg_x"])
@pytest.mark.shows("roles.names")
def test_reserved_database_names_are_refused(inside, made, name):
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    body = {"database": {"name": name, "owner_name": "neondb_owner"}}
    with pytest.raises(Refusal, match="is reserved"):
        inside.call("createProjectBranchDatabase", body, **path)
    with pytest.raises(Refusal, match="is reserved"):
        inside.call("createProject", {"project": {"branch": {"database_name": name}}})


def test_a_deleted_role_leaves_its_tables_to_the_databases_owner(inside, made):
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    path = {"project_id": project_id, "branch_id": branch_id}
    inside.call("createProjectBranchRole", {"role": {"name": "leaver"}}, **path)
    inside.settled(project_id)
    with inside.sql(branch_id) as connection:
        connection.execute("grant create on schema public to leaver")
    with inside.sql(branch_id, "leaver") as connection:
        connection.execute("create table left_behind ()")
    inside.call("deleteProjectBranchRole", role_name="leaver", **path)
    inside.settled(project_id)
    with inside.sql(branch_id) as connection:
        found = connection.execute(
            "select tableowner from pg_tables where tablename = 'left_behind'"
        ).fetchone()
        gone = connection.execute("select 1 from pg_roles where rolname = 'leaver'").fetchone()
    assert (found, gone) == (("neondb_owner",), None)


def test_a_new_password_replaces_the_old_verifier(inside, made):
    endpoint, path = made["endpoints"][0]["id"], {"project_id": made["project"]["id"]}
    path["branch_id"] = made["branch"]["id"]
    before = inside.plane.directory.verifier(endpoint, "neondb_owner")
    shown = inside.call("resetProjectBranchRolePassword", role_name="neondb_owner", **path)
    inside.settled(path["project_id"])
    assert inside.plane.directory.verifier(endpoint, "neondb_owner") != before
    revealed = inside.call("getProjectBranchRolePassword", role_name="neondb_owner", **path)
    assert revealed == {"password": shown["role"]["password"]}


@pytest.mark.parametrize("name", ["neon_superuser", "cloud_admin", "PG_x", "", "x" * 64])
@pytest.mark.shows("roles.names")
def test_reserved_and_unusable_role_names_are_refused(inside, made, name):
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    with pytest.raises(Refusal) as refused:
        inside.call("createProjectBranchRole", {"role": {"name": name}}, **path)
    assert refused.value.status == 400
