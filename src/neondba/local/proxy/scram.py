"""The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677).

The proxy holds verifiers, not passwords. A role that does not exist gets a verifier made up from a
secret of this process, so that the exchange looks and lasts the same until its end.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import stringprep
import unicodedata
from dataclasses import dataclass
from typing import Final

SHA256: Final = "SCRAM-SHA-256"
SHA256_PLUS: Final = "SCRAM-SHA-256-PLUS"
_VERIFIER: Final = re.compile(r"SCRAM-SHA-256\$([0-9]{1,9}):([^$]+)\$([^:]+):(.+)")
_FIRST: Final = re.compile(
    r"(?P<gs2>(?P<flag>n|y|p=[A-Za-z0-9.-]+),(?:a=[^,]*)?,)(?P<bare>n=[^,]*,r=(?P<nonce>[^,]+).*)"
)
_FINAL: Final = re.compile(r"(?P<unproven>c=(?P<binding>[^,]+),r=(?P<nonce>[^,]+).*),p=(?P<proof>[^,]+)")
_MADE_UP: Final = secrets.token_bytes(32)


class ScramError(Exception):
    """The client's messages are malformed, or ask for what is not offered."""


@dataclass(frozen=True)
class Verifier:
    """What a server keeps of a password."""

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes
    real: bool = True

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read PostgreSQL's form, as in `pg_authid.rolpassword`.

        Raises:
            ScramError: it is not one.
        """
        found = _VERIFIER.fullmatch(text)
        if not found:
            raise ScramError("not a SCRAM verifier")
        return cls(int(found[1]), _decoded(found[2]), _decoded(found[3]), _decoded(found[4]))

    @classmethod
    def made_up(cls, endpoint_id: str, role: str) -> Verifier:
        """Give one that no password fits, the same for the same names."""

        def part(name: str) -> bytes:
            said = f"{name}\0{endpoint_id}\0{role}".encode()
            return hmac.digest(_MADE_UP, said, "sha256")

        return cls(4096, part("salt")[:16], part("stored"), part("server"), real=False)

    def fits(self, password: str) -> bool:
        """Tell whether a password sent in clear is the one."""
        salted = hashlib.pbkdf2_hmac("sha256", _prepared(password), self.salt, self.iterations)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        return hmac.compare_digest(stored, self.stored_key) and self.real


class Exchange:
    """One client's attempt: its two messages in, our two out."""

    def __init__(self, verifier: Verifier, mechanism: str, certificate_hash: bytes) -> None:
        if mechanism not in (SHA256, SHA256_PLUS):
            raise ScramError("client selected an invalid SASL authentication mechanism")
        self._verifier = verifier
        self._plus = mechanism == SHA256_PLUS
        self._certificate_hash = certificate_hash
        self._header = self._said = self._nonce = ""

    def challenge(self, first: bytes) -> bytes:
        """Answer the client's first message.

        Raises:
            ScramError: it is malformed or asks for a binding we do not offer.
        """
        found = _FIRST.fullmatch(_text(first))
        if not found:
            raise ScramError("malformed SCRAM message")
        flag = found["flag"]
        if self._plus != flag.startswith("p="):
            raise ScramError("malformed SCRAM message")
        if self._plus and flag != "p=tls-server-end-point":
            raise ScramError("unsupported SCRAM channel-binding type")
        if flag == "y":
            # The client could bind and thinks we cannot: someone took our offer away.
            raise ScramError("SCRAM channel binding negotiation error")
        self._nonce = found["nonce"] + secrets.token_urlsafe(18)
        salt = base64.b64encode(self._verifier.salt).decode()
        answer = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        self._header, self._said = found["gs2"], f"{found['bare']},{answer}"
        return answer.encode()

    def outcome(self, final: bytes) -> bytes | None:
        """Give our proof when the client's is good, nothing when the password is wrong.

        Raises:
            ScramError: the message is malformed or bound to another channel.
        """
        found = _FINAL.fullmatch(_text(final))
        if not found or not hmac.compare_digest(found["nonce"].encode(), self._nonce.encode()):
            raise ScramError("malformed SCRAM message")
        bound = self._header.encode() + (self._certificate_hash if self._plus else b"")
        if _decoded(found["binding"]) != bound:
            raise ScramError("SCRAM channel binding check failed")
        proof = _decoded(found["proof"])
        said = f"{self._said},{found['unproven']}".encode()
        signature = hmac.digest(self._verifier.stored_key, said, "sha256")
        if len(proof) != len(signature):
            raise ScramError("malformed SCRAM message")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        ours = base64.b64encode(hmac.digest(self._verifier.server_key, said, "sha256"))
        good = hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key)
        return b"v=" + ours if good and self._verifier.real else None


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise ScramError("malformed SCRAM message") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ScramError("malformed SCRAM message") from None


def _prepared(password: str) -> bytes:
    """Normalise as SASLprep does; what it forbids is taken as it is, as PostgreSQL does."""
    if password.isascii():
        return password.encode()
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c)
    )
    return (unicodedata.normalize("NFKC", mapped) or password).encode()
