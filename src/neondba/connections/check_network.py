"""The way to the server, step by step: name, port, encryption, how it asks for the password."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neondba.connections.check_results import CheckLine, fault, not_checked, note, ok
from neondba.core.context import Clock
from neondba.neon.connection_string import ConnectionString

PATIENCE: Final = 10.0
TRIES: Final = 3
FAR: Final = 0.030
"""Seconds of one way and back from which on a region counts as far."""
_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
_PROTOCOL_3: Final = 196608
_SASL: Final = 10


@dataclass
class Network:
    """What the way to the server showed."""

    lines: list[CheckLine] = field(default_factory=list)
    reached: bool = False
    round_trip: float | None = None
    """Seconds, of the best of some tries."""


def look(url: ConnectionString, clock: Clock) -> Network:
    """Resolve the name, open the port, encrypt, and hear how the password is asked for."""
    seen = Network()
    host, port = url.host.strip("[]") or "localhost", url.port or 5432
    addresses = _resolved(host, port, seen, clock)
    if not addresses:
        seen.lines += [not_checked(name, "the name has no address") for name in ("tcp", "tls", "channel")]
        return seen
    if not _opened(addresses, host, port, seen, clock):
        seen.lines += [not_checked(name, "the port is not open") for name in ("tls", "channel")]
        return seen
    seen.reached = True
    seen.lines.append(_distance(url, seen.round_trip))
    seen.lines += _encrypted(url, host, port)
    return seen


def _resolved(host: str, port: int, seen: Network, clock: Clock) -> list[str]:
    start = clock.monotonic()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        seen.lines.append(
            fault("dns", f"{host} has no address: {error.strerror}.", "Copy the host of the endpoint again.")
        )
        return []
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    seen.lines.append(ok("dns", f"{host} is {', '.join(addresses)} ({_ms(clock.monotonic() - start)})"))
    return addresses


def _opened(addresses: list[str], host: str, port: int, seen: Network, clock: Clock) -> bool:
    """Open the port at each address; note the shortest time of all."""
    failed: dict[str, str] = {}
    for address in addresses:
        for _ in range(TRIES):
            start = clock.monotonic()
            try:
                socket.create_connection((address, port), timeout=PATIENCE).close()
            except OSError as error:
                failed[address] = error.strerror or str(error)
                break
            took = clock.monotonic() - start
            seen.round_trip = took if seen.round_trip is None else min(took, seen.round_trip)
    reasons = "; ".join(f"{address}: {why}" for address, why in failed.items())
    if len(failed) == len(addresses):
        do = f"Open outgoing TCP {port}, or check the port: Neon listens on 5432."
        seen.lines.append(fault("tcp", f"port {port} of {host} is not open from here: {reasons}.", do))
        return False
    said = f"{host}:{port} opens in {_ms(seen.round_trip or 0)} (best of {TRIES} at each address)"
    seen.lines.append(note("tcp", f"{said}; but {reasons}") if failed else ok("tcp", said))
    return True


def _distance(url: ConnectionString, round_trip: float | None) -> CheckLine:
    if url.region is None:
        return not_checked("region", "the host name names no region of Neon")
    took = round_trip or 0.0
    said = f"{url.region} is {_ms(took)} away, measured by opening TCP; each statement waits at least so long"
    return ok("region", said) if took < FAR else note("region", said, "Run the program near that region.")


def _encrypted(url: ConnectionString, host: str, port: int) -> list[CheckLine]:
    try:
        checked, why = _context(url), ""
    except OSError as error:
        checked, why = None, f"the file in sslrootcert cannot be read: {error.strerror or error}"
    tls: ssl.SSLSocket | None = None
    try:
        if checked is not None:
            tls, why = _handshake(host, port, checked)
        if tls is not None:
            with closing(tls):
                said = f"{tls.version()}; the certificate's chain and host name hold{_certificate(tls)}"
                return [ok("tls", said), *_asked(tls, url)]
        open_eyed, failed = _handshake(host, port, _unchecked())
    except OSError as error:
        return [fault("tls", f"no encryption: {error}.", "Check host and port."), _no_channel()]
    if open_eyed is None:
        return [fault("tls", f"no encryption: {failed or why}.", "Check host and port."), _no_channel()]
    with closing(open_eyed):
        said = f"{open_eyed.version()}{_certificate(open_eyed)}; chain or host name do not hold: {why}"
        strict = (url.parameter("sslmode") or "").startswith("verify")
        do = "Name the authority in sslrootcert, and connect by the endpoint's own host name."
        line = (
            fault("tls", said, do) if strict else note("tls", f"{said}. This sslmode does not check it", do)
        )
        return [line, *_asked(open_eyed, url)]


def _context(url: ConnectionString) -> ssl.SSLContext:
    file = url.parameter("sslrootcert")
    named = file if file and file != "system" and Path(file).exists() else None
    if file and file != "system" and named is None:
        raise FileNotFoundError(2, "No such file", file)
    return ssl.create_default_context(cafile=named)


def _unchecked() -> ssl.SSLContext:
    """Encrypt without a check: only to say what the server shows; no password goes this way."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _handshake(host: str, port: int, context: ssl.SSLContext) -> tuple[ssl.SSLSocket | None, str]:
    """Encrypt; or say why the server or its certificate is not accepted."""
    raw = socket.create_connection((host, port), timeout=PATIENCE)
    try:
        raw.sendall(_SSL_REQUEST)
        answer = raw.recv(1)
        if answer != b"S":
            raw.close()
            return None, "the server offers no TLS, so it is not Neon" if answer == b"N" else "it hung up"
        return context.wrap_socket(raw, server_hostname=host), ""
    except ssl.SSLCertVerificationError as error:
        raw.close()
        return None, error.verify_message
    except ssl.SSLError as error:
        raw.close()
        return None, error.reason or str(error)


