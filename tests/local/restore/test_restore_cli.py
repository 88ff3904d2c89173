"""Neon's official command line restores, snapshots, schedules and recovers, unchanged."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest


@pytest.fixture(scope="module")
def neon(official):
    return official.answer


@pytest.fixture(scope="module")
def shop(neon):
    """A project whose main has one row."""
    made = neon("projects", "create", "--name", "shop")
    string = made["connection_uris"][0]["connection_uri"]
    with psycopg.connect(string, autocommit=True) as session:
        session.execute("create table t as select 1 as n")
    return made["project"]["id"], string


@pytest.fixture(scope="module")
def on(neon, shop, server):
    def run(*words):
        answer = neon("--project-id", shop[0], *words)
        _settled(server, shop[0])
        return answer

    return run


def _settled(server, project_id):
    """Wait for the operations that an answer leaves behind, as the command line leaves it to its users."""
    for _ in range(400):
        with closing(http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)) as connection:
            path = f"/api/v2/projects/{project_id}/operations?limit=100"
            connection.request("GET", path, headers={"Authorization": "Bearer any"})
            found = json.loads(connection.getresponse().read())["operations"]
        if all(each["status"] not in ("scheduling", "running") for each in found):
            assert [each for each in found if each["status"] == "failed"] == []
            return


def rows(string):
    with psycopg.connect(string) as session:
        return [row[0] for row in session.execute("select n from t order by n")]


def test_a_branch_is_reset_and_restored_from_its_parent(on, shop):
    string = on("branches", "create", "--name", "dev")["connection_uris"][0]["connection_uri"]
    with psycopg.connect(string, autocommit=True) as session:
        session.execute("insert into t values (2)")
    assert rows(string) == [1, 2]
    assert on("branches", "reset", "dev", "--parent")["last_reset_at"]
    assert rows(string) == [1]
    with psycopg.connect(string, autocommit=True) as session:
        session.execute("insert into t values (3)")
    on("branches", "restore", "dev", "^parent", "--preserve-under-name", "dev kept")
    assert rows(string) == [1]
    assert {"dev", "dev kept", "main"} <= {each["name"] for each in on("branches", "list")}


def test_a_branch_is_restored_to_its_own_past(on):
    string = on("branches", "create", "--name", "past")["connection_uris"][0]["connection_uri"]
    with psycopg.connect(string, autocommit=True) as session:
        session.execute("insert into t values (2)")
        (place,) = session.execute("select pg_current_wal_flush_lsn()::text").fetchone()
        session.execute("insert into t values (3)")
    answer = on("branches", "restore", "past", f"^self@{place}", "--preserve-under-name", "past kept")
    assert rows(string) == [1, 2]
    assert "past kept" in json.dumps(answer)
    with pytest.raises(AssertionError, match="preserve_under_name is required"):
        on("branches", "restore", "past", f"^self@{place}")


def test_snapshots_are_taken_listed_and_put_in_place(on, shop):
    _, string = shop
    made = on("snapshots", "create", "--branch", "main", "--name", "first")
    assert made["name"] == "first"
    with psycopg.connect(string, autocommit=True) as session:
        session.execute("insert into t values (9)")
    assert [each["id"] for each in on("snapshots", "list")] == [made["id"]]
    assert on("snapshots", "update", "first", "--name", "better")["name"] == "better"
    until = datetime(datetime.now(UTC).year + 1, 1, 1, tzinfo=UTC).isoformat()
    assert on("snapshots", "update", "better", "--expires-at", until)["expires_at"]
    on("snapshots", "restore", "better", "--name", "look")
    assert rows(string) == [1, 9]
    on("snapshots", "finalize", "look")
    assert rows(string) == [1]
    names = {each["name"] for each in on("branches", "list")}
    assert {"main", "main (old)"} <= names
    assert "look" not in names
    on("snapshots", "restore", "better", "--target-branch", "main", "--finalize")
    assert rows(string) == [1]
    on("snapshots", "delete", "better")
    assert on("snapshots", "list") == []


def test_a_schedule_is_set_and_shown(on):
    on("snapshots", "schedule", "set", "--branch", "main", "--frequency", "daily", "--hour", "3")
    shown = on("snapshots", "schedule", "get", "--branch", "main")
    assert shown == [{"frequency": "daily", "hour": 3}]


def test_a_deleted_project_is_recovered(neon):
    made = neon("projects", "create", "--name", "lost")
    project_id, string = made["project"]["id"], made["connection_uris"][0]["connection_uri"]
    neon("projects", "delete", project_id)
    found = neon("projects", "list", "--recoverable-only")
    listed = found if isinstance(found, list) else found["projects"]
    assert [each["id"] for each in listed] == [project_id]
    neon("projects", "recover", project_id)
    with psycopg.connect(string) as session:
        assert session.execute("select 1").fetchone() == (1,)
