"""Bytes that go through the proxy, told to the directory while they move."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from neondba.local.routing import Directory

EVERY: Final = 2.0


@dataclass(eq=False)
class _Counted:
    endpoint: str
    session: Any
    to_client: int = 0
    from_client: int = 0


class Meter:
    """Counts what the sessions moved since it last looked."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._counted: set[_Counted] = set()

    @contextmanager
    def of(self, endpoint: str, session: Any) -> Iterator[None]:
        """Count a session as long as it lasts."""
        counted = _Counted(endpoint, session)
        self._counted.add(counted)
        try:
            yield
        finally:
            self._counted.discard(counted)
            self._tell(counted)

    async def run(self) -> None:
        """Tell the directory every few seconds."""
        while True:
            await asyncio.sleep(EVERY)
            for counted in list(self._counted):
                self._tell(counted)

    def _tell(self, counted: _Counted) -> None:
        to_client, from_client = counted.session.moved
        more, back = to_client - counted.to_client, from_client - counted.from_client
        counted.to_client, counted.from_client = to_client, from_client
        if more or back:
            self._directory.transferred(counted.endpoint, more, back)
