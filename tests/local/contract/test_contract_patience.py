"""Clients that are slow, leave, or never say what they want."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from neondba.local.api.patience import PatientProtocol
from neondba.local.web import CONFIG


class Hasty(PatientProtocol):
    patience = 0.2


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def early(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("too much", 413)


def conversation(*parts: bytes, until: bytes, by: type[PatientProtocol] = Hasty) -> bytes:
    """Send parts and read until the server closes the connection or has said this."""

    async def talk() -> bytes:
        web = Starlette(
            routes=[Route("/", length, methods=["POST"]), Route("/early", early, methods=["POST"])]
        )
        config = uvicorn.Config(web, http=by, log_level="error", lifespan="off", timeout_keep_alive=60)
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            for part in parts:
                writer.write(part)
            said = b""
            async with asyncio.timeout(30):
                while not (until and until in said) and (more := await reader.read(4096)):
                    said += more
            writer.close()
            server.should_exit = True
            await serving
            return said

    return asyncio.run(talk())


@pytest.mark.parametrize("said", [b"", b"POST / HTTP/1.1\r\nHost: local", b"GET"])
def test_a_client_that_never_finishes_its_request_is_closed(said):
    assert conversation(*([said] if said else []), until=b"") == b""


def test_a_client_that_never_sends_the_rest_of_a_refused_body_is_closed():
    head = b"POST /early HTTP/1.1\r\nHost: local\r\nContent-Length: 99999999\r\n\r\nbeginning"
    assert b"413" in conversation(head, until=b"")


def test_a_whole_request_is_answered_however_it_is_cut():
    head = b"POST / HTTP/1.1\r\nHost: local\r\nContent-Length: 4\r\n\r\n"
    parts = [*(bytes([each]) for each in head), b"ab", b"cd"]
    assert conversation(*parts, until=b"\r\n\r\n4", by=PatientProtocol).endswith(b"4")


def test_the_servers_use_it():
    assert CONFIG["http"] is PatientProtocol
