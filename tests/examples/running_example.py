"""The example projects, really running: PostgreSQL, Alembic, uvicorn, and a Better Auth stand-in."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OWNER = "neondb_owner"


@dataclass(frozen=True)
class Project:
    """An example with a database of its own."""

    folder: Path
    url: str
    """Of the database, with the role left open: `{role}`."""

    def dsn(self, role: str = OWNER) -> str:
        return self.url.format(driver="postgresql", role=role)

    def environment(self, role: str = OWNER, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATABASE_URL": self.url.format(driver="postgresql+psycopg", role=role),
            "DATABASE_URL_UNPOOLED": self.url.format(driver="postgresql+psycopg", role=OWNER),
            "BETTER_AUTH_URL": "http://127.0.0.1:1",
            **more,
        }

    def alembic(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def migrate(self, *arguments: str) -> None:
        done = self.alembic(*arguments)
        assert done.returncode == 0, done.stderr

    def run(self, statement: str, *, role: str = OWNER) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn(role), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class BetterAuth:
    """Publishes a key as Better Auth does, and signs tokens with it."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        body = json.dumps({"keys": [{**public, "kid": "k1", "alg": "EdDSA", "use": "sig"}]}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def token(self, user: str, *, key: Ed25519PrivateKey | None = None, **claims: Any) -> str:
        said = {"sub": user, "iss": self.url, "aud": self.url, "exp": int(time.time()) + 300, **claims}
        return jwt.encode(said, key or self._key, algorithm="EdDSA", headers={"kid": "k1"})

    def forged(self, user: str) -> str:
        return self.token(user, key=Ed25519PrivateKey.generate())


@dataclass(frozen=True)
class Service:
    """A running example."""

    http: httpx2.Client
    auth: BetterAuth

    def ask(self, user: str | None, method: str, path: str, **given: Any) -> httpx2.Response:
        return self.bearing(self.auth.token(user) if user else None, method, path, **given)

    def bearing(self, token: str | None, method: str, path: str, **given: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.request(method, path, headers=headers, **given)


@contextmanager
def served(project: Project, auth: BetterAuth, role: str, log: Path) -> Iterator[Service]:
    """Serve a project with uvicorn; the socket listens before it starts, so nobody has to wait."""
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("wb") as out:
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app.main:app", "--fd", str(listening.fileno())],
            cwd=project.folder,
            env=project.environment(role, BETTER_AUTH_URL=auth.url),
            pass_fds=[listening.fileno()],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        listening.close()
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
                yield Service(http, auth)
        finally:
            process.terminate()
            process.wait()
