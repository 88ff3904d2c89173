"""Serve the operations over HTTP to programs on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neondba.surfaces.shape import Argument

if TYPE_CHECKING:
    from neondba.core.context import Context

_SUMMARY = "Serve the operations over HTTP on this machine."
_PORT = Argument("port", "Port to listen on; 0 takes a free one.", default="8410")


def command(tokens: Sequence[str]) -> int:
    """Serve until Ctrl-C: `neondba serve`."""
    from neondba.surfaces import server_command

    return server_command.run("serve", _SUMMARY, [_PORT], tokens, _serve)


def _serve(base: Context, values: dict[str, Any]) -> int:
    import uvicorn

    from neondba.surfaces import door, output
    from neondba.surfaces.http_app import application

    with door.listen(str(values.get("port", _PORT.default)), "neondba serve") as listening:
        token, path = door.token(base, "http-token")
        port = listening.getsockname()[1]
        output.out(f"Listening on http://{door.HOST}:{port}/v1\nThe bearer token is in {path}")
        config = uvicorn.Config(
            application(base, token), log_level="warning", access_log=False, server_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])
    return 0
