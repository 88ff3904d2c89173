"""The proxy's front door: accept, route, authenticate, wake, relay."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from neondba.core.problem import ConflictProblem, Problem
from neondba.local.proxy import compute, messages
from neondba.local.proxy.cancels import CancelKey, Cancels
from neondba.local.proxy.direct import Direct
from neondba.local.proxy.loop import Loop
from neondba.local.proxy.messages import Cancel, ProtocolError
from neondba.local.proxy.meter import Meter
from neondba.local.proxy.pooling import console
from neondba.local.proxy.pooling.client import PoolClient
from neondba.local.proxy.pooling.pools import Pools, parameters_of, welcome
from neondba.local.proxy.pooling.settings import Limits
from neondba.local.proxy.startup import Admitted, Door, Refusal, authenticate, introduce, read_wish
from neondba.local.proxy.tls import CertificatePaths
from neondba.local.proxy.wire import Tls, Wire
from neondba.local.routing import Directory

AUTHENTICATION_LIMIT: Final = 15.0
LAST_WORDS_LIMIT: Final = 5.0
FILES: Final = 65_536
"""What 10,000 clients need, where the machine allows it."""

Session = Direct | PoolClient


class Proxy:
    """A running proxy."""

    def __init__(self, directory: Directory, tls: Tls, limit: float, limits: Limits) -> None:
        self._directory, self._tls, self._limit = directory, tls, limit
        self._doors: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._cancels = Cancels()
        self._loop = Loop()
        self._meter = Meter(directory)
        self._pools = Pools(self._loop, directory, limits, self._spawn)
        self._main = asyncio.get_running_loop()
        self._inside = 0
        self._metering = self._main.create_task(self._meter.run())
        self.port = 0

    @property
    def connections(self) -> int:
        """How many clients are inside or at the door."""
        return self._inside

    def listen(self, host: str, port: int) -> None:
        """Open the door at every address of the host.

        Raises:
            ConflictProblem: the port is taken.
        """
        self.port = port
        for family, place in _addresses(host):
            try:
                door = _door(family, place, self.port)
            except OSError as error:
                if self._doors:
                    # Many machines have no IPv6.
                    continue
                raise ConflictProblem(
                    "port-in-use",
                    f"The proxy cannot listen on {place} port {port}: {error.strerror}.",
                    hint="Stop what listens there, or choose another port.",
                ) from None
            self.port = door.getsockname()[1]
            self._doors.append(door)
            self._spawn(self._accept(door))

    def adopt(self, sock: socket.socket, *, host: str, address: str) -> None:
        """Serve a client that came in elsewhere and is private already, such as over a WebSocket.

        It speaks the protocol without encryption, and sends its password in clear. Call it in the
        proxy's event loop; the socket is the proxy's from now on.
        """
        self._spawn(self._serve(Wire(sock), Door(address, host, trusted=True)))

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self._metering.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, self._metering, return_exceptions=True)
        for door in self._doors:
            door.close()
        self._doors.clear()
        await asyncio.to_thread(self._pools.close)
        await asyncio.to_thread(self._loop.close)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._main.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, door: socket.socket) -> None:
        while True:
            try:
                sock, address = await self._main.sock_accept(door)
            except OSError:
                # Out of file descriptors: let some connections end.
                await asyncio.sleep(compute.BETWEEN_TRIES)
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._spawn(self._serve(Wire(sock), Door(address[0])))

    async def _serve(self, client: Wire, door: Door) -> None:
        self._inside += 1
        try:
            with suppress(OSError, EOFError, TimeoutError):
                await self._converse(client, door)
        finally:
            self._inside -= 1
            client.close()

    async def _converse(self, client: Wire, door: Door) -> None:
        try:
            last = await self._hosted(client, door)
        except Refusal as refusal:
            last = refusal.packet
        except ProtocolError as error:
            last = messages.error(str(error), code="08P01", severity="FATAL")
        except Problem as problem:
            last = messages.error(problem.message, hint=problem.hint)
        async with asyncio.timeout(LAST_WORDS_LIMIT):
            await client.send(last)
        await client.finish()

    async def _hosted(self, client: Wire, door: Door) -> bytes:
        """Serve a client until the end; give what it still has to be told."""
        async with asyncio.timeout(self._limit) as limit:
            first = await introduce(client, self._tls, trusted=door.trusted)
            if isinstance(first, Cancel):
                await self._cancels.forward(first)
                return b""
            wish = read_wish(first, door.host or client.asked_host)
            admitted = await authenticate(client, self._tls, wish, self._directory, limit, door)
        return await (self._pooled if admitted.pooled else self._directly)(client, admitted)

    async def _directly(self, client: Wire, admitted: Admitted) -> bytes:
        """Give the client a connection of its own; give what it still has to be told."""
        wish, endpoint = admitted.wish, admitted.endpoint
        self._directory.opened(endpoint)
        entered: compute.Entered | None = None
        key: CancelKey | None = None
        try:
            entered = await compute.enter(
                self._directory, endpoint, wish.moment, wish.version, dict(wish.parameters)
            )
            told = b""
            for kind, body in entered.said:
                if kind == b"K":
                    key = self._cancels.known((entered.path, int.from_bytes(body[:4], "big"), body[4:]))
                    told += messages.backend_key(*key)
                else:
                    told += messages.message(kind, body)
            if not entered.ready:
                return told
            await client.send(told)
            sockets = client.sock, entered.wire.sock
            return await self._ride(endpoint, lambda over: Direct(self._loop, *sockets, over))
        finally:
            self._cancels.forget(key)
            if entered is not None:
                entered.wire.close()
            self._directory.closed(endpoint)

    async def _pooled(self, client: Wire, admitted: Admitted) -> bytes:
        """Give the client a place in a pool; give what it still has to be told."""
        wish, endpoint = admitted.wish, admitted.endpoint
        if wish.parameters.get("database") == console.DATABASE:
            return await console.serve(client, self._pools, endpoint)
        self._pools.came(endpoint)
        self._directory.opened(endpoint)
        key: CancelKey | None = None
        try:
            place, login = await self._pools.enter(wish, endpoint)
            mine = parameters_of(wish, login)
            riders: list[PoolClient] = []
            key = self._cancels.pooled(lambda: place.pool.cancelling(riders), self._loop)

            def board(over: Callable[[bytes], None]) -> PoolClient:
                riders.append(PoolClient(self._loop, place.pool, client.sock, mine, over))
                return riders[0]

            await client.send(welcome(wish, login, mine, key))
            return await self._ride(endpoint, board)
        finally:
            self._cancels.forget(key)
            self._pools.went(endpoint)
            self._directory.closed(endpoint)

    async def _ride(self, endpoint: str, board: Callable[[Callable[[bytes], None]], Session]) -> bytes:
        """Leave the client to the loop until the connection is over."""
        done: asyncio.Future[bytes] = self._main.create_future()

        def over(last: bytes) -> None:
            self._main.call_soon_threadsafe(done.set_result, last)

        session = board(over)
        self._loop.call(session.begin)
        with self._meter.of(endpoint, session):
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:
                self._loop.call(session.end)
                # The loop must have let go before the socket is closed.
                await done
                raise


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if host == "localhost":
        return [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    return [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)]


def _door(family: socket.AddressFamily, place: str, port: int) -> socket.socket:
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        door.bind((place, port))
        door.listen(512)
    except OSError:
        door.close()
        raise
    door.setblocking(False)
    return door


async def serve(
    directory: Directory,
    host: str,
    port: int,
    certificates: CertificatePaths,
    *,
    authentication_limit: float = AUTHENTICATION_LIMIT,
    limits: Limits | None = None,
) -> Proxy:
    """Start a proxy in the running event loop; port 0 takes any free one.

    Raises:
        ConflictProblem: the port is taken.
    """
    _allow_files()
    proxy = Proxy(directory, Tls(certificates), authentication_limit, limits or Limits())
    try:
        proxy.listen(host, port)
    except ConflictProblem:
        await proxy.close()
        raise
    return proxy


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
