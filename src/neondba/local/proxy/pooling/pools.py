"""All pools of a proxy: made with their first client, gone with their compute."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from neondba.core.problem import Problem
from neondba.local.proxy import compute, messages
from neondba.local.proxy.loop import Loop
from neondba.local.proxy.messages import ProtocolError
from neondba.local.proxy.pooling.pool import Asked, Pool, Seen
from neondba.local.proxy.pooling.server import Login
from neondba.local.proxy.pooling.settings import SERVER_NAME, TRACKED, Limits
from neondba.local.proxy.pooling.statements import Statements
from neondba.local.proxy.startup import Refusal, Wish
from neondba.local.routing import Directory, Moment

TERMINATED: Final = messages.error(
    "terminating connection due to administrator command", code="57P01", severity="FATAL"
)


@dataclass(eq=False)
class Place:
    """A pool with what it takes to open its connections."""

    endpoint: str
    moment: Moment | None
    user: str
    database: str
    pool: Pool
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    login: Login | None = None
    looking: bool = False


class Pools:
    """Everything here happens in asyncio's thread."""

    def __init__(
        self,
        loop: Loop,
        directory: Directory,
        limits: Limits,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._loop, self._directory, self._limits, self._spawn = loop, directory, limits, spawn
        self._texts = Statements()
        self._places: dict[tuple[str, Moment | None, str, str], Place] = {}
        self._clients: Counter[str] = Counter()
        loop.every_tick(self._tick)

    def came(self, endpoint: str) -> None:
        """Count a client in.

        Raises:
            Refusal: there are too many.
        """
        if self._clients[endpoint] >= self._limits.max_client_conn:
            raise Refusal("no more connections allowed (max_client_conn)", code="08P01", severity="FATAL")
        self._clients[endpoint] += 1

    def went(self, endpoint: str) -> None:
        """Count a client out."""
        self._clients[endpoint] -= 1

    async def enter(self, wish: Wish, endpoint: str) -> tuple[Place, Login]:
        """Give the client's pool; its first client waits for a server connection.

        Raises:
            Refusal: the compute does not let this role in.
        """
        database = wish.parameters.get("database") or wish.role
        key = (endpoint, wish.moment, wish.role, database)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._made(*key)
        await self._directory.wake(endpoint, wish.moment)
        async with place.lock:
            if place.login is None:
                place.login = await self._join(place)
            return place, place.login

    async def seen(self, endpoint: str) -> list[tuple[Place, Seen]]:
        """Give the pools of an endpoint as they are now, by database and role."""
        places = [each for each in self._places.values() if each.endpoint == endpoint]
        main = asyncio.get_running_loop()
        found: asyncio.Future[list[tuple[Place, Seen]]] = main.create_future()

        def look() -> None:
            counted = [(each, each.pool.seen(time.monotonic())) for each in places]
            main.call_soon_threadsafe(found.set_result, counted)

        self._loop.call(look)
        return sorted(await found, key=lambda pair: (pair[0].database, pair[0].user))

    def close(self) -> None:
        """Close every server connection, and wait for it."""
        done = threading.Event()

        def cut() -> None:
            for place in self._places.values():
                place.pool.cut(TERMINATED)
            done.set()

        self._loop.call(cut)
        done.wait()

    def _made(self, endpoint: str, moment: Moment | None, user: str, database: str) -> Place:
        main = asyncio.get_running_loop()

        def soon(work: Callable[[Place], Coroutine[Any, Any, None]]) -> Callable[[], None]:
            def tell() -> None:
                main.call_soon_threadsafe(lambda: self._spawn(work(place)))

            return tell

        asked = Asked(server=soon(self._one_more), look=soon(self._look))
        pool = Pool(self._loop, self._limits, self._texts, asked)
        place = Place(endpoint, moment, user, database, pool)
        return place

    async def _join(self, place: Place) -> Login:
        sock, login = await self._login(place)
        place.pool.size = max(1, int(login.max_connections * self._limits.share))
        self._loop.call(lambda: place.pool.join(sock, login))
        return login

    async def _one_more(self, place: Place) -> None:
        try:
            await self._join(place)
        except Refusal as refusal:
            packet = refusal.packet
        except Problem as problem:
            packet = messages.error(problem.message, hint=problem.hint)
        except (OSError, EOFError, ProtocolError) as error:
            packet = messages.error(str(error) or compute.NO_COMPUTE)
        else:
            return
        self._loop.call(lambda: place.pool.refuse(packet))

    async def _login(self, place: Place) -> tuple[socket.socket, Login]:
        wanted = {"user": place.user, "database": place.database, "application_name": SERVER_NAME}
        entered = await compute.enter(
            self._directory, place.endpoint, place.moment, messages.PROTOCOL_3, wanted
        )
        try:
            if not entered.ready:
                raise Refusal.of(messages.message(*entered.said[-1]))
            parameters, pid, key = {}, 0, b""
            for kind, body in entered.said:
                if kind == b"S":
                    name, value, _ = body.decode(errors="replace").split("\0", 2)
                    parameters[name] = value
                elif kind == b"K":
                    pid, key = int.from_bytes(body[:4], "big"), body[4:]
            allowed = await compute.ask(entered.wire, "show max_connections")
        except BaseException:
            entered.wire.close()
            raise
        return entered.wire.sock, Login(parameters, entered.path, pid, key, int(allowed or 1))

    async def _look(self, place: Place) -> None:
        """End the pool when its compute is gone."""
        if place.looking or place.login is None:
            return
        place.looking = True
        try:
            if not await compute.alive(place.login.path):
                place.login = None
                self._loop.call(lambda: place.pool.cut(TERMINATED))
        finally:
            place.looking = False

    def _tick(self, now: float) -> None:
        for place in list(self._places.values()):
            place.pool.tick(now)


def parameters_of(wish: Wish, login: Login) -> dict[str, str]:
    """Give a client's own parameters: what it asked for, else what the compute has."""
    known = {name.lower(): value for name, value in login.parameters.items()}
    asked = {name.lower(): value for name, value in wish.parameters.items()}
    return {name: asked.get(name, known.get(name, "")) for name in TRACKED}


def welcome(wish: Wish, login: Login, mine: dict[str, str], key: tuple[int, bytes]) -> bytes:
    """Write what a client hears instead of the compute's greeting."""
    told = b""
    unknown = [name for name in wish.parameters if name.startswith("_pq_.")]
    if wish.version != messages.PROTOCOL_3 or unknown:
        told = messages.negotiate(messages.PROTOCOL_3, unknown)
    told += messages.authentication(0)
    for name, value in login.parameters.items():
        told += messages.parameter_status(name, mine.get(name.lower(), value))
    return told + messages.backend_key(*key) + messages.message(b"Z", b"I")
