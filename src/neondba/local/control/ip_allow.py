"""Which addresses a project lets in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

BLOCKED: Final = "This connection is trying to access this endpoint from a blocked network."
NOT_ALLOWED: Final = (
    "This IP address {} is not allowed to connect to this endpoint. Please add it to the allowed list in the "
    "Neon console. Make sure to check for IPv4 or IPv6 addresses."
)


def refusal(settings: Mapping[str, Any], address: str, *, protected: bool) -> str | None:
    """Give the sentence for an address that may not connect; None lets it in."""
    if settings.get("block_public_connections"):
        return BLOCKED
    allowed = settings.get("allowed_ips") or {}
    listed = [str(entry) for entry in allowed.get("ips") or []]
    if not listed or (allowed.get("protected_branches_only") and not protected):
        return None
    asked = _address(address)
    if asked is not None and any(_holds(entry, asked) for entry in listed):
        return None
    return NOT_ALLOWED.format(address)


def _holds(entry: str, asked: Address) -> bool:
    """Tell whether an address, a range `a-b` or a network `a/n` holds an address; nonsense holds none."""
    first, dash, last = entry.partition("-")
    if dash:
        low, high = _address(first), _address(last)
        if low is None or high is None or not low.version == high.version == asked.version:
            return False
        return int(low) <= int(asked) <= int(high)
    try:
        return asked in ipaddress.ip_network(entry.strip(), strict=False)
    except ValueError:
        return False


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
