"""Ask an application's own addresses while its database is disturbed."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from neondba.core.problem import ArgumentProblem

PAUSE: Final = 0.1
PATIENCE: Final = 30.0


@dataclass(frozen=True)
class Answer:
    """One request and what came back."""

    url: str
    at: float
    seconds: float
    status: int
    """0 where nothing came back."""

    @property
    def good(self) -> bool:
        """True for an answer that is no error of the server."""
        return 0 < self.status < 500


@dataclass
class Visitor:
    """Asks the addresses in turn, from the first that answers until it is told to stop."""

    urls: Sequence[str]
    answers: list[Answer] = field(default_factory=list)
    _ready: float | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self, begun: float) -> None:
        """Begin to ask; moments count from `begun`."""
        if self.urls:
            self._thread = threading.Thread(target=self._visit, args=(begun,), daemon=True)
            self._thread.start()

    def elapsed(self, begun: float) -> float:
        """Give the seconds since the first address answered, or since the beginning where none is asked."""
        if not self.urls:
            return time.monotonic() - begun
        return 0.0 if self._ready is None else time.monotonic() - self._ready

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE + 5)

    def _visit(self, begun: float) -> None:
        number = 0
        while not self._over.wait(PAUSE):
            url = self.urls[number % len(self.urls)]
            number += 1
            at = time.monotonic()
            status = _asked(url)
            if status and self._ready is None:
                self._ready = time.monotonic()
            if self._ready is not None and not self._over.is_set():
                self.answers.append(Answer(url, at - begun, time.monotonic() - at, status))


def checked(urls: Sequence[str]) -> None:
    """Refuse what is no web address on this machine.

    Raises:
        ArgumentProblem: an address is none that can be asked.
    """
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ArgumentProblem(
                "url-not-local",
                f"{url} is no address of an application on this machine.",
                hint="Write it as http://127.0.0.1:8000/path.",
            )


def _asked(url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE)
    with closing(connection):
        try:
            connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0
        return answer.status
