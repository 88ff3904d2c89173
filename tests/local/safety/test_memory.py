"""A client that asks for too much costs the server little."""

from __future__ import annotations

import resource
import socket
import sys

import pytest

from neondba.postgres.wire_query import TooLarge, WireConnection

WIDE = "select repeat('x', 1000000) from generate_series(1, 400)"
FAR_LESS_THAN_ALL = 150 << 20


def highest() -> int:
    """Give the most memory that this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


def test_an_answer_that_is_too_large_is_not_read_to_its_end(inside):
    branch_id = inside.project()["branch"]["id"]
    compute = inside.plane.computes.start(inside.timeline(branch_id))
    parameters = {"user": "neondb_owner", "dbname": "neondb"}
    connection = WireConnection(str(compute.place.sockets), parameters)
    before = highest()
    with pytest.raises(TooLarge):
        connection.run(WIDE, [], 1 << 20)
    connection.close()
    assert highest() - before < FAR_LESS_THAN_ALL


def test_a_body_is_not_read_before_the_password_fits(server):
    head = (
        "POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n"
        "Neon-Connection-String: postgresql://someone:wrong@ep-none.localhost/neondb\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.api_port), timeout=20) as client:
        client.sendall(head.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 400")
