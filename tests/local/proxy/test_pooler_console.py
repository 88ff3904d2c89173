"""The pooler's own database shows who is connected and who waits, as PgBouncer's console does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proxied import ENDPOINT, Running, running
from psycopg.rows import dict_row

from neondba.local.proxy.pooling.settings import Limits

POOLED = f"{ENDPOINT}-pooler"
ONE: Any = 0.009
"""A share of 120 connections that leaves one for each pool."""


@pytest.fixture(scope="module")
def one(sockets: Path, tmp_path_factory: pytest.TempPathFactory, relay: str) -> Iterator[Running]:
    with running(sockets, tmp_path_factory.mktemp("one"), limits=Limits(share=ONE), relay=relay) as made:
        yield made


def pools(console: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    # Asked often, psycopg would prepare it, and the console speaks the simple protocol only.
    return console.cursor(row_factory=dict_row).execute("SHOW POOLS;", prepare=False).fetchall()


@pytest.mark.shows("proxy.pooler-console")
def test_the_console_counts_clients_server_connections_and_who_waits(one: Running) -> None:
    with (
        one.connect(POOLED, dbname="pgbouncer") as console,
        one.connect(POOLED) as first,
        one.connect(POOLED) as second,
    ):
        first.execute("select 1")
        (idle,) = pools(console)
        counts = ("database", "user", "cl_active", "cl_waiting", "sv_active", "sv_idle", "pool_size")
        assert [idle[name] for name in counts] == ["shop", "app", "2", "0", "0", "1", "1"]
        with first.transaction():
            first.execute("select 1")
            waiting = threading.Thread(target=second.execute, args=("select 1",))
            waiting.start()
            while (now := pools(console)[0])["cl_waiting"] == "0":
                time.sleep(0.01)
        waiting.join()
        assert [now[name] for name in ("cl_active", "sv_active", "sv_idle")] == ["1", "1", "0"]
        assert int(now["maxwait"]) < 20
        assert int(pools(console)[0]["cl_waiting"]) == 0


def test_the_console_changes_nothing_and_speaks_only_simply(one: Running) -> None:
    with one.connect(POOLED, dbname="pgbouncer") as console:
        with pytest.raises(psycopg.Error, match="invalid command"):
            console.execute("PAUSE")
        with pytest.raises(psycopg.Error, match="extended query protocol not supported"):
            console.execute("SHOW POOLS", prepare=True)


def test_the_console_asks_for_the_password(one: Running) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        one.connect(POOLED, dbname="pgbouncer", password="pw-" + "8" * 12)
