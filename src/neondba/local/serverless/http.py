"""SQL over HTTP, as Neon's serverless driver asks for it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from neondba.core.problem import Problem
from neondba.local.proxy.scram import ScramError, Verifier
from neondba.local.proxy.startup import NO_SUCH_ENDPOINT
from neondba.local.routing import Directory
from neondba.local.serverless import destination, queries
from neondba.local.serverless.destination import Destination, Refused
from neondba.local.serverless.pool import IDLE_LIMIT, Pool
from neondba.local.serverless.queries import Payload
from neondba.postgres.wire_query import FIELDS, Disconnected, ServerError, WireConnection

AT_ONCE: Final = 64
CONNECT_TRIES: Final = 100
BETWEEN_TRIES: Final = 0.05
STARTING: Final = "57P03"
NO_COMPUTE: Final = "Couldn't connect to compute node"
NO_TOKENS: Final = (
    "authentication with a token (authToken) is not available in the local Neon: give a password instead"
)
HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
PREFLIGHT: Final = {
    **HEADERS,
    "Allow": "OPTIONS, POST",
    "Access-Control-Allow-Headers": (
        "Authorization, Neon-Connection-String, Neon-Raw-Text-Output, Neon-Array-Mode, Neon-Pool-Opt-In, "
        "Neon-Batch-Read-Only, Neon-Batch-Isolation-Level, Neon-Batch-Deferrable"
    ),
    "Access-Control-Max-Age": "86400",
}


class Sql:
    """Answers `/sql`."""

    def __init__(self, directory: Directory, monotonic: Callable[[], float]) -> None:
        self._directory = directory
        self.pool = Pool(monotonic)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sql")
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """End all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.pool.close()

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.method == "OPTIONS":
            return Response(status_code=200, headers=PREFLIGHT)
        try:
            return await self._answered(request)
        except Refused as refused:
            return _error(refused.status, {"message": str(refused), "code": refused.code})
        except ServerError as error:
            return _error(400, error.parts)
        except Problem as problem:
            return _error(400, {"message": problem.message, "hint": problem.hint})
        except (Disconnected, OSError):
            return _error(400, {"message": "the connection to the compute was lost", "code": "08006"})
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            logging.getLogger(__name__).exception("a query over HTTP failed")
            return _error(500, {"message": "internal error; the server's log says more"})

    async def _answered(self, request: Request) -> Response:
        wanted = self._destination(request)
        # First who asks: bodies are large, and any web page may send one here.
        await self._admit(wanted, request)
        body = await _body(request)
        payload = queries.read(body, request.headers)
        self._directory.opened(wanted.endpoint_id)
        try:
            folder, connection = await self._connection(wanted)
            work = self._in_thread(self._run, folder, wanted.parameters, connection, payload)
            written: bytes = await _unless_gone(request, work, connection)
        finally:
            self._directory.closed(wanted.endpoint_id)
        self._expire_later()
        self._directory.transferred(wanted.endpoint_id, len(written), len(body))
        return Response(written, media_type="application/json", headers={**HEADERS, **payload.echoed})

    def _destination(self, request: Request) -> Destination:
        if request.headers.get("authorization", "").lower().startswith("bearer "):
            raise Refused(NO_TOKENS)
        given = request.headers.get("neon-connection-string")
        if not given:
            raise Refused("invalid header: neon-connection-string")
        return destination.read(given)

    async def _admit(self, wanted: Destination, request: Request) -> None:
        """Let in whoever comes from an allowed address and knows the password."""
        endpoint = wanted.endpoint_id
        if not self._directory.knows(endpoint):
            raise Refused(NO_SUCH_ENDPOINT)
        address = request.client.host if request.client else "127.0.0.1"
        if sentence := self._directory.refuses(endpoint, address):
            raise Refused(sentence)
        if not await self._in_thread(self._knows_password, wanted):
            raise Refused(f"password authentication failed for user '{wanted.role}'", code="28P01")

    def _knows_password(self, wanted: Destination) -> bool:
        text = self._directory.verifier(wanted.endpoint_id, wanted.role)
        made_up = Verifier.made_up(wanted.endpoint_id, wanted.role)
        try:
            verifier = Verifier.parse(text) if text else made_up
        except ScramError:
            verifier = made_up
        return verifier.fits(wanted.password.reveal())

    async def _connection(self, wanted: Destination) -> tuple[str, WireConnection]:
        for _ in range(CONNECT_TRIES):
            route = await self._directory.wake(wanted.endpoint_id, wanted.moment)
            folder = str(PurePath(route.socket).parent)
            try:
                return folder, await self._in_thread(self.pool.take, folder, wanted.parameters)
            except Disconnected:
                await asyncio.sleep(BETWEEN_TRIES)
            except ServerError as error:
                if error.parts.get("code") != STARTING:
                    raise
                await asyncio.sleep(BETWEEN_TRIES)
        raise Refused(NO_COMPUTE)

    def _run(
        self, folder: str, parameters: dict[str, str], connection: WireConnection, payload: Payload
    ) -> bytes:
        try:
            return queries.run(connection, payload)
        finally:
            self._threads.submit(self.pool.give_back, folder, parameters, connection)

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def _expire_later(self) -> None:
        if self._timer is None or self._timer.when() < asyncio.get_running_loop().time():
            self._timer = asyncio.get_running_loop().call_later(IDLE_LIMIT + 1, self.pool.expire)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > queries.LARGEST:
            raise Refused(f"request is too large (max is {queries.LARGEST} bytes)", status=413)
    return bytes(body)


async def _unless_gone(request: Request, work: asyncio.Future[Any], connection: WireConnection) -> Any:
    """Wait for the work; cancel the statement when the client, or the server, goes meanwhile."""
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise ClientDisconnect
    finally:
        gone.cancel()
        if not work.done():
            work.add_done_callback(_seen)
            await asyncio.to_thread(connection.cancel)


def _seen(work: asyncio.Future[Any]) -> None:
    """Take note of how abandoned work ended: nobody else asks."""
    if not work.cancelled():
        work.exception()


def _error(status: int, parts: Any) -> Response:
    known = {name: parts.get(name) for name in FIELDS}
    return Response(json.dumps(known), status, headers=HEADERS, media_type="application/json")