def _certificate(tls: ssl.SSLSocket) -> str:
    from cryptography import x509

    der = tls.getpeercert(binary_form=True)
    if not der:
        return ""
    read = x509.load_der_x509_certificate(der)
    issuer = read.issuer.rfc4514_string()
    return f"; issued by {issuer}, ends {read.not_valid_after_utc:%Y-%m-%d}"


def _asked(tls: ssl.SSLSocket, url: ConnectionString) -> list[CheckLine]:
    """Start a session as far as the question for the password, and hang up."""
    tls.settimeout(PATIENCE)
    try:
        tls.sendall(_startup(url))
        kind, body = _packet(tls.recv)
    except (OSError, EOFError) as error:
        return [not_checked("channel", f"the server did not answer: {error}")]
    if kind == b"E":
        return [not_checked("channel", f"refused before the password: {_message(body)}")]
    method = struct.unpack("!i", body[:4])[0] if kind == b"R" and len(body) >= 4 else -1
    if method != _SASL:
        return [not_checked("channel", f"the server asks in another way than SCRAM (method {method})")]
    offered = body[4:].split(b"\0")
    wanted = url.parameter("channel_binding")
    if b"SCRAM-SHA-256-PLUS" in offered:
        more = "" if wanted == "require" else "; channel_binding=require would insist on it"
        return [ok("channel", f"channel binding is offered (SCRAM-SHA-256-PLUS){more}")]
    if wanted == "require":
        do = "Connect to the endpoint itself, or take channel_binding=require out."
        return [fault("channel", "channel binding is required, and the server offers none", do)]
    return [note("channel", "the server offers no channel binding")]


def _startup(url: ConnectionString) -> bytes:
    said = {"user": url.role or "", "database": url.database or url.role or "", "application_name": "neondba"}
    if url.parameter("options"):
        said["options"] = url.parameter("options") or ""
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in said.items()) + b"\0"
    return struct.pack("!ii", len(body) + 8, _PROTOCOL_3) + body


def _packet(receive: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    head = b""
    while len(head) < 5:
        head += receive(5 - len(head)) or _end()
    size = min(struct.unpack("!i", head[1:5])[0] - 4, 10_000)
    body = b""
    while len(body) < size:
        body += receive(size - len(body)) or _end()
    return head[:1], body


def _end() -> bytes:
    raise EOFError("it hung up")


def _message(body: bytes) -> str:
    parts = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return parts.get(b"M", "no reason was given")


def _no_channel() -> CheckLine:
    return not_checked("channel", "there is no encryption")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
