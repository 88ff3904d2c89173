"""A server that answers in another's place and asks for the password in plain."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_ASK = b"R" + struct.pack("!ii", 8, 3)


@dataclass
class Impostor:
    """Where it listens, and what it has heard."""

    port: int
    heard: list[bytes] = field(default_factory=list)


def authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _signed("an authority", key, None, None, days=30), key


def certificate(folder: Path, ca, name: str, *, days: int = 30) -> Path:
    """Write a server's certificate and key of an authority for a host name."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _signed(name, key, *ca, days=days)
    path = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def _signed(name: str, key, ca, ca_key, *, days: int) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject if ca else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=40))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=None), critical=True)
    )
    if ca is None:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        known = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        builder = builder.add_extension(x509.SubjectAlternativeName([known]), critical=False)
    return builder.sign(ca_key or key, hashes.SHA256())


@contextmanager
def impostor(pem: Path | None) -> Iterator[Impostor]:
    """Listen on this machine; without a certificate, say that there is no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Impostor(server.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client, suppress(OSError, struct.error):
                    client.settimeout(20)
                    _talk(client, pem, made)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _talk(client: socket.socket, pem: Path | None, made: Impostor) -> None:
    first = client.recv(4096)
    if first == struct.pack("!ii", 8, 80877103):
        client.sendall(b"S" if pem else b"N")
        if pem is None:
            _ask(client, client.recv(4096), made)
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        with context.wrap_socket(client, server_side=True) as safe:
            _ask(safe, safe.recv(4096), made)
    elif first:
        _ask(client, first, made)


def _ask(client: socket.socket, startup: bytes, made: Impostor) -> None:
    if startup:
        client.sendall(_ASK)
        answer = client.recv(4096)
        if answer[:1] == b"p":
            made.heard.append(answer[5:].rstrip(b"\0"))
