"""A real HTTP server on loopback that answers from a script, and a clock that does not wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from neondba.core.context import Clock


class MovedClock(Clock):
    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Script:
    """Answers by `METHOD /path`, each used once but the last; and what was asked."""

    answers: dict[str, list[tuple[int, Any, dict[str, str]]]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, call: str, body: Any, status: int = 200, **headers: str) -> None:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        self.answers.setdefault(call, []).append((status, body, named))

    def calls(self) -> list[str]:
        return [call for call, _ in self.asked]


@contextmanager
def served() -> Iterator[Script]:
    made = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def _any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            call = f"{self.command} {self.path.partition('?')[0].removeprefix('/api/v2')}"
            made.asked.append((call, body if body is not None else self.path.partition("?")[2]))
            known = made.answers.get(call) or [(404, {"code": "", "message": "not scripted"}, {})]
            status, answer, headers = known.pop(0) if len(known) > 1 else known[0]
            if status == 0:
                self.close_connection = True
                return
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}/api/v2"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


NOW = "2026-11-21T00:00:00Z"


def project(name: str = "shop", id_: str = "calm-sun-12345678", **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": name, "created_at": NOW, "a_field_of_tomorrow": 1, **more}


def branch(name: str = "main", id_: str = "br-calm-sun-1", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "project_id": "calm-sun-12345678",
        "name": name,
        "current_state": "ready",
        "created_at": NOW,
        **more,
    }


def operation(status: str, id_: str = "op-1", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "project_id": "calm-sun-12345678",
        "action": "create_branch",
        "status": status,
        **more,
    }
