"""Roles and databases that SQL made, new names, and passwords that are not kept."""

from __future__ import annotations

import psycopg
import pytest

from neondba.local.api.call import Refusal
from neondba.local.proxy.scram import Verifier
from neondba.local.state.tables import DatabaseRow, OperationRow, RoleRow


@pytest.fixture
def made(inside):
    return inside.project()


@pytest.fixture
def path(made):
    return {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}


def names(inside, path, what):
    listed = inside.call(f"listProjectBranch{what.capitalize()}", **path)[what]
    return [each["name"] for each in listed]


def test_what_sql_makes_renames_and_drops_is_listed_so(inside, path):
    with inside.sql(path["branch_id"]) as connection:
        connection.execute("create role reader")
        connection.execute("create database stock")
        assert names(inside, path, "roles") == ["neondb_owner", "reader"]
        assert names(inside, path, "databases") == ["neondb", "stock"]
        connection.execute("alter role reader rename to auditor")
        connection.execute("alter role auditor login")
        connection.execute("alter database stock rename to goods")
        connection.execute("drop role auditor")
        connection.execute("create role auditor login")
    shown = inside.call("getProjectBranchRole", role_name="auditor", **path)["role"]
    assert shown["authentication_method"] == "password"
    base = inside.call("getProjectBranchDatabase", database_name="goods", **path)["database"]
    assert base["owner_name"] == "neondb_owner"
    assert sorted(names(inside, path, "databases")) == ["goods", "neondb"]
    with inside.plane.state.read() as rows:
        done = rows.all(OperationRow, project_id=path["project_id"], action="sync_dbs_and_roles_from_compute")
    assert {row.status for row in done} == {"finished"}


def test_a_sleeping_branch_lists_what_was_last_known(inside, path):
    with inside.sql(path["branch_id"]) as connection:
        connection.execute("create role late")
    inside.plane.computes.stop(path["branch_id"])
    assert names(inside, path, "roles") == ["neondb_owner"]
    inside.plane.computes.start(path["branch_id"])
    assert names(inside, path, "roles") == ["neondb_owner", "late"]


def test_a_role_made_by_sql_has_no_password_to_show_until_it_is_reset(inside, path):
    with inside.sql(path["branch_id"]) as connection:
        connection.execute("create role plain login")
    with pytest.raises(Refusal, match="made by SQL") as refused:
        inside.call("getProjectBranchRolePassword", role_name="plain", **path)
    assert refused.value.status == 412
    inside.call("resetProjectBranchRolePassword", role_name="plain", **path)
    inside.settled(path["project_id"])
    assert inside.call("getProjectBranchRolePassword", role_name="plain", **path)["password"]


def test_a_name_that_sql_took_is_taken(inside, path):
    with inside.sql(path["branch_id"]) as connection:
        connection.execute("create role reader")
        connection.execute("create database stock")
    for call, body in (
        ("createProjectBranchRole", {"role": {"name": "reader"}}),
        ("createProjectBranchDatabase", {"database": {"name": "stock", "owner_name": "neondb_owner"}}),
    ):
        with pytest.raises(Refusal) as refused:
            inside.call(call, body, **path)
        assert refused.value.status == 409


def test_a_database_gets_another_name_and_its_connections_end(inside, path):
    with inside.sql(path["branch_id"]) as connection:
        connection.execute("create table kept (n int)")
        body = {"database": {"name": "shop's db"}}
        inside.call("updateProjectBranchDatabase", body, database_name="neondb", **path)
        inside.settled(path["project_id"])
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    assert names(inside, path, "databases") == ["shop's db"]
    sockets = inside.plane.computes.start(path["branch_id"]).place.sockets
    with psycopg.connect(host=str(sockets), user="neondb_owner", dbname="shop's db") as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_a_deleted_database_ends_its_connections(inside, path):
    body = {"database": {"name": "gone", "owner_name": "neondb_owner"}}
    inside.call("createProjectBranchDatabase", body, **path)
    inside.settled(path["project_id"])
    sockets = inside.plane.computes.start(path["branch_id"]).place.sockets
    with psycopg.connect(host=str(sockets), user="neondb_owner", dbname="gone") as connection:
        made = inside.call("deleteProjectBranchDatabase", database_name="gone", **path)
        inside.settled(path["project_id"])
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    wanted = {"project_id": path["project_id"], "operation_id": made["operations"][0]["id"]}
    assert inside.call("getProjectOperation", **wanted)["operation"]["status"] == "finished"
    assert "gone" not in names(inside, path, "databases")


