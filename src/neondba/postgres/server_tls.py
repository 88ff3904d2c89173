"""What a server shows of itself before anybody logs in: its certificate, and whether it holds."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

PATIENCE: Final = 5.0
_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate, and what keeps it from being trusted, if anything."""

    version: str
    issuer: str
    ends: datetime
    why_not: str
    """Empty where its chain and its host name hold."""


def look(host: str, port: int, root: str | None) -> Certificate | str:
    """Encrypt and hang up, before any name or password is sent; or say why that cannot be.

    `root` names a file of authorities; the system's count where it is absent or `system`.
    """
    try:
        context = ssl.create_default_context(cafile=root if root and root != "system" else None)
        return _shown(host, port, context, "")
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
    except (OSError, EOFError) as error:
        return _reason(error, root)
    try:
        return _shown(host, port, _unchecked(), why)
    except (OSError, EOFError) as error:
        return _reason(error, root)


def _shown(host: str, port: int, context: ssl.SSLContext, why: str) -> Certificate:
    from cryptography import x509

    with closing(socket.create_connection((host, port), timeout=PATIENCE)) as raw:
        raw.sendall(_SSL_REQUEST)
        if raw.recv(1) != b"S":
            raise EOFError("the server offers no TLS")
        with context.wrap_socket(raw, server_hostname=host) as tls:
            der = tls.getpeercert(binary_form=True) or b""
            read = x509.load_der_x509_certificate(der)
            issuer = read.issuer.rfc4514_string()
            return Certificate(tls.version() or "TLS", issuer, read.not_valid_after_utc, why)


def _unchecked() -> ssl.SSLContext:
    """Encrypt without a check: only to read the certificate; no password goes this way."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: OSError | EOFError, root: str | None) -> str:
    if root and root != "system" and not Path(root).is_file():
        return f"there is no file {root} of authorities"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
