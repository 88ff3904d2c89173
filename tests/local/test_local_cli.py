"""Neon's official command line, unchanged, against the local Neon."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest


@pytest.fixture(scope="module")
def neon(official):
    return official.answer


@pytest.fixture(scope="module")
def api(server):
    """Ask the API itself: what a command has done is checked without another command."""

    def ask(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)
        with closing(connection):
            connection.request(
                method, "/api/v2" + path, body and json.dumps(body), {"Authorization": "Bearer any"}
            )
            answer = connection.getresponse()
            assert answer.status < 300, answer.read()
            return json.loads(answer.read())

    return ask


@pytest.fixture(scope="module")
def project(neon):
    return neon("projects", "create", "--name", "shop")


@pytest.fixture(scope="module")
def base(project):
    return f"/projects/{project['project']['id']}"


@pytest.fixture(scope="module")
def on(neon, project):
    def run(*words, alone=False):
        said = neon("--project-id", project["project"]["id"], *words, alone=alone)
        return said.strip() if isinstance(said, str) else said

    return run


@pytest.fixture(scope="module")
def staff(api, base):
    """A branch for the tests that change roles and databases."""
    body = {"branch": {"name": "staff"}, "endpoints": [{"type": "read_write"}]}
    return api("POST", base + "/branches", body)["branch"]["id"]


def test_a_project_is_created_with_a_connection_string_that_works(project):
    with psycopg.connect(project["connection_uris"][0]["connection_uri"]) as connection:
        row = connection.execute("select current_user, current_database()").fetchone()
    assert row == ("neondb_owner", "neondb")


def test_projects_are_listed_and_shown(neon, project):
    listed = neon("projects", "list")
    assert project["project"]["id"] in [each["id"] for each in listed["projects"]]
    assert neon("projects", "get", project["project"]["id"])["name"] == "shop"


def test_branches_live_their_whole_life(on, api, base):
    made = on("branches", "create", "--name", "dev")["branch"]
    assert made["name"] == "dev"
    assert {"dev", "main"} <= {each["name"] for each in on("branches", "list")}
    on("branches", "rename", "dev", "work")
    assert api("GET", f"{base}/branches/{made['id']}")["branch"]["name"] == "work"
    until = (datetime.now(UTC) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    on("branches", "set-expiration", "work", "--expires-at", until)
    assert on("branches", "get", "work")["expires_at"] == until
    on("branches", "delete", "work")
    assert made["id"] not in [each["id"] for each in api("GET", base + "/branches")["branches"]]


def test_another_branch_can_become_the_default(on, api, base):
    (main,) = [each["id"] for each in api("GET", base + "/branches")["branches"] if each["default"]]
    made = api("POST", base + "/branches", {"branch": {"name": "next"}})["branch"]["id"]
    on("branches", "set-default", "next")
    assert api("GET", f"{base}/branches/{made}")["branch"]["default"] is True
    api("POST", f"{base}/branches/{main}/set_as_default")


def test_a_branch_holds_its_parents_rows(on, project):
    parent = project["connection_uris"][0]["connection_uri"]
    with psycopg.connect(parent, autocommit=True) as connection:
        connection.execute("create table items as select generate_series(1, 10) as n")
        copy = on("branches", "create", "--name", "copy")["connection_uris"][0]["connection_uri"]
        connection.execute("delete from items")
    with psycopg.connect(copy) as connection:
        assert connection.execute("select count(*) from items").fetchone() == (10,)


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_the_printed_string_works_with_psql(on):
    done = subprocess.run(
        ["psql", on("connection-string", "main"), "-Atc", "select 6 * 7"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "42"


def test_the_command_lines_own_psql_connects(on):
    query = ("-Atc", "select 6 * 7")
    said = on("connection-string", "main", "--psql", "--fallback", "--", *query, alone=True)
    assert "42" in said


@pytest.mark.shows("api.host")
def test_a_pooled_string_names_the_pooler_and_connects(on):
    pooled = on("connection-string", "main", "--pooled")
    assert "-pooler" in pooled
    with psycopg.connect(pooled) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_roles_and_databases_are_created_and_used(on, staff):
    on("roles", "create", "--name", "app", "--branch", staff)
    assert [each["name"] for each in on("roles", "list", "--branch", staff)] == ["neondb_owner", "app"]
    on("databases", "create", "--name", "stock", "--owner-name", "app", "--branch", staff)
    assert [each["name"] for each in on("databases", "list", "--branch", staff)] == ["neondb", "stock"]
    string = on("connection-string", staff, "--role-name", "app", "--database-name", "stock")
    with psycopg.connect(string) as connection:
        assert connection.execute("select current_user").fetchone() == ("app",)


def test_a_reset_password_lets_in_the_new_one_only(neon, api, base, staff):
    query = f"{base}/connection_uri?branch_id={staff}&role_name=neondb_owner&database_name=neondb"
    old = api("GET", query)["uri"]
    path = f"{base}/branches/{staff}/roles/neondb_owner/reset_password"
    answer = neon("api", path, "-X", "POST")
    assert answer["role"]["password"] not in old
    with psycopg.connect(api("GET", query)["uri"]) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old)


def test_operations_are_listed(on):
    found = on("operations", "list")
    assert found[-1]["action"] == "create_timeline"
    assert found[-1]["status"] == "finished"


def test_the_user_and_the_organization_are_shown(neon):
    assert neon("me")["login"] == "local"
    assert [each["name"] for each in neon("orgs", "list")] == ["Local"]


def test_a_project_is_deleted(neon, api):
    made = api("POST", "/projects", {"project": {"name": "short-lived"}})["project"]["id"]
    neon("projects", "delete", made)
    assert made not in [each["id"] for each in api("GET", "/projects")["projects"]]


def test_a_missing_branch_is_refused_in_neons_words(on):
    with pytest.raises(AssertionError, match="Branch nowhere not found"):
        on("branches", "get", "nowhere")
