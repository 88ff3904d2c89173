"""Close connections whose request does not arrive: uvicorn would wait for it for ever."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE: Final = 30.0
"""Seconds for the head of a request, and for what comes after a request that was refused early."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 for clients that say what they want within half a minute."""

    patience = PATIENCE
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Expect a request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Read on; the time runs while no request is being answered."""
        super().data_received(data)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._forget()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Expect the next request, or the rest of one that was refused before its end."""
        super().on_response_complete()
        self._expect()

    def _expect(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._limit is None:
            self._limit = self.loop.call_later(self.patience, self._enough)

    def _forget(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _enough(self) -> None:
        self._limit = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
