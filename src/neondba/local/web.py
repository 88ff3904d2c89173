"""The web servers of one local Neon: one in plain HTTP, one over TLS, the same behind both."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import nullcontext
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

    def capture_signals(self) -> Any:
        """Capture none."""
        return nullcontext()


class Web:
    """Both servers."""

    def __init__(self, web: Starlette, certificates: CertificatePaths, over: Callable[[], None]) -> None:
        self._over = over
        secure: dict[str, Any] = {"ssl_certfile": certificates.certificate, "ssl_keyfile": certificates.key}
        self._plain = _Server(uvicorn.Config(web, **CONFIG))
        self._secure = _Server(uvicorn.Config(web, **CONFIG, **secure))

    def stop(self) -> None:
        """Have both end."""
        self._plain.should_exit = self._secure.should_exit = True

    async def serve(self, plain: socket.socket, secure: socket.socket) -> None:
        """Answer until told to stop."""
        try:
            await asyncio.gather(self._plain.serve(sockets=[plain]), self._secure.serve(sockets=[secure]))
        finally:
            await asyncio.to_thread(self._over)
