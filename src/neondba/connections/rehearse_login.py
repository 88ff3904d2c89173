"""Let a client into the relay, and log the relay in where the client wanted to go.

A client that names a role that is known here proves its password by SCRAM, with channel binding where it asks
for that, as on Neon. Any other role sends its password in clear, which never leaves this machine, and the
relay hands it on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neondba.core.secret import Secret
from neondba.local.proxy import messages
from neondba.local.proxy.messages import Cancel, Encrypt, ProtocolError, Startup
from neondba.local.proxy.scram import SHA256, SHA256_PLUS, Exchange, ScramError, Verifier

TLS_RECORD: Final = 0x16
LONGEST: Final = 1 << 16
PATIENCE: Final = 60.0
"""Seconds to wait for a compute that may have to wake first."""


class Refused(Exception):
    """The server does not let the client in; `packet` is what it said."""

    def __init__(self, packet: bytes) -> None:
        super().__init__("refused")
        self.packet = packet


@dataclass(frozen=True)
class Goal:
    """Where the relay goes for its clients."""

    host: str
    port: int
    routing: str
    """What names the endpoint in `options`, where the host name does not."""
    logins: Mapping[str, Secret]
    """The passwords of the roles that are known here: their clients need not send them in clear."""
    verified: bool
    """True to have the server's certificate checked."""


@dataclass(frozen=True)
class Certificate:
    """The relay's own certificate, and what SCRAM binds to."""

    context: ssl.SSLContext
    digest: bytes

    @classmethod
    def of(cls, certificate: Path, key: Path) -> Certificate:
        """Load it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["postgresql"])
        der = ssl.PEM_cert_to_DER_cert(certificate.read_text(encoding="ascii"))
        return cls(context, hashlib.sha256(der).digest())


class Line:
    """A blocking socket on which messages are read one by one."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def exactly(self, count: int) -> bytes:
        """Read so many bytes.

        Raises:
            EOFError: the peer has gone before.
        """
        got = bytearray()
        while len(got) < count:
            more = self.sock.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return bytes(got)

    def packet(self) -> bytes:
        """Read a length word and what it counts.

        Raises:
            ProtocolError: the length cannot be right.
        """
        length = int.from_bytes(self.exactly(4), "big")
        if not 4 <= length <= LONGEST:
            raise ProtocolError("invalid length of a packet")
        return self.exactly(length - 4)

    def message(self) -> tuple[bytes, bytes]:
        """Read a typed message."""
        return self.exactly(1), self.packet()

    def close(self) -> None:
        """Close it; in TLS say so first, as a server does, or clients take it for an attack."""
        if isinstance(self.sock, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self.sock.setblocking(False)
                self.sock.unwrap()
        self.sock.close()


def introduced(line: Line, certificate: Certificate) -> Startup | Cancel:
    """Agree on encryption, if the client wants any, and read what it is here for.

    Raises:
        ProtocolError: it does not speak the protocol.
    """
    if line.sock.recv(1, socket.MSG_PEEK)[:1] == bytes([TLS_RECORD]):
        line.sock = certificate.context.wrap_socket(line.sock, server_side=True)
    for _ in range(3):
        match messages.read_first(line.packet()):
            case Encrypt(gss=False):
                line.sock.sendall(b"S")
                line.sock = certificate.context.wrap_socket(line.sock, server_side=True)
            case Encrypt():
                line.sock.sendall(b"N")
            case Startup() | Cancel() as first:
                return first
    raise ProtocolError("too many encryption requests")


def proven(line: Line, startup: Startup, goal: Goal, certificate: Certificate) -> Secret:
    """Let the client prove who it is; give the password to log in with.

    Raises:
        Refused: the password of a role that is known here is wrong.
        ProtocolError: the client breaks the protocol.
    """
    role = startup.parameters.get("user", "")
    if role not in goal.logins:
        line.sock.sendall(messages.authentication(3))
        return Secret(_answer(line).removesuffix(b"\0").decode(errors="replace"))
    bound = [SHA256_PLUS] if isinstance(line.sock, ssl.SSLSocket) else []
    line.sock.sendall(messages.sasl_mechanisms([*bound, SHA256]))
    mechanism, first = messages.sasl_initial(_answer(line))
    try:
        exchange = Exchange(_verifier(goal.logins[role]), mechanism, certificate.digest)
        line.sock.sendall(messages.authentication(11, exchange.challenge(first)))
        proof = exchange.outcome(_answer(line))
    except ScramError as error:
        raise ProtocolError(str(error)) from None
    if proof is None:
        said = f"password authentication failed for user '{role}'"
        raise Refused(messages.error(said, code="28P01", severity="FATAL"))
    line.sock.sendall(messages.authentication(12, proof))
    return goal.logins[role]


def _answer(line: Line) -> bytes:
    kind, body = line.message()
    if kind != b"p":
        raise ProtocolError("expected a password")
    return body


def _verifier(password: Secret) -> Verifier:
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return Verifier(4096, salt, stored, hmac.digest(salted, b"Server Key", "sha256"))


def reached(goal: Goal) -> Line:
    """Connect to the server, by TLS.

    Raises:
        OSError: nobody answers, or the certificate is not the host's.
    """
    sock = socket.create_connection((goal.host, goal.port), timeout=PATIENCE)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"\x00\x00\x00\x08" + messages.SSL_REQUEST.to_bytes(4, "big"))
        if sock.recv(1) != b"S":
            raise ConnectionError("the server does not encrypt")
        context = ssl.create_default_context()
        if not goal.verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return Line(context.wrap_socket(sock, server_hostname=goal.host))
    except BaseException:
        sock.close()
        raise


