"""What another user of this machine may ask of the local Neon: nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from neondba.local.api.neighbors import is_foreign

ASK = """
import sys, urllib.error, urllib.request
asked = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer any"}, method=sys.argv[2])
try:
    print(urllib.request.urlopen(asked).status)
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""
NOBODY = 65534

other_users = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can ask as another user"
)


@other_users
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/local/status"), ("POST", "/local/stop"), ("GET", "/api/v2/projects"), ("GET", "/nowhere")],
)
@pytest.mark.shows("api.bearer-token")
def test_another_user_of_the_machine_is_refused(server, method, path):
    address = f"http://127.0.0.1:{server.api_port}{path}"
    command = ["/usr/bin/env", "python3", "-c", ASK, address, method]
    asked = subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True)
    status, _, body = asked.stdout.decode().partition(" ")
    assert status == "403", asked
    assert "only to the user who started it" in json.loads(body)["message"]


def test_whoever_started_it_is_answered(server):
    address = f"http://127.0.0.1:{server.api_port}/api/v2/projects"
    asked = urllib.request.Request(address, headers={"Authorization": "Bearer any"})
    assert urllib.request.urlopen(asked).status == 200


def test_one_who_asks_by_an_address_of_the_other_family_is_known():
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_INET6) as client:
        try:
            client.connect(("::ffff:127.0.0.1", listening.getsockname()[1]))
        except OSError:
            pytest.skip("this machine has no IPv6")
        accepted, address = listening.accept()
        with accepted:
            assert not is_foreign(address, listening.getsockname())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_one_who_has_left_is_nobody():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        accepted, address = listening.accept()
        with accepted:
            client.close()
            assert is_foreign(address, listening.getsockname())
