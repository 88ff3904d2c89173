"""How clients reach an endpoint: by host name, or by an option.

See docs/decisions/0006-local-host-names.md.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, urlencode


@cache
def names_resolve() -> bool:
    """Tell whether names under `.localhost` reach this machine."""
    try:
        found = socket.getaddrinfo("ep-neondba-probe.localhost", 5432, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(address[4][0] == "127.0.0.1" for address in found)


@dataclass
class Addresses:
    """The proxy's address, as endpoints and connection strings show it."""

    port: int = 0
    """Set when the proxy listens."""

    def host(self, endpoint_id: str, *, pooled: bool = False) -> str:
        """Give what clients put behind `postgresql://` for an endpoint.

        The official command line overwrites the options when it writes a string for the past; the proxy
        then finds the endpoint in the second place.
        """
        place = self._place(endpoint_id, pooled=pooled)
        return place if names_resolve() else f"{place}&application_name={endpoint_id}"

    def _place(self, endpoint_id: str, *, pooled: bool) -> str:
        label = f"{endpoint_id}-pooler" if pooled else endpoint_id
        if names_resolve():
            return f"{label}.localhost:{self.port}"
        return f"127.0.0.1:{self.port}/?options=endpoint%3D{label}"

    @property
    def proxy_host(self) -> str:
        """Give the address that all endpoints share."""
        return f"127.0.0.1:{self.port}"

    def uri(self, endpoint_id: str, role: str, password: str, database: str, *, pooled: bool = False) -> str:
        """Give a connection string like the official command line's."""
        place, _, given = self._place(endpoint_id, pooled=pooled).partition("/?")
        query = urlencode({"sslmode": "require", "channel_binding": "require"})
        query = f"{given}&{query}" if given else query
        login = f"{quote(role, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{login}@{place}/{quote(database, safe='')}?{query}"
