"""What computes are given: sizes, settings, libraries, extensions, rights."""

from __future__ import annotations

import psycopg
import pytest

from neondba.core.problem import ArgumentProblem
from neondba.local.api.call import Refusal


@pytest.fixture(scope="module")
def made(inside):
    found = inside.project()
    ids = {"project_id": found["project"]["id"], "endpoint_id": found["endpoints"][0]["id"]}
    return {**ids, "branch_id": found["branch"]["id"]}


def _patch(inside, made, **options):
    path = {name: made[name] for name in ("project_id", "endpoint_id")}
    shown = inside.call("updateProjectEndpoint", {"endpoint": options}, **path)
    inside.settled(made["project_id"])
    return shown


def _shown(inside, made, name):
    with inside.sql(made["branch_id"]) as connection:
        return connection.execute(f"show {name}").fetchone()[0]


@pytest.mark.shows("compute.fixed-settings")
def test_what_neon_fixes_is_fixed(inside, made):
    fixed = {
        "max_connections": "104",
        "superuser_reserved_connections": "7",
        "max_worker_processes": "12",
        "max_parallel_workers": "8",
        "max_wal_senders": "10",
        "max_replication_slots": "10",
        "wal_sender_timeout": "10s",
        "wal_level": "replica",
        "idle_in_transaction_session_timeout": "5min",
        "client_connection_check_interval": "1min",
        "password_encryption": "scram-sha-256",
        "log_connections": "on",
        "restart_after_crash": "off",
        "shared_preload_libraries": "pg_stat_statements",
    }
    assert {name: _shown(inside, made, name) for name in fixed} == fixed


@pytest.mark.parametrize(
    "statement",
    [
        "alter system set work_mem = '8MB'",
        "set log_statement = 'all'",
        "create tablespace t location '/tmp/t'",
    ],
)
@pytest.mark.shows("compute.fixed-settings", "compute.superuser-matters")
def test_an_owner_changes_only_what_users_may(inside, made, statement):
    with inside.sql(made["branch_id"]) as connection:
        connection.execute("set work_mem = '8MB'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_changed_size_restarts_an_awake_compute_and_a_changed_timeout_does_not(inside, made):
    inside.plane.computes.start(made["branch_id"])
    shown = _patch(inside, made, autoscaling_limit_min_cu=1, autoscaling_limit_max_cu=2)
    assert [each["action"] for each in shown["operations"]] == ["suspend_compute", "start_compute"]
    assert _shown(inside, made, "max_connections") == "839"
    assert _patch(inside, made, suspend_timeout_seconds=600)["operations"] == []
    shown = _patch(inside, made, autoscaling_limit_min_cu=0.25, autoscaling_limit_max_cu=0.25)
    assert (shown["endpoint"]["suspend_timeout_seconds"], len(shown["operations"])) == (600, 2)


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.3), (1, 10), (2, 1), (17, 17)])
def test_a_size_that_neon_does_not_have_is_refused(inside, made, low, high):
    with pytest.raises(Refusal) as refused:
        _patch(inside, made, autoscaling_limit_min_cu=low, autoscaling_limit_max_cu=high)
    assert refused.value.status == 400


def test_an_endpoint_takes_what_it_does_not_say_from_its_project(inside):
    defaults = {"autoscaling_limit_min_cu": 1, "autoscaling_limit_max_cu": 4, "suspend_timeout_seconds": 900}
    body = {"project": {"name": "big", "default_endpoint_settings": defaults}}
    project_id = inside.call("createProject", body)["project"]["id"]
    inside.settled(project_id)
    endpoint = inside.branch(project_id, "dev")["endpoints"][0]
    assert defaults.items() <= endpoint.items()
    wanted = {"branch_id": endpoint["branch_id"], "type": "read_only", "autoscaling_limit_max_cu": 16}
    body = {"endpoint": wanted}
    with pytest.raises(ArgumentProblem):
        inside.call("createProjectEndpoint", body, project_id=project_id)


