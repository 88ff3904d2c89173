"""The proxy's front door: accept, route, authenticate, wake, relay."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from neondba.core.problem import ConflictProblem, Problem
from neondba.local.proxy import messages
from neondba.local.proxy.messages import Cancel, ProtocolError
from neondba.local.proxy.relay import CHUNK, ComputeStarting, Pump, greet
from neondba.local.proxy.startup import Refusal, Wish, authenticate, introduce, read_wish
from neondba.local.proxy.tls import CertificatePaths
from neondba.local.proxy.wire import Tls, Wire
from neondba.local.routing import Directory

AUTHENTICATION_LIMIT: Final = 15.0
CONNECT_TRIES: Final = 100
BETWEEN_TRIES: Final = 0.05
NO_COMPUTE: Final = "Couldn't connect to compute node"

CancelKey = tuple[int, bytes]


class Proxy:
    """A running proxy."""

    def __init__(self, directory: Directory, tls: Tls, limit: float) -> None:
        self._directory, self._tls, self._limit = directory, tls, limit
        self._doors: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._cancel_keys: dict[CancelKey, tuple[str, CancelKey]] = {}
        self._scratch = memoryview(bytearray(CHUNK))
        self.port = 0

    @property
    def connections(self) -> int:
        """How many clients are inside or at the door."""
        return len(self._tasks) - len(self._doors)

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

    async def close(self) -> None:
        """Stop listening and end every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for door in self._doors:
            door.close()
        self._doors.clear()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, door: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(door)
            except OSError:
                # Out of file descriptors: let some connections end.
                await asyncio.sleep(BETWEEN_TRIES)
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._spawn(self._serve(Wire(sock)))

    async def _serve(self, client: Wire) -> None:
        try:
            with suppress(OSError, EOFError, TimeoutError):
                await self._converse(client)
        finally:
            client.close()

    async def _converse(self, client: Wire) -> None:
        try:
            async with asyncio.timeout(self._limit) as limit:
                admitted = await self._admit(client, limit)
            if admitted is not None:
                await self._connect(client, *admitted)
        except Refusal as refusal:
            await client.send(refusal.packet)
        except ProtocolError as error:
            await client.send(messages.error(str(error), code="08P01", severity="FATAL"))
        except Problem as problem:
            await client.send(messages.error(problem.message, hint=problem.hint))
        await client.finish()

    async def _admit(self, client: Wire, limit: asyncio.Timeout) -> tuple[Wish, str] | None:
        """Find out who comes and where to; nothing for a cancel request, which is done then."""
        first = await introduce(client, self._tls)
        if isinstance(first, Cancel):
            await self._cancel(first)
            return None
        wish = read_wish(first, client.asked_host)
        return wish, await authenticate(client, self._tls, wish, self._directory, limit)

    async def _connect(self, client: Wire, wish: Wish, endpoint: str) -> None:
        self._directory.opened(endpoint)
        ours = (secrets.randbits(31), b"")
        compute: Wire | None = None
        try:
            compute, told, ready, ours = await self._compute(wish, endpoint)
            await client.send(told)
            if ready:
                await Pump(client.sock, compute.sock, self._scratch).run()
        finally:
            self._cancel_keys.pop(ours, None)
            if compute is not None:
                compute.close()
            self._directory.closed(endpoint)

    async def _compute(self, wish: Wish, endpoint: str) -> tuple[Wire, bytes, bool, CancelKey]:
        """Wake the compute and log in, as often as it takes while it starts."""
        for _ in range(CONNECT_TRIES):
            route = await self._directory.wake(endpoint, wish.moment)
            compute = Wire(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            kept: list[CancelKey] = []

            def register(
                pid: int, key: bytes, path: str = route.socket, kept: list[CancelKey] = kept
            ) -> bytes:
                kept.append(self._own_key(path, pid, key))
                return messages.backend_key(*kept[-1])

            try:
                await asyncio.get_running_loop().sock_connect(compute.sock, route.socket)
                told, ready = await greet(compute, wish.version, wish.parameters, register)
            except (OSError, EOFError, ComputeStarting):
                compute.close()
                await asyncio.sleep(BETWEEN_TRIES)
                continue
            except BaseException:
                compute.close()
                raise
            return compute, told, ready, kept[0] if kept else (0, b"")
        raise Refusal(NO_COMPUTE)

    def _own_key(self, path: str, pid: int, key: bytes) -> CancelKey:
        """Give a key of ours for a compute's: pids of different computes may be equal."""
        ours = (secrets.randbits(31), secrets.token_bytes(len(key)))
        self._cancel_keys[ours] = (path, (pid, key))
        return ours

    async def _cancel(self, asked: Cancel) -> None:
        """Forward a cancel request; a wrong key is nobody's business."""
        known = self._cancel_keys.get((asked.pid, asked.key))
        if known is None:
            return
        path, theirs = known
        wire = Wire(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            await asyncio.get_running_loop().sock_connect(wire.sock, path)
            await wire.send(messages.cancel(*theirs))
            # The compute closes when the signal is on its way; the client waits for that.
            with suppress(EOFError):
                await wire.exactly(1)
        finally:
            wire.close()


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
) -> Proxy:
    """Start a proxy in the running event loop; port 0 takes any free one.

    Raises:
        ConflictProblem: the port is taken.
    """
    proxy = Proxy(directory, Tls(certificates), authentication_limit)
    proxy.listen(host, port)
    return proxy