def test_a_database_keeps_its_name_where_the_new_one_cannot_be(inside, path):
    body = {"database": {"name": "stock", "owner_name": "neondb_owner"}}
    inside.call("createProjectBranchDatabase", body, **path)
    for name, status in (("stock", 409), ("template1", 400), ("x" * 64, 400)):
        with pytest.raises(Refusal) as refused:
            inside.call(
                "updateProjectBranchDatabase", {"database": {"name": name}}, database_name="neondb", **path
            )
        assert refused.value.status == status
    inside.settled(path["project_id"])


def test_a_rename_that_fails_is_taken_back(inside, path):
    with inside.sql(path["branch_id"]) as connection:
        connection.execute("create database unseen")
    inside.plane.computes.stop(path["branch_id"])
    body = {"database": {"name": "unseen"}}
    inside.call("updateProjectBranchDatabase", body, database_name="neondb", **path)
    inside.settled(path["project_id"])
    with inside.plane.state.read() as rows:
        assert [row.name for row in rows.all(DatabaseRow, branch_id=path["branch_id"])] == ["neondb"]


def test_a_project_that_stores_no_passwords_shows_each_once(inside):
    made = inside.call("createProject", {"project": {"name": "strict", "store_passwords": False}})
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    inside.settled(path["project_id"])
    assert made["project"]["store_passwords"] is False
    shown = [made["roles"][0]["password"]]
    assert shown[0] in made["connection_uris"][0]["connection_uri"]
    role = inside.call("createProjectBranchRole", {"role": {"name": "app"}}, **path)["role"]
    inside.settled(path["project_id"])
    shown.append(role["password"])
    with inside.plane.state.read() as rows:
        kept = {row.name: row.password for row in rows.all(RoleRow, branch_id=path["branch_id"])}
    for name, password in zip(("neondb_owner", "app"), shown, strict=True):
        with pytest.raises(Refusal, match="Storing passwords is disabled") as refused:
            inside.call("getProjectBranchRolePassword", role_name=name, **path)
        assert refused.value.status == 412
        # Each may have a salt of its own: the compute can be given the password before it is sealed here.
        for held in (kept[name], inside.plane.directory.verifier(made["endpoints"][0]["id"], name)):
            assert Verifier.parse(held).fits(password)


def test_a_branch_has_at_most_five_hundred_roles_and_databases(inside, path, made):
    now = made["branch"]["created_at"]
    inside.plane.computes.stop(path["branch_id"])
    with inside.plane.state.change() as rows:
        for number in range(499):
            where = {"branch_id": path["branch_id"], "created_at": now, "updated_at": now}
            rows.add(RoleRow(name=f"r{number}", password="", **where))
            rows.add(DatabaseRow(name=f"d{number}", owner_name="neondb_owner", **where))
    for call, body in (
        ("createProjectBranchRole", {"role": {"name": "more"}}),
        ("createProjectBranchDatabase", {"database": {"name": "more", "owner_name": "neondb_owner"}}),
    ):
        with pytest.raises(Refusal, match="at most 500") as refused:
            inside.call(call, body, **path)
        assert refused.value.status == 422


def test_a_password_changed_by_sql_is_not_shown_as_it_was(inside, path):
    shown = inside.call("getProjectBranchRolePassword", role_name="neondb_owner", **path)["password"]
    with inside.sql(path["branch_id"]) as connection:
        connection.execute("alter role neondb_owner password 'another-long-word-1'")
        with pytest.raises(Refusal, match="changed by SQL") as refused:
            inside.call("getProjectBranchRolePassword", role_name="neondb_owner", **path)
    assert refused.value.status == 412
    new = inside.call("resetProjectBranchRolePassword", role_name="neondb_owner", **path)["role"]["password"]
    inside.settled(path["project_id"])
    revealed = inside.call("getProjectBranchRolePassword", role_name="neondb_owner", **path)["password"]
    assert revealed == new != shown
