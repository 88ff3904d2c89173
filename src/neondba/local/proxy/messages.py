"""The PostgreSQL protocol's messages, as far as a proxy reads or writes them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PROTOCOL_3: Final = 3 << 16
SSL_REQUEST: Final = 80877103
GSSENC_REQUEST: Final = 80877104
CANCEL_REQUEST: Final = 80877102
LONGEST_STARTUP: Final = 10_000
"""PostgreSQL's own bound on a start-up packet."""


class ProtocolError(Exception):
    """The peer does not speak the protocol."""


@dataclass(frozen=True)
class Startup:
    """A client introduces itself."""

    version: int
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Cancel:
    """Someone asks for a running statement to be stopped."""

    pid: int
    key: bytes


@dataclass(frozen=True)
class Encrypt:
    """A client asks for encryption before it introduces itself."""

    gss: bool


def read_first(body: bytes) -> Startup | Cancel | Encrypt:
    """Read a first packet, without its length word.

    Raises:
        ProtocolError: it is none that we know.
    """
    if len(body) < 4:
        raise ProtocolError("invalid length of startup packet")
    (code,) = struct.unpack_from("!I", body)
    if code in (SSL_REQUEST, GSSENC_REQUEST) and len(body) == 4:
        return Encrypt(gss=code == GSSENC_REQUEST)
    if code == CANCEL_REQUEST and 12 <= len(body) <= 264:
        return Cancel(struct.unpack_from("!I", body, 4)[0], body[8:])
    if code >> 16 != 3:
        raise ProtocolError(f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}")
    return Startup(code, _parameters(body[4:]))


def _parameters(body: bytes) -> dict[str, str]:
    if not body.endswith(b"\0"):
        raise ProtocolError("invalid startup packet layout: expected terminator as last byte")
    words = body[:-1].split(b"\0")
    if words.pop() != b"" or len(words) % 2:
        raise ProtocolError("invalid startup packet layout: expected terminator as last byte")
    try:
        text = [word.decode() for word in words]
    except UnicodeDecodeError:
        raise ProtocolError("invalid byte sequence in startup packet") from None
    if not all(text[::2]):
        raise ProtocolError("invalid startup packet layout: empty parameter name")
    return dict(zip(text[::2], text[1::2], strict=True))


def startup(version: int, parameters: Mapping[str, str]) -> bytes:
    """Write a start-up packet, with its length word."""
    words = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items())
    return _packet(struct.pack("!I", version) + words + b"\0")


def cancel(pid: int, key: bytes) -> bytes:
    """Write a cancel request, with its length word."""
    return _packet(struct.pack("!II", CANCEL_REQUEST, pid) + key)


def _packet(body: bytes) -> bytes:
    return struct.pack("!I", len(body) + 4) + body


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Write a typed message."""
    return kind + _packet(body)


def authentication(code: int, body: bytes = b"") -> bytes:
    """Write an Authentication message: 0 is Ok, 3 a cleartext password, 10 to 12 SASL."""
    return message(b"R", struct.pack("!I", code) + body)


def sasl_mechanisms(names: list[str]) -> bytes:
    """Write the list of SASL mechanisms a client may choose from."""
    return authentication(10, b"".join(name.encode() + b"\0" for name in names) + b"\0")


def backend_key(pid: int, key: bytes) -> bytes:
    """Write BackendKeyData: what a cancel request must carry."""
    return message(b"K", struct.pack("!I", pid) + key)


def parameter_status(name: str, value: str) -> bytes:
    """Write ParameterStatus."""
    return message(b"S", f"{name}\0{value}\0".encode())


def negotiate(version: int, unknown: list[str]) -> bytes:
    """Write NegotiateProtocolVersion: what we speak, and the options that we do not know."""
    words = b"".join(name.encode() + b"\0" for name in unknown)
    return message(b"v", struct.pack("!II", version, len(unknown)) + words)


def error(text: str, *, code: str = "XX000", severity: str = "ERROR", hint: str | None = None) -> bytes:
    """Write an ErrorResponse."""
    fields = [("S", severity), ("V", severity), ("C", code), ("M", text)]
    fields += [("H", hint)] if hint else []
    return message(b"E", b"".join(f"{kind}{value}\0".encode() for kind, value in fields) + b"\0")


def fields_of(body: bytes) -> dict[str, str]:
    """Read an ErrorResponse's fields by their letters."""
    parts = [part for part in body.split(b"\0") if part]
    return {chr(part[0]): part[1:].decode(errors="replace") for part in parts}


def sasl_initial(body: bytes) -> tuple[str, bytes]:
    """Read a SASLInitialResponse: the mechanism and the client's first message.

    Raises:
        ProtocolError: it is malformed.
    """
    name, found, rest = body.partition(b"\0")
    if not found or len(rest) < 4:
        raise ProtocolError("invalid SASL response")
    (length,) = struct.unpack_from("!i", rest)
    if length != len(rest) - 4:
        raise ProtocolError("invalid SASL response")
    return name.decode("ascii", errors="replace"), rest[4:]
