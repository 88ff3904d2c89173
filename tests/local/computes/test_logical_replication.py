"""Logical replication: between local projects through the proxy, and with a PostgreSQL that is foreign."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from neondba.local.api.call import Refusal
from neondba.local.computes import additions
from neondba.postgres.scratch import find_binaries, scratch_server

SECRET = "pw-" + "4" * 12
SUBSCRIBER = "user=neondb_owner dbname=neondb replication=database"


@pytest.fixture(scope="module")
def api(server):
    """Ask a local Neon that is a process of its own."""

    def ask(method, path, body=None):
        with closing(http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)) as connection:
            headers = {"Authorization": "Bearer any"}
            connection.request(method, "/api/v2" + path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"null")
            assert answer.status < 300, said
            return said

    return ask


def _project(api, name, **settings):
    made = api("POST", "/projects", {"project": {"name": name, "settings": settings}})
    return made["project"]["id"], made["connection_uris"][0]["connection_uri"], made


def _ask(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


def _until(url, statement, value):
    deadline = time.monotonic() + 90
    while (found := _ask(url, statement)) != value:
        assert time.monotonic() < deadline, f"still {found}"


def _settled(api, project_id):
    deadline = time.monotonic() + 90
    while True:
        found = api("GET", f"/projects/{project_id}/operations")["operations"]
        if all(each["status"] == "finished" for each in found):
            return
        assert time.monotonic() < deadline


def test_enabling_suspends_awake_computes_and_cannot_be_taken_back(inside):
    found = inside.project()
    project_id, branch_id = found["project"]["id"], found["branch"]["id"]
    inside.plane.computes.start(branch_id)
    for enabled, suspended in ((True, ["suspend_compute"]), (True, [])):
        body = {"project": {"settings": {"enable_logical_replication": enabled}}}
        shown = inside.call("updateProject", body, project_id=project_id)
        assert [each["action"] for each in shown["operations"]] == suspended
        inside.settled(project_id)
    assert shown["project"]["settings"]["enable_logical_replication"] is True
    with inside.sql(branch_id) as connection:
        assert connection.execute("show wal_level").fetchone() == ("logical",)
    body = {"project": {"settings": {"enable_logical_replication": False}}}
    with pytest.raises(Refusal, match="cannot be disabled"):
        inside.call("updateProject", body, project_id=project_id)


@pytest.mark.shows("compute.logical-replication", "compute.clones")
def test_a_project_publishes_to_another_through_the_proxy(api):
    source_id, source, origin = _project(api, "source", enable_logical_replication=True)
    target_id, target, made = _project(api, "target")
    _settled(api, source_id)
    _settled(api, target_id)
    for url in (source, target):
        _ask(url, "create table orders (id int primary key)")
    _ask(source, "insert into orders select generate_series(1, 100)")
    _ask(source, "create publication shop for table orders")
    _ask(target, f"create subscription shop connection '{source}' publication shop")
    _until(target, "select count(*) from orders", [(100,)])
    _ask(source, "insert into orders values (101)")
    _until(target, "select count(*) from orders", [(101,)])
    body = {"branch": {"name": "child"}, "endpoints": [{"type": "read_write"}]}
    child = api("POST", f"/projects/{target_id}/branches", body)
    _settled(api, target_id)
    endpoint = child["endpoints"][0]["id"]
    there = target.replace(made["endpoints"][0]["id"], endpoint)
    assert _ask(there, "select count(*) from pg_subscription") == [(0,)]
    assert _ask(there, "select count(*) from orders") == [(101,)]
    assert _ask(there, "show max_logical_replication_workers") == [("4",)]
    assert _ask(target, "select subenabled from pg_subscription") == [(True,)]
    _ask(source, "insert into orders values (102)")
    _until(target, "select count(*) from orders", [(102,)])
    body = {"branch": {"name": "child"}, "endpoints": [{"type": "read_write"}]}
    child = api("POST", f"/projects/{source_id}/branches", body)
    _settled(api, source_id)
    assert _ask(source, "select count(*) from pg_replication_slots where active") == [(1,)]
    there = source.replace(origin["endpoints"][0]["id"], child["endpoints"][0]["id"])
    assert _ask(there, "select count(*) from pg_replication_slots") == [(0,)]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A PostgreSQL that is no Neon's; gives its superuser's URL over TCP, with a password."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="neondba-"))
    folder.chmod(0o755)
    rules = folder / "pg_hba.conf"
    rules.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    rules.chmod(0o644)
    more = additions.settings(find_binaries(), tmp_path_factory.mktemp("additions"))
    settings = {
        "dynamic_library_path": more["dynamic_library_path"],
        "port": str(port),
        "hba_file": str(rules),
    }
    with scratch_server(wal_level="logical", listen_addresses="127.0.0.1", **settings) as own:
        url = f"{own.reveal()}&port={port}"
        _ask(url, f"create role outside superuser login password '{SECRET}'")
        yield f"postgresql://outside:{SECRET}@127.0.0.1:{port}/postgres"
    shutil.rmtree(folder)


def test_a_foreign_postgresql_subscribes_and_publishes(api, foreign):
    project_id, url, _ = _project(api, "both", enable_logical_replication=True)
    _settled(api, project_id)
    for where in (url, foreign):
        _ask(where, "create table outward (id int primary key)")
        _ask(where, "create table inward (id int primary key)")
    _ask(url, "insert into outward values (1)")
    _ask(url, "create publication outward for table outward")
    _ask(foreign, f"create subscription outward connection '{url}&sslcert=/none' publication outward")
    _until(foreign, "select id from outward", [(1,)])
    _ask(foreign, "insert into inward values (2)")
    _ask(foreign, "create publication inward for table inward")
    _ask(url, f"create subscription inward connection '{foreign}' publication inward")
    _until(url, "select id from inward", [(2,)])
    _ask(foreign, "drop subscription outward")
    _ask(url, "drop subscription inward")


@pytest.mark.shows("compute.suspend")
def test_a_subscriber_keeps_its_publishers_compute_awake(inside):
    found = inside.project()
    project_id, branch_id = found["project"]["id"], found["branch"]["id"]
    body = {"project": {"settings": {"enable_logical_replication": True}}}
    inside.call("updateProject", body, project_id=project_id)
    inside.settled(project_id)
    with inside.sql(branch_id) as connection:
        place = connection.info.host
        connection.execute("create publication shop")
        connection.execute("select pg_create_logical_replication_slot('held', 'pgoutput')")
        compute = inside.plane.computes.running(branch_id)
        assert compute.sessions_at_work(0) == 0
        reader = psycopg.pq.PGconn.connect(f"host={place} {SUBSCRIBER}".encode())
        reader.exec_(b"start_replication slot held logical 0/0 (proto_version '1', publication_names 'shop')")
        assert compute.sessions_at_work(0) == 1
        reader.finish()
