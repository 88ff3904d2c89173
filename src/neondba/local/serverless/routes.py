"""The serverless driver's addresses, beside the API's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from neondba.local.proxy.server import Proxy
from neondba.local.routing import Directory
from neondba.local.serverless import websocket
from neondba.local.serverless.http import Sql

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


def names_this_machine(host: str) -> bool:
    """Tell whether a Host header names this machine: a page that has rebound its own name does not."""
    name = (host if host.endswith("]") else host.rpartition(":")[0] or host).lower()
    return name in LOOPBACK or name.endswith(".localhost")


def join(web: Starlette, directory: Directory, proxy: Proxy, monotonic: Callable[[], float]) -> Sql:
    """Add the routes; whoever asks there shows a role's password, not the API's key."""
    sql = Sql(directory, monotonic)
    web.router.routes.insert(0, Route("/sql", _guarded(sql.answer), methods=["POST", "OPTIONS"]))
    web.router.routes.append(WebSocketRoute("/{path:path}", _tunnel(proxy)))
    return sql


def _guarded(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def guarded(request: Request) -> Response:
        host = request.headers.get("host", "")
        if not names_this_machine(host):
            said = f"the local Neon answers only to this machine's own names, not to {host}"
            return JSONResponse({"message": said}, 403)
        answered: Response = await answer(request)
        return answered

    return guarded


def _tunnel(proxy: Proxy) -> Callable[[WebSocket], Any]:
    async def tunnel(web_socket: WebSocket) -> None:
        if names_this_machine(web_socket.headers.get("host", "")):
            await websocket.serve(web_socket, proxy)
        else:
            await web_socket.close()

    return tunnel