def test_an_endpoints_own_settings_reach_its_compute(inside, made):
    _patch(inside, made, settings={"pg_settings": {"work_mem": "12MB"}})
    assert _shown(inside, made, "work_mem") == "12MB"
    _patch(inside, made, settings={"preload_libraries": {"enabled_libraries": ["auto_explain"]}})
    assert _shown(inside, made, "shared_preload_libraries") == "auto_explain"
    assert _shown(inside, made, "work_mem") == "12MB"
    _patch(inside, made, settings={"preload_libraries": {"use_defaults": True}, "pg_settings": {}})
    assert _shown(inside, made, "shared_preload_libraries") == "pg_stat_statements"


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"pg_settings": {"no_such_setting": "1"}}, "unrecognized"),
        ({"pg_settings": {"wal_level": "logical"}}, "cannot be changed"),
        ({"pg_settings": {"work_mem": "much"}}, "invalid value"),
        ({"preload_libraries": {"enabled_libraries": ["timescaledb"]}}, "not available"),
    ],
)
@pytest.mark.shows("compute.fixed-settings")
def test_settings_that_a_compute_cannot_have_are_refused(inside, made, settings, word):
    with pytest.raises(Refusal, match=word) as refused:
        _patch(inside, made, settings=settings)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "name", ["vector", "pg_stat_statements", "postgres_fdw", "dblink", "pgstattuple", "neon", "hstore"]
)
@pytest.mark.shows("compute.extensions")
def test_an_owner_creates_the_extensions_that_neon_has(inside, made, name):
    with inside.sql(made["branch_id"]) as connection:
        connection.execute(f"create extension {name}")


def test_statements_are_counted_and_may_be_reset(inside, made):
    with inside.sql(made["branch_id"]) as connection:
        connection.execute("create extension if not exists pg_stat_statements")
        connection.execute("select 'counted'")
        assert connection.execute("select count(*) > 0 from pg_stat_statements").fetchone() == (True,)
        connection.execute("select pg_stat_statements_reset()")


@pytest.mark.shows("compute.neon-extension")
def test_the_command_lines_cache_questions_are_answered(inside, made):
    with inside.sql(made["branch_id"]) as connection:
        connection.execute("create extension if not exists neon")
        query = "select lfc_key from neon_get_lfc_stats() as t (lfc_key text, lfc_value bigint)"
        assert ("file_cache_hits",) in connection.execute(query).fetchall()
        query = "select pg_size_bytes(current_setting('neon.file_cache_size_limit'))"
        assert connection.execute(query).fetchone() == (96 << 20,)
        query = "select approximate_working_set_size_seconds(60)::bigint * 8192"
        assert connection.execute(query).fetchone() == (None,)


def test_a_role_made_by_sql_has_none_of_the_owners_rights(inside, made):
    with inside.sql(made["branch_id"]) as connection:
        connection.execute("create role plain login")
        query = "select rolcreatedb or rolcreaterole or rolbypassrls or rolreplication from pg_roles"
        assert connection.execute(query + " where rolname = 'plain'").fetchone() == (False,)
        query = "select pg_has_role('plain', 'neon_superuser', 'member')"
        assert connection.execute(query).fetchone() == (False,)


@pytest.mark.shows("compute.forgets")
def test_unlogged_rows_and_statistics_do_not_outlive_a_compute(inside, made):
    with inside.sql(made["branch_id"]) as connection:
        connection.execute("create table kept as select 1 as one")
        connection.execute("create unlogged table lost (id bigint primary key)")
        connection.execute("insert into lost values (1)")
    inside.plane.computes.stop(made["branch_id"])
    with inside.sql(made["branch_id"]) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (1,)
        assert connection.execute("select count(*) from lost").fetchone() == (0,)
        connection.execute("insert into lost values (1)")
        query = "select seq_scan from pg_stat_user_tables where relname = 'lost'"
        assert connection.execute(query).fetchone()[0] <= 1
