"""PostgreSQL's protocol in WebSocket frames, led to the proxy."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from neondba.local.proxy.server import Proxy

CHUNK: Final = 64 * 1024
UNSUPPORTED: Final = 1003


async def serve(web: WebSocket, proxy: Proxy) -> None:
    """Carry one connection until either side ends it."""
    await web.accept()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    address = web.client.host if web.client else "127.0.0.1"
    proxy.adopt(theirs, host=asked_host(web), address=address)
    ways = [asyncio.create_task(_in(web, ours)), asyncio.create_task(_out(web, ours))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        ours.close()
        with suppress(RuntimeError, OSError, WebSocketDisconnect):
            await web.close()


def asked_host(web: WebSocket) -> str:
    """Give the host name the client means: `?address=` where a proxy's address has taken its place."""
    name = web.query_params.get("address") or web.headers.get("host", "")
    return name if name.endswith("]") else name.rpartition(":")[0] or name


async def _in(web: WebSocket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(WebSocketDisconnect, OSError):
        while True:
            message = await web.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is None:
                await web.close(UNSUPPORTED, "only binary frames are taken")
                return
            await loop.sock_sendall(target, data)


async def _out(web: WebSocket, source: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(WebSocketDisconnect, OSError, RuntimeError):
        while data := await loop.sock_recv(source, CHUNK):
            await web.send_bytes(data)
