"""Ask a local Neon that is a process of its own."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from typing import Any


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Ask the API once."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        text = None if body is None else json.dumps(body)
        connection.request(method, "/api/v2" + path, text, {"Authorization": "Bearer any"})
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else {}


def settled(port: int, project: str) -> list[dict[str, Any]]:
    """Wait for every operation of the project; give its branches."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _, found = ask(port, "GET", f"/projects/{project}/operations?limit=1000")
        if all(each["status"] not in ("scheduling", "running") for each in found["operations"]):
            assert [each for each in found["operations"] if each["status"] == "failed"] == []
            branches: list[dict[str, Any]] = ask(port, "GET", f"/projects/{project}/branches")[1]["branches"]
            return branches
    raise AssertionError("operations did not end")
