"""The official serverless driver, run by Node against a local Neon."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parents[2] / "clients" / "node_modules"
PRELUDE = """
const { neon, neonConfig, Client, Pool, NeonDbError } = require('@neondatabase/serverless');
const { url, port, secure } = JSON.parse(process.env.GIVEN);
neonConfig.fetchEndpoint = `http://127.0.0.1:${port}/sql`;
neonConfig.webSocketConstructor = require('ws');
neonConfig.wsProxy = () => `127.0.0.1:${port}/v2`;
neonConfig.useSecureWebSocket = false;
const sql = neon(url);
const failure = async work => {
  try { await work(); } catch (error) { return { ...error, message: error.message, name: error.name }; }
};
const answer = async () => { %s };
answer().then(
  value => { console.log(JSON.stringify(value ?? null)); process.exit(0); },
  error => { console.error(error); process.exit(1); },
);
"""


@dataclass(frozen=True)
class Driver:
    """A project's connection string, and Node to use it."""

    url: str = field(repr=False)
    port: int
    secure: int
    ca: str

    def run(self, script: str, *, url: str | None = None) -> Any:
        """Run the body of an async function; give what it returns."""
        node = shutil.which("node")
        assert node is not None, "Node is not installed"
        given = {"url": url or self.url, "port": self.port, "secure": self.secure}
        done = subprocess.run(
            [node, "-e", PRELUDE % script],
            env={
                "PATH": os.environ["PATH"],
                "NODE_PATH": str(CLIENTS),
                "NODE_EXTRA_CA_CERTS": self.ca,
                "NODE_NO_WARNINGS": "1",
                "GIVEN": json.dumps(given),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    def ask(self, body: Any, *, method: str = "POST", **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Ask `/sql` without the driver."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {"Neon-Connection-String": self.url}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, bytes) else json.dumps(body)
        connection.request(method, "/sql", text, given)
        said = connection.getresponse()
        content = said.read()
        connection.close()
        found = {name.lower(): value for name, value in said.getheaders()}
        return said.status, json.loads(content) if content else None, found


def api(port: int, method: str, path: str, body: Any = None) -> Any:
    """Ask the API."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    connection.request(method, "/api/v2" + path, body and json.dumps(body), headers)
    said = connection.getresponse()
    content = said.read()
    connection.close()
    assert said.status < 300, content
    return json.loads(content)


def wait_for(comes_true: Callable[[], object]) -> None:
    """Look again and again until it comes true."""
    for _ in range(600):
        if comes_true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not come true")


def parts(url: str) -> tuple[str, str]:
    """Give login and endpoint of a connection string, whichever form the server chose."""
    login, _, rest = url.removeprefix("postgresql://").partition("@")
    label = rest.partition("endpoint%3D")[2].partition("&")[0] or rest.partition(".")[0]
    return login, label


def by_option(url: str) -> str:
    """Give a connection string whose options name the endpoint."""
    login, label = parts(url)
    return f"postgresql://{login}@127.0.0.1:5432/neondb?options=endpoint%3D{label}"


def by_host(url: str) -> str:
    """Give a connection string whose host names the endpoint: the driver resolves no name."""
    login, label = parts(url)
    return f"postgresql://{login}@{label}.localhost/neondb"
