"""The door of what we serve on this machine: one port, one token, one name to be addressed by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from neondba.core.problem import ArgumentProblem, ConflictProblem, CredentialsProblem

if TYPE_CHECKING:
    import socket

    from neondba.core.context import Context

HOST = "127.0.0.1"
_OURS = {HOST, "localhost", "::1"}


def listen(port: str, command: str) -> socket.socket:
    """Listen on a port of this machine.

    Raises:
        ArgumentProblem: it is no port.
        ConflictProblem: another program has it.
    """
    import socket

    if not port.isdigit() or int(port) > 65535:
        raise ArgumentProblem("argument-invalid", f"--port: {port} is not a port.", hint="Give 0 to 65535.")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, int(port)))
        # Before the address is printed: a caller may be faster than the server's start.
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ConflictProblem(
            "port-unavailable",
            f"Port {port} of {HOST} cannot be used: {error.strerror}.",
            hint=f"Stop the other program, or choose a free port: {command} --port 0",
            port=int(port),
        ) from None
    return listening


def token(base: Context, name: str) -> tuple[str, str]:
    """Make a token for this run and store it for its owner only; give it and its file.

    Raises:
        ArgumentProblem: the state folder cannot be written.
    """
    import os
    import secrets

    path = base.settings.state_dir / name
    made = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(made + "\n")
    except OSError as error:
        raise ArgumentProblem(
            "state-dir-unusable",
            f"The state folder {path.parent} cannot be written: {error.strerror}.",
            hint="Choose another one with --state-dir or NEONDBA_STATE_DIR.",
        ) from None
    return made, str(path)


def admit(headers: Mapping[str, str], token: str) -> None:
    """Let in only who speaks to this machine by its own name and holds the token.

    Raises:
        CredentialsProblem: neither is so.
    """
    import secrets

    # A page on the web may make its own name point here; its requests then carry that name.
    addressed = _hostname("//" + headers.get("host", ""))
    origin = headers.get("origin")
    if addressed not in _OURS or (origin is not None and _hostname(origin) not in _OURS):
        raise CredentialsProblem(
            "host-refused", "Only this machine is served.", hint="Use the address that the server printed."
        )
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), token.encode()):
        raise CredentialsProblem(
            "token-refused",
            "The bearer token is missing or not this server's.",
            hint="Send Authorization: Bearer and the text of the file that the server printed.",
        )


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
