"""Serve keys and sessions as Better Auth does, for two users who exist only in a proof."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from neondba.core.secret import Secret

LIFETIME: Final = 3600
Claims = dict[str, Any]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Keys:
    """An Ed25519 and an RSA key that live as long as the proof."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

        self._ed = Ed25519PrivateKey.generate()
        self._rsa = generate_private_key(65537, 2048)

    @property
    def published(self) -> dict[str, Any]:
        """The key set as JSON; Better Auth's own kind of key comes first."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        x = self._ed.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        rsa = self._rsa.public_key().public_numbers()
        return {
            "keys": [
                {"kty": "OKP", "crv": "Ed25519", "x": _b64(x), "kid": "ed", "alg": "EdDSA", "use": "sig"},
                {
                    "kty": "RSA", "n": _number(rsa.n), "e": _number(rsa.e), "kid": "rsa", "alg": "RS256",
                    "use": "sig",
                },
            ]
        }  # fmt: skip

    def signed(self, algorithm: str, claims: Mapping[str, Any]) -> Secret:
        """Give a token that the published keys verify."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        said = _parts(
            {"alg": algorithm, "typ": "JWT", "kid": "ed" if algorithm == "EdDSA" else "rsa"}, claims
        )
        if algorithm == "EdDSA":
            return Secret(f"{said}.{_b64(self._ed.sign(said.encode()))}")
        return Secret(f"{said}.{_b64(self._rsa.sign(said.encode(), PKCS1v15(), SHA256()))}")


def signed_with(secret: Secret, claims: Mapping[str, Any]) -> Secret:
    """Give an HS256 token, as an application with its own secret makes them."""
    said = _parts({"alg": "HS256", "typ": "JWT"}, claims)
    mac = hmac.new(secret.reveal().encode(), said.encode(), hashlib.sha256).digest()
    return Secret(f"{said}.{_b64(mac)}")


def signed_cookie(secret: Secret, token: str) -> str:
    """Give a session token with its signature, as Better Auth puts it into a cookie."""
    mac = hmac.new(secret.reveal().encode(), token.encode(), hashlib.sha256).digest()
    return f"{token}.{base64.b64encode(mac).decode()}"


def _parts(head: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return f"{_b64(json.dumps(head).encode())}.{_b64(json.dumps(claims).encode())}"


@dataclass
class IdentityProvider:
    """What answers on loopback, and the tokens it vouches for."""

    url: str
    keys: Keys
    sessions: dict[str, Claims] = field(default_factory=dict)
    """Token to the user behind it: what `get-session` and `userinfo` answer."""
    asked: list[str] = field(default_factory=list)
    """Paths that the application has asked for."""

    def claims(self, user: Mapping[str, Any], audiences: tuple[str, ...] = ()) -> Claims:
        """Give what a token says of a user."""
        now = int(time.time())
        every = list(dict.fromkeys([self.url, *audiences]))
        return {
            **user,
            "iss": self.url,
            "aud": every if len(every) > 1 else self.url,
            "iat": now - 1,
            "exp": now + LIFETIME,
        }

    def answer(self, path: str, headers: Mapping[str, str], form: str = "") -> tuple[int, Any]:
        """Answer a request of the application."""
        self.asked.append(path)
        if "jwks" in path or path.endswith(("/certs", "/keys")):
            return 200, self.keys.published
        if "/.well-known/" in path:
            return 200, {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/api/auth/jwks",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "introspection_endpoint": f"{self.url}/introspect",
            }
        user = self._user(headers, form)
        if path.endswith("/introspect"):
            return 200, {"active": bool(user), **(user or {})}
        if path.endswith(("/get-session", "/session")):
            return 200, {"user": user, "session": {"userId": user["id"]}} if user else None
        if path.endswith(("/userinfo", "/user", "/me")):
            return (200, user) if user else (401, {"error": "invalid_token"})
        return 404, {"error": "not found"}

    def _user(self, headers: Mapping[str, str], form: str) -> Claims | None:
        bearer = headers.get("Authorization", "").partition(" ")[2]
        cookies = headers.get("Cookie", "")
        said = [bearer, *parse_qs(form).get("token", [])]
        said += [unquote(part.partition("=")[2]).partition(".")[0] for part in cookies.split(";")]
        return next((self.sessions[token] for token in said if token in self.sessions), None)


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """Serve on a free port of loopback until the body ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("")

        def do_POST(self) -> None:
            self._reply(
                self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
            )

        def _reply(self, form: str) -> None:
            status, said = provider.answer(urlsplit(self.path).path, dict(self.headers.items()), form)
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the terminal for the user."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = IdentityProvider(f"http://127.0.0.1:{server.server_port}", Keys())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
