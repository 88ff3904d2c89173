"""Requests to an application on loopback, one at a time."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

PATIENCE: Final = 15
LARGEST: Final = 2_000_000
_BOUNDARY: Final = "neondba-5c1f0e"


@dataclass(frozen=True)
class Request:
    """What is sent."""

    method: str
    path: str
    """With its identifiers filled in, percent-encoded."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"

    @property
    def target(self) -> str:
        """Path and query."""
        return self.path + (f"?{urlencode(self.query, quote_via=quote)}" if self.query else "")

    @property
    def sent(self) -> str:
        """Everything that was sent, as one text to look for echoes in."""
        from urllib.parse import unquote

        body = (
            self.body
            if isinstance(self.body, str)
            else json.dumps(self.body, ensure_ascii=False, default=str)
        )
        plain = " ".join(value for _, value in self.query)
        return f"{unquote(self.path)} {plain} {' '.join(self.headers.values())} {body}"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str
    failed: str | None = None
    """Why there is no answer."""

    @property
    def fine(self) -> bool:
        """True for a status of 2xx or 3xx."""
        return 200 <= self.status < 400

    @property
    def refused(self) -> bool:
        """True when the caller is not let in."""
        return self.status in (401, 403)

    @property
    def json(self) -> Any:
        """The body as data; nothing when it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def send(port: int, request: Request) -> Answer:
    """Send a request and read the whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Accept": "application/json", **request.headers}
    body: bytes | None = None
    if request.body is not None:
        kind, body = _encoded(request)
        headers["Content-Type"] = kind
    try:
        connection.request(request.method, request.target, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read(LARGEST).decode(errors="replace")
        many = ", ".join(answer.headers.get_all("Set-Cookie") or [])
        return Answer(answer.status, {**dict(answer.headers.items()), "Set-Cookie": many}, text)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(0, {}, "", type(error).__name__)
    finally:
        connection.close()


def _encoded(request: Request) -> tuple[str, bytes]:
    if request.content_type == "application/x-www-form-urlencoded" and isinstance(request.body, dict):
        pairs = [
            (k, v if isinstance(v, str) else json.dumps(v)) for k, v in request.body.items() if v is not None
        ]
        return request.content_type, urlencode(pairs).encode()
    if request.content_type == "multipart/form-data" and isinstance(request.body, dict):
        return f"multipart/form-data; boundary={_BOUNDARY}", _multipart(request.body)
    kind = request.content_type if "json" in request.content_type else "application/json"
    return kind, json.dumps(request.body).encode()


def _multipart(body: Mapping[str, Any]) -> bytes:
    parts = []
    for name, value in body.items():
        for one in value if isinstance(value, list) else [value]:
            file = f'; filename="{name}.txt"\r\nContent-Type: text/plain' if isinstance(one, bytes) else ""
            text = (
                one.decode() if isinstance(one, bytes) else one if isinstance(one, str) else json.dumps(one)
            )
            parts.append(
                f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{text}\r\n'
            )
    return ("".join(parts) + f"--{_BOUNDARY}--\r\n").encode()
