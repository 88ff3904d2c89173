"""A PostgreSQL from the wheel, a directory of endpoints over it, and a proxy in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neondba.core.problem import ConflictProblem
from neondba.local.proxy.fast import SWITCH
from neondba.local.proxy.pooling.settings import Limits
from neondba.local.proxy.server import Proxy, serve
from neondba.local.proxy.tls import CertificatePaths, ensure_certificates
from neondba.local.routing import Directory, Moment, Route
from neondba.postgres.connect import connect, trusted
from neondba.postgres.scratch import SUPERUSER, scratch_server

ENDPOINT = "ep-calm-sun-a1b2c3d4"
DISABLED = "ep-shut-door-a1b2c3d4"
PASSWORD = "pw-" + "7" * 12


@contextmanager
def postgres(max_connections: int = 120) -> Iterator[Path]:
    """Give the socket folder of a running server with role app."""
    with scratch_server(io_method="sync", max_connections=str(max_connections)) as url:
        with connect(url) as session:
            session.execute(trusted(f"create role app login password '{PASSWORD}'"))
            session.execute("create database shop owner app")
        yield Path(url.reveal().partition("host=")[2])


class OneCompute(Directory):
    """Every endpoint leads to one server; what is told is counted."""

    def __init__(self, sockets: Path) -> None:
        self.socket = str(sockets / ".s.PGSQL.5432")
        self.told: Counter[str] = Counter()
        self.thinks_for = 0.0
        self.refusal: str | None = None
        self.moments: list[Moment | None] = []
        self._changed = threading.Condition()
        with psycopg.connect(host=str(sockets), user=SUPERUSER, dbname="postgres") as db:
            (self._verifier,) = db.execute(
                "select rolpassword from pg_authid where rolname = 'app'"
            ).fetchone() or ("",)

    def verifier(self, endpoint_id: str, role: str) -> str | None:
        threading.Event().wait(self.thinks_for)
        return self._verifier if role == "app" else None

    def knows(self, endpoint_id: str) -> bool:
        return endpoint_id in (ENDPOINT, DISABLED)

    async def wake(self, endpoint_id: str, moment=None) -> Route:
        self.told["woken"] += 1
        self.moments.append(moment)
        if endpoint_id == DISABLED:
            raise ConflictProblem("endpoint-disabled", "The endpoint has been disabled.")
        return Route(self.socket, endpoint_id)

    def transferred(self, endpoint_id: str, to_client: int, from_client: int) -> None:
        self.told["to client"] += to_client
        self.told["from client"] += from_client

    def refuses(self, endpoint_id: str, address: str) -> str | None:
        return self.refusal

    def opened(self, endpoint_id: str) -> None:
        self.told["opened"] += 1

    def closed(self, endpoint_id: str) -> None:
        with self._changed:
            self.told["closed"] += 1
            self._changed.notify_all()

    def wait_for_closed(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.told["closed"] >= count, 20)


@dataclass
class Running:
    """A proxy in its own thread."""

    proxy: Proxy
    directory: OneCompute
    certificates: CertificatePaths
    loop: asyncio.AbstractEventLoop

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def where(self, label: str | None = ENDPOINT, **more: Any) -> dict[str, Any]:
        """Give psycopg's arguments; the name goes into SNI, no resolver is asked."""
        return {
            "host": f"{label}.localhost" if label else "127.0.0.1",
            "hostaddr": "127.0.0.1",
            "port": self.proxy.port,
            "user": "app",
            "password": PASSWORD,
            "dbname": "shop",
            "sslmode": "require",
            "connect_timeout": 20,
            **more,
        }

    def connect(self, label: str | None = ENDPOINT, **more: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(**self.where(label, **more), autocommit=True)


@contextmanager
def running(
    sockets: Path, folder: Path, *, limit: float = 15.0, limits: Limits | None = None, relay: str = ""
) -> Iterator[Running]:
    """Run a proxy over the server at these sockets."""
    certificates = ensure_certificates(folder)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    directory = OneCompute(sockets)
    work = serve(directory, "localhost", 0, certificates, authentication_limit=limit, limits=limits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, relay)
        proxy = asyncio.run_coroutine_threadsafe(work, loop).result(20)
    made = Running(proxy, directory, certificates, loop)
    try:
        yield made
    finally:
        made.call(proxy.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
