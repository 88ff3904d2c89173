"""One project on a local Neon of its own, and Node to run official clients with."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
from contextlib import closing
from urllib.parse import urlencode

import pytest
from client_parts import CLIENTS, changed


@pytest.fixture(scope="module")
def api(server):
    """Ask the API itself: what a client has done is checked without another client."""

    def ask(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)
        with closing(connection):
            connection.request(
                method, "/api/v2" + path, body and json.dumps(body), {"Authorization": "Bearer any"}
            )
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status < 300, said
            return json.loads(said) if said else None

    return ask


@pytest.fixture(scope="module")
def project(api):
    return api("POST", "/projects", {"project": {"name": "shop"}})


@pytest.fixture(scope="module")
def url(project):
    """The connection string that the API gave, as it is."""
    return project["connection_uris"][0]["connection_uri"]


@pytest.fixture(scope="module")
def pooled(api, project):
    """The pooled connection string of the API."""
    query = urlencode({"database_name": "neondb", "role_name": "neondb_owner", "pooled": "true"})
    return api("GET", f"/projects/{project['project']['id']}/connection_uri?{query}")["uri"]


@pytest.fixture(scope="module")
def verified(url, server):
    """The same, checking the server's certificate and name."""
    return changed(url, sslmode="verify-full", sslrootcert=server.ca)


@pytest.fixture(scope="module")
def node(server):
    """Run a script of `tests/clients/scripts`; it prints JSON."""
    program = shutil.which("node")
    assert program, "Node is not installed: make test brings it"

    def run(script, **environment):
        given = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "NODE_EXTRA_CA_CERTS": server.ca}
        done = subprocess.run(
            [program, "--no-warnings", str(CLIENTS / "scripts" / script)],
            env={**given, "API": f"http://127.0.0.1:{server.api_port}/api/v2", **environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
