"""What the proxy asks: whom it may let in, and where a compute listens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """Where an awake compute takes connections."""

    socket: str
    """Path of the Unix socket file, such as `/tmp/…/.s.PGSQL.5432`."""
    endpoint_id: str


@dataclass(frozen=True)
class Moment:
    """The past that a time-travel connection asks for: one of the two."""

    lsn: str | None = None
    timestamp: str | None = None
    """RFC 3339, as the client wrote it."""


class Directory(ABC):
    """All endpoints of this local Neon, as the proxy sees them.

    An endpoint id never ends in `-pooler` here: the proxy takes that off first.
    """

    @abstractmethod
    def verifier(self, endpoint_id: str, role: str) -> str | None:
        """Give a role's SCRAM verifier, or None when it cannot log in.

        It may wake the compute to ask it: call it in a thread.
        """

    @abstractmethod
    def knows(self, endpoint_id: str) -> bool:
        """Tell whether an endpoint of this id exists."""

    @abstractmethod
    async def wake(self, endpoint_id: str, moment: Moment | None = None) -> Route:
        """Start the endpoint's compute if it sleeps, and say where it listens.

        With a moment it is a compute of its own over the branch as it was then.

        Raises:
            Problem: the endpoint is gone or disabled, or its compute did not start.
        """

    @abstractmethod
    def opened(self, endpoint_id: str) -> None:
        """Note that a client connection began: the compute stays awake."""

    @abstractmethod
    def closed(self, endpoint_id: str) -> None:
        """Note that a client connection ended."""

    def transferred(self, endpoint_id: str, to_client: int, from_client: int) -> None:  # noqa: B027 - optional
        """Note bytes that went through: counted where somebody meters them."""

    def refuses(self, endpoint_id: str, address: str) -> str | None:  # noqa: ARG002 - for who overrides it
        """Give the sentence for an address that may not connect; None lets it in."""
        return None
