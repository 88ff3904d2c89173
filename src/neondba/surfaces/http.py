"""Serve the operations over HTTP to programs on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neondba.surfaces.shape import Argument

if TYPE_CHECKING:
    import socket

    from neondba.core.context import Context

_HOST = "127.0.0.1"
_SUMMARY = "Serve the operations over HTTP on this machine."
_PORT = Argument("port", "Port to listen on; 0 takes a free one.", default="8410")


def command(tokens: Sequence[str]) -> int:
    """Serve until Ctrl-C: `neondba serve`."""
    from neondba.surfaces import server_command

    return server_command.run("serve", _SUMMARY, [_PORT], tokens, _serve)


def _serve(base: Context, values: dict[str, Any]) -> int:
    import uvicorn

    from neondba.surfaces import output
    from neondba.surfaces.http_app import application

    with _listen(str(values.get("port", _PORT.default))) as listening:
        token, path = _token(base)
        port = listening.getsockname()[1]
        output.out(f"Listening on http://{_HOST}:{port}/v1\nThe bearer token is in {path}")
        config = uvicorn.Config(
            application(base, token), log_level="warning", access_log=False, server_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _listen(port: str) -> socket.socket:
    import socket

    from neondba.core.problem import ArgumentProblem, ConflictProblem

    if not port.isdigit() or int(port) > 65535:
        raise ArgumentProblem("argument-invalid", f"--port: {port} is not a port.", hint="Give 0 to 65535.")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, int(port)))
        # Before the address is printed: a caller may be faster than the server's start.
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ConflictProblem(
            "port-unavailable",
            f"Port {port} of {_HOST} cannot be used: {error.strerror}.",
            hint="Stop the other program, or choose a free port: neondba serve --port 0",
            port=int(port),
        ) from None
    return listening


def _token(base: Context) -> tuple[str, str]:
    """Make a token for this run and store it for its owner only."""
    import os
    import secrets

    from neondba.core.problem import ArgumentProblem

    path = base.settings.state_dir / "http-token"
    token = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
    except OSError as error:
        raise ArgumentProblem(
            "state-dir-unusable",
            f"The state folder {path.parent} cannot be written: {error.strerror}.",
            hint="Choose another one with --state-dir or NEONDBA_STATE_DIR.",
        ) from None
    return token, str(path)
