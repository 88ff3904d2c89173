"""The web servers of one local Neon: one in plain HTTP, one over TLS, the same behind both."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette

from neondba.local.api.patience import PatientProtocol
from neondba.local.proxy.tls import CertificatePaths

CONFIG: Final[dict[str, Any]] = {
    "log_level": "warning",
    "access_log": False,
    "lifespan": "off",
    "http": PatientProtocol,
    "ws": "websockets-sansio",
    "ws_max_size": 64 << 20,
    "ws_per_message_deflate": False,
    "timeout_graceful_shutdown": 5,
}


class _Server(uvicorn.Server):
    """Leave the signals to us: the computes must stop before the process does."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()

    def capture_signals(self) -> Any:
        """Capture none."""
        return nullcontext()

    async def main_loop(self) -> None:
        """Look every second, and when told to stop: ten looks a second cost an idle machine its sleep."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1.0)

    def stop(self) -> None:
        """End; any thread may ask."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._told.set)


class Web:
    """Both servers."""

    def __init__(self, web: Starlette, certificates: CertificatePaths, over: Callable[[], None]) -> None:
        self._over = over
        secure: dict[str, Any] = {"ssl_certfile": certificates.certificate, "ssl_keyfile": certificates.key}
        self._plain = _Server(uvicorn.Config(web, **CONFIG))
        self._secure = _Server(uvicorn.Config(web, **CONFIG, **secure))

    def stop(self) -> None:
        """Have both end."""
        self._plain.stop()
        self._secure.stop()

    async def serve(self, plain: socket.socket, secure: socket.socket) -> None:
        """Answer until told to stop."""
        try:
            await asyncio.gather(self._plain.serve(sockets=[plain]), self._secure.serve(sockets=[secure]))
        finally:
            await asyncio.to_thread(self._over)