def logged_in(line: Line, startup: Startup, goal: Goal, password: Secret) -> None:
    """Log in as the client wanted; what the server says afterwards is the client's to read.

    Raises:
        Refused: the server does not let it in.
        ProtocolError: it asks for what the relay does not know.
    """
    line.sock.sendall(messages.startup(startup.version, _parameters(startup.parameters, goal)))
    scram: _Scram | None = None
    while True:
        kind, body = line.message()
        if kind == b"E":
            raise Refused(messages.message(b"E", body))
        if kind != b"R":
            continue
        code = int.from_bytes(body[:4], "big")
        if code == 0:
            return
        if code == 3:
            line.sock.sendall(messages.message(b"p", password.reveal().encode() + b"\0"))
        elif code == 10:
            scram = _Scram(password)
            line.sock.sendall(messages.message(b"p", scram.first()))
        elif code == 11 and scram is not None:
            line.sock.sendall(messages.message(b"p", scram.final(body[4:].decode())))
        elif code != 12:
            raise ProtocolError("the server asks for an unknown kind of password")


def _parameters(given: Mapping[str, str], goal: Goal) -> dict[str, str]:
    found = dict(given)
    if goal.routing:
        found["options"] = f"{goal.routing} {found.get('options', '')}".strip()
    return found


class _Scram:
    """The client's side of SCRAM-SHA-256."""

    def __init__(self, password: Secret) -> None:
        self._password = password
        self._bare = f"n=,r={secrets.token_urlsafe(18)}"

    def first(self) -> bytes:
        said = f"n,,{self._bare}".encode()
        return SHA256.encode() + b"\0" + len(said).to_bytes(4, "big") + said

    def final(self, challenge: str) -> bytes:
        parts = dict(part.split("=", 1) for part in challenge.split(","))
        salt, rounds = base64.b64decode(parts["s"]), int(parts["i"])
        salted = hashlib.pbkdf2_hmac("sha256", self._password.reveal().encode(), salt, rounds)
        key = hmac.digest(salted, b"Client Key", "sha256")
        unproven = f"c=biws,r={parts['r']}"
        said = f"{self._bare},{challenge},{unproven}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), said, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{unproven},p={base64.b64encode(proof).decode()}".encode()
