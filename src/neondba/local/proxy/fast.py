"""The relay's native part, where it was built and fits this Python; nothing depends on it.

It waits for descriptors as `select.epoll` does, and takes connections on loan: it moves their bytes itself
and gives them back as soon as something is not plain. See `native/relay.h` and decision 0009.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

SWITCH: Final = "NEONDBA_RELAY"
"""`python` in this environment variable leaves the native part alone."""
SURRENDERED: Final = 0x10000
"""The event of a connection that was given back."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A connection that was on loan, and what was in the air."""

    server: int
    """Descriptor of the server connection in use, or -1."""
    from_server: int
    gone: int
    """One side is gone: the one that `from_server` says."""
    data: bytes
    """What was read and not passed on."""
    to_client: bytes
    to_server: bytes
    out: bytes
    awaited: bytes
    skip: int
    carry: bytes
    status: int


def why_not() -> str | None:
    """Say why the native part cannot be used here; None when it can."""
    if os.environ.get(SWITCH) == "python":
        return f"{SWITCH}=python asks for the relay in Python"
    try:
        from neondba.local.proxy import _relay  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        return "the native relay was not built: there was no C compiler, or this system has no epoll"
    import _ssl

    path = getattr(_ssl, "__file__", None)
    if path is None or not _relay.use_tls(path):
        return "the OpenSSL of this Python cannot be reached from outside"
    return None


def core() -> Any:
    """Give a native loop, or None where there is none."""
    if why_not() is not None:
        return None
    from neondba.local.proxy import _relay  # type: ignore[attr-defined,unused-ignore]

    return _relay.Core()
