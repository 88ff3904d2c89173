"""The same scripts through our pooler and through a real PgBouncer, where one is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proxied import ENDPOINT, PASSWORD, Running, running

from neondba.local.proxy.pooling.settings import Limits

pytestmark = pytest.mark.skipif(
    shutil.which("pgbouncer") is None, reason="there is no pgbouncer to compare with"
)

SCRIPTS: dict[str, list[tuple[int, str]]] = {
    "a setting leaks": [
        (0, "set work_mem to '77kB'"),
        (1, "show work_mem"),
        (1, "reset work_mem"),
        (0, "show work_mem"),
    ],
    "a search path leaks": [
        (0, "set search_path to nowhere"),
        (1, "show search_path"),
        (0, "reset search_path"),
    ],
    "tracked parameters stay": [
        (0, "set timezone to 'Asia/Tokyo'"),
        (1, "show timezone"),
        (1, "set application_name to 'second'"),
        (0, "show application_name"),
        (0, "show timezone"),
        (1, "show application_name"),
    ],
    "a local setting ends with its transaction": [
        (0, "begin; set local work_mem to '88kB'; commit"),
        (1, "show work_mem"),
    ],
    "temporary tables are shared": [
        (0, "create temp table t as select 7"),
        (1, "select * from t"),
        (1, "drop table t"),
    ],
    "temporary tables collide": [
        (0, "create temp table t (x int)"),
        (1, "create temp table t (x int)"),
        (1, "drop table t"),
    ],
    "session locks are shared": [
        (0, "select pg_advisory_lock(3)::text"),
        (1, "select pg_try_advisory_lock(3)"),
        (0, "select pg_advisory_unlock_all()::text"),
    ],
    "prepare in SQL collides": [
        (0, "prepare p as select 1"),
        (1, "prepare p as select 2"),
        (1, "execute p"),
        (0, "deallocate p"),
        (1, "execute p"),
    ],
    "cursors with hold are shared": [
        (0, "declare c cursor with hold for select 5"),
        (1, "fetch c"),
        (1, "close c"),
        (0, "fetch c"),
    ],
    "plain cursors end": [(0, "begin; declare c cursor for select 5; commit"), (0, "fetch c")],
    "listen is not the client's": [(0, "listen x"), (1, "select pg_listening_channels()"), (1, "unlisten *")],
    "an error outside a transaction": [(0, "select 1/0"), (1, "select 1"), (0, "select 2")],
    "an error inside one": [
        (0, "begin"),
        (0, "select 1/0"),
        (0, "select 1"),
        (0, "rollback"),
        (1, "select 3"),
    ],
    "several statements at once": [(0, "select 1; select 2/0; select 3"), (1, "select 4")],
    "nothing": [(0, ""), (1, ";")],
    "role and session": [
        (0, "set role app"),
        (1, "select current_user"),
        (1, "reset role"),
        (0, "discard all"),
    ],
    "sequences": [
        (0, "create temp sequence s; select nextval('s')"),
        (1, "select currval('s')"),
        (1, "drop sequence s"),
    ],
}


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@pytest.fixture(scope="module")
def bouncer(sockets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A PgBouncer whose pool has one server connection; how to connect to it."""
    folder, port = tmp_path_factory.mktemp("pgbouncer"), free_port()
    (folder / "users.txt").write_text(f'"app" "{PASSWORD}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\nshop = host={sockets} port=5432\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\npool_mode = transaction\n"
        f"auth_file = {folder}/users.txt\ndefault_pool_size = 1\nmax_client_conn = 100\n"
    )
    as_root = ["-u", "postgres"] if os.getuid() == 0 else []
    if as_root:
        for path in (folder, *folder.iterdir(), *folder.parents[:2]):
            path.chmod(path.stat().st_mode | 0o055)
        sockets.chmod(0o755)
    process = subprocess.Popen(
        ["pgbouncer", *as_root, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL
    )
    where = {"host": "127.0.0.1", "port": port, "user": "app", "password": PASSWORD, "dbname": "shop"}
    try:
        for _ in range(2000):
            try:
                psycopg.connect(**where, connect_timeout=5).close()
                break
            except psycopg.OperationalError:
                assert process.poll() is None
        yield where
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def ours(sockets: Path, tmp_path_factory: pytest.TempPathFactory, relay: str) -> Iterator[Running]:
    with running(sockets, tmp_path_factory.mktemp("ours"), limits=Limits(share=0.009), relay=relay) as made:
        yield made


def outcomes(connect: Any, script: list[tuple[int, str]]) -> list[Any]:
    """Run it with two clients; give rows, or the error's code, of each step."""
    clients = [connect() for _ in range(2)]
    found: list[Any] = []
    for who, text in script:
        try:
            cursor = clients[who].execute(text)
            found.append(cursor.fetchall() if cursor.description else cursor.statusmessage)
        except psycopg.Error as error:
            found.append(error.sqlstate)
    for client in clients:
        client.close()
    return found


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.shows("proxy.pooler")
def test_our_pooler_does_what_pgbouncer_does(name: str, bouncer: dict[str, Any], ours: Running) -> None:
    script = SCRIPTS[name]

    def theirs() -> Any:
        return psycopg.connect(**bouncer, autocommit=True, application_name="same")

    mine = outcomes(lambda: ours.connect(f"{ENDPOINT}-pooler", application_name="same"), script)
    assert mine == outcomes(theirs, script)
