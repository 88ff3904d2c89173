"""The example application with its filters taken out, and a Better Auth that publishes test keys."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from neondba.core.secret import Secret

_FILTERS = (
    (r"\.where\(\w+\.user_id == [\w.]+\)", ""),
    (r" or \w+\.user_id != user\.id", ""),
    (r"user_id = '\{user\.id\}' AND ", ""),
)


def without_filters(folder: Path) -> None:
    """Take every comparison with the caller out of the routes, and give them the user's session."""
    for path in (folder / "app" / "routers").glob("*.py"):
        text = path.read_text()
        for pattern, instead in _FILTERS:
            text = re.sub(pattern, instead, text)
        if path.stem != "__init__":
            assert ".user_id ==" not in text
            assert ".user_id !=" not in text
            text = text.replace(
                "from app.database import SessionDep", "from app.user_session import UserSessionDep"
            )
            text = re.sub(r"\bSessionDep\b", "UserSessionDep", text.replace("UserSessionDep", "SessionDep"))
            text = text.replace("from app.auth import CurrentUser", "from app.signed_in import CurrentUser")
        path.write_text(text)
    (folder / "app" / "signed_in.py").write_text(
        "from typing import Annotated\nfrom fastapi import Depends\nfrom app.auth import User\n"
        "from app.user_session import UserId\n\n"
        "def current(user: UserId) -> User:\n    return User(id=user)\n\n"
        "CurrentUser = Annotated[User, Depends(current)]\n"
    )


@dataclass
class Service:
    """A running application and the keys of its sign-in."""

    address: str
    issuer: str
    key: Ed25519PrivateKey

    def token(self, user: str, **changes: object) -> str:
        """Sign a token as Better Auth does; changed claims make a false one."""
        claims: dict[str, object] = {
            "sub": user,
            "iss": self.issuer,
            "aud": self.issuer,
            "exp": time.time() + 600,
        }
        if changes.get("alg") == "HS256":
            return jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": "test"})
        return jwt.encode({**claims, **changes}, self.key, algorithm="EdDSA", headers={"kid": "test"})

    def call(self, method: str, path: str, token: str, body: object = None) -> tuple[int, Any]:
        """Send a request; give status and answer."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None


@contextmanager
def serving(folder: Path, url: Secret) -> Iterator[Service]:
    """Start the application as the steps of the plan say, with the keys that it fetches."""
    key = Ed25519PrivateKey.generate()
    with _keys(key) as issuer:
        port = _free_port()
        environment = {
            **os.environ,
            "DATABASE_URL": url.reveal().replace("postgresql://", "postgresql+psycopg://", 1),
            "BETTER_AUTH_URL": issuer,
        }
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "app.main:app",
            "--port",
            str(port),
            "--log-level",
            "error",
        ]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await(process, port)
            yield Service(f"http://127.0.0.1:{port}", issuer, key)
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def _keys(key: Ed25519PrivateKey) -> Iterator[str]:
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    answer = json.dumps({"keys": [{**public, "kid": "test", "alg": "EdDSA", "use": "sig"}]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/auth/jwks" else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, "the application did not start"
            assert time.monotonic() < deadline
            threading.Event().wait(0.05)
        else:
            return
