"""A project on a local Neon of its own, and how tests reach it."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from neondba.core.context import Context
from neondba.core.settings import Settings


class Shop:
    """The project `shop`: its connection strings, and the API."""

    def __init__(self, state: Path, server) -> None:
        self.state, self.server = state, server
        self.ca = server.ca
        self.made = self.api("POST", "/projects", {"project": {"name": "shop"}})
        self.id = self.made["project"]["id"]
        self.endpoint = self.made["endpoints"][0]["id"]

    def api(self, method, path, body=None):
        """Ask the API itself."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.api_port, timeout=60)) as connection:
            headers = {"Authorization": "Bearer any"}
            connection.request(method, "/api/v2" + path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status < 300, said
            return json.loads(said) if said else None

    @cached_property
    def url(self) -> str:
        """The direct connection string, as the API gave it."""
        return self.made["connection_uris"][0]["connection_uri"]

    @cached_property
    def pooled(self) -> str:
        """The pooled one."""
        query = urlencode({"database_name": "neondb", "role_name": "neondb_owner", "pooled": "true"})
        return self.api("GET", f"/projects/{self.id}/connection_uri?{query}")["uri"]

    @property
    def password(self) -> str:
        return urlsplit(self.url).password

    def context(self, folder: Path) -> Context:
        return Context(settings=Settings(state_dir=self.state, project="shop"), folder=folder)

    def suspend(self) -> None:
        """Suspend the compute, and wait until it is."""
        at = f"/projects/{self.id}/endpoints/{self.endpoint}"
        self.api("POST", f"{at}/suspend")
        while self.api("GET", at)["endpoint"]["current_state"] != "idle":
            pass


def changed(url, *, without=(), base=None, **parameters):
    """Give a connection string with other parameters, or another database."""
    parts = urlsplit(url)
    query = {name: value for name, value in parse_qsl(parts.query) if name not in without} | parameters
    path = parts.path if base is None else "/" + base
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote), path=path))


def with_password(url, password):
    """Give a connection string with another password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{password}@{parts.hostname}:{parts.port}"))


@contextmanager
def listener(answer: bytes | None) -> Iterator[int]:
    """Listen on a port of this machine; answer the first packet of each client so, or never."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                kept.append(client)
                if answer is not None:
                    with suppress(ConnectionError):
                        client.recv(1000)
                        client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            while thread.is_alive():
                # A client that says nothing must not keep the thread in recv().
                for client in kept:
                    with suppress(OSError):
                        client.shutdown(socket.SHUT_RDWR)
                thread.join(0.05)
            for client in kept:
                client.close()


def forget() -> None:
    """Drop the sockets that asyncpg leaves open when a connection fails; it warns of them otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def closed_port() -> int:
    """Give a port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
