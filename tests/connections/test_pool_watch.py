"""Who holds connections, who waits, and how full it is: once, or as a series."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import psycopg
import pytest
from connected import changed

from neondba import capabilities
from neondba.connections import pool_watch
from neondba.core.context import Clock
from neondba.core.operation import find
from neondba.core.problem import NotFoundProblem
from neondba.neon.connection_string import parse


def watch(ctx, **arguments):
    capabilities.load()
    return find("pool.watch").call(ctx, arguments)


@pytest.fixture
def ctx(shop, tmp_path):
    (tmp_path / ".env").write_text(f"DATABASE_URL={shop.pooled}\n")
    return shop.context(tmp_path)


def test_holders_are_counted_by_program_role_and_state_and_saturation_shows_its_formula(shop, ctx):
    with (
        psycopg.connect(changed(shop.url, application_name="web"), autocommit=True) as first,
        psycopg.connect(changed(shop.url, application_name="web"), autocommit=True),
        psycopg.connect(changed(shop.url, application_name="job")) as job,
    ):
        first.execute("select 1")
        job.execute("select 1")
        seen = watch(ctx, wake=True)
        (look,) = seen.looks
        mine = {(each.application, each.state): each.connections for each in look.holders}
        assert mine[("web", "idle")] == 2
        assert mine[("job", "idle in transaction")] == 1
        assert (look.max_connections, look.reserved, look.usable) == (104, 7, 97)
        text = seen.as_text(100)
        assert f"= {look.connections} / (max_connections 104 - 7 reserved)" in text
        assert "idle in transaction" in text
        assert shop.password not in text + seen.model_dump_json()


def test_clients_of_the_pooler_and_their_waits_are_shown_where_its_console_answers(shop, ctx):
    shop.suspend()  # With it the pools go that other tests have left.
    with psycopg.connect(shop.pooled, autocommit=True) as one, psycopg.connect(shop.pooled) as two:
        one.execute("select 1")
        two.execute("select 1")
        seen = watch(ctx, wake=True)
        (pool,) = seen.looks[0].pools
        assert (pool.role, pool.database, pool.clients, pool.busy, pool.size) == (
            "neondb_owner",
            "neondb",
            2,
            1,
            93,
        )
        assert "1 of 93 server connections busy" in seen.as_text(100)
        assert seen.not_checked == ()


def test_a_lock_that_somebody_waits_for_is_named(shop, ctx):
    with psycopg.connect(shop.url) as holder, psycopg.connect(shop.url) as other:
        holder.execute("select pg_advisory_xact_lock(1)")
        waiting = threading.Thread(target=other.execute, args=("select pg_advisory_xact_lock(1)",))
        waiting.start()
        found = None
        while found is None:
            looks = watch(ctx, wake=True).looks
            found = next((each for each in looks[0].holders if each.waits_for == "a lock"), None)
        holder.rollback()
        waiting.join()
    assert (found.state, found.connections) == ("active", 1)


class Leaping(Clock):
    """A clock that sleeps at once."""

    def __init__(self):
        self.ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead

    def sleep(self, seconds):
        self.ahead += seconds


def test_a_series_is_told_as_json_lines_where_nobody_looks(shop, ctx):
    said = []
    ctx.feed, ctx.clock = lambda line: said.append(line) is None, Leaping()
    # More often than psycopg's threshold for preparing, which the pooler's console would refuse.
    seen = watch(ctx, wake=True, every="2s", **{"for": "15s"})
    assert len(said) == len(seen.looks) == 8
    assert [json.loads(line)["max_connections"] for line in said] == [104] * 8
    assert seen.as_text(100) == ""


def test_a_series_goes_through_a_pipe_line_by_line_and_ends_when_its_reader_does(shop, ctx, tmp_path):
    psycopg.connect(shop.url).close()
    argv = [sys.executable, "-m", "neondba", "pool", "watch", "--every", "1s", "--for", "1h", "--quiet"]
    argv += ["--state-dir", str(shop.state), "--format", "json"]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert json.loads(program.stdout.readline())["max_connections"] == 104
        program.stdout.close()
        program.stdout = None
        assert program.communicate(timeout=30) == (None, b"")
    assert program.returncode == 0
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        first = program.stdout.readline()
        program.send_signal(signal.SIGINT)
        rest, trouble = program.communicate(timeout=30)
    assert trouble == b""
    assert program.returncode == 0
    assert all(json.loads(line)["max_connections"] == 104 for line in [first, *rest.splitlines()])


def test_a_suspended_compute_is_one_line_of_json_for_a_program(shop, ctx):
    shop.suspend()
    said = []
    ctx.feed = lambda line: said.append(line) is None
    assert watch(ctx, every="2s").is_fed
    assert "The compute is suspended" in json.loads(*said)["said"][0]


def test_a_suspended_compute_is_not_woken_unless_asked(shop, ctx):
    shop.suspend()
    seen = watch(ctx)
    assert seen.looks == ()
    assert "The compute is suspended" in seen.as_text(100)
    at = f"/projects/{shop.id}/endpoints/{shop.endpoint}"
    assert shop.api("GET", at)["endpoint"]["current_state"] == "idle"


def test_without_a_variable_the_project_is_watched_and_without_both_it_is_said(shop, ctx, tmp_path):
    (tmp_path / ".env").unlink()
    assert shop.endpoint in watch(ctx, wake=True).address
    ctx.settings = ctx.settings.model_copy(update={"project": None})
    with pytest.raises(NotFoundProblem, match="DATABASE_URL is set neither"):
        watch(ctx)


def test_on_the_cloud_the_poolers_clients_are_named_as_not_checked():
    host = "ep-calm-sun-a1b2c3d4.eu-central-1.aws.neon.tech"
    with pool_watch.console_of(parse(f"postgresql://app@{host}/shop")) as (console, why):
        assert console is None
        assert "Neon lets nobody reach its PgBouncer's console" in why
    with pool_watch.console_of(parse("postgresql://app@db.example.com/shop")) as (console, why):
        assert (console, why) == (None, "clients of a pooler: this is no Neon endpoint")
