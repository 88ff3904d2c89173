"""Serve an agent over streamable HTTP. Imported only when serving: it needs starlette."""

from __future__ import annotations

from typing import Any

import uvicorn
from mcp.server import Server
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.surfaces import door, output
from neondba.surfaces.http_app import refusal

PATH = "/mcp"


def serve(made: Server[Any], base: Context, port: str) -> int:
    """Serve until Ctrl-C."""
    with door.listen(port, "neondba mcp --http") as listening:
        token, path = door.token(base, "mcp-token")
        address = f"http://{door.HOST}:{listening.getsockname()[1]}{PATH}"
        output.out(f"Listening on {address}\nThe bearer token is in {path}")
        output.out("A client sends it as a header, Authorization: Bearer TOKEN; each start makes a new one.")
        config = uvicorn.Config(
            application(made, token), log_level="warning", access_log=False, server_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def application(made: Server[Any], token: str) -> ASGIApp:
    """Put the door before the SDK's own application."""
    inside = made.streamable_http_app(streamable_http_path=PATH, host=door.HOST)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                door.admit(Request(scope).headers, token)
            except Problem as problem:
                await refusal(problem)(scope, receive, send)
                return
        await inside(scope, receive, send)

    return guarded
