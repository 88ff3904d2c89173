"""Entries of a project's list of allowed addresses: what each is, and which addresses it holds.

Neon takes a single address, a range `first-last` and a network in CIDR notation, IPv4 and IPv6.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from neondba.core.problem import ArgumentProblem

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Entry:
    """One entry, as Neon reads it."""

    text: str
    """As it is sent: without spaces, a network by its first address."""
    first: Address
    last: Address

    @property
    def kind(self) -> str:
        """Say what it is: address, range or network."""
        return "range" if "-" in self.text else "network" if "/" in self.text else "address"

    @property
    def size(self) -> int:
        """Count the addresses."""
        return int(self.last) - int(self.first) + 1

    def holds(self, address: Address) -> bool:
        """Tell whether an address is among them."""
        return address.version == self.first.version and self.first <= address <= self.last  # type: ignore[operator]

    @property
    def note(self) -> str:
        """Say what is odd about it, if anything."""
        if self.size >= 1 << (self.first.max_prefixlen - 1):
            return f"It lets half of all IPv{self.first.version} addresses in, or more."
        if self.first.is_loopback:
            return "Loopback: only the local Neon sees such an address."
        if self.first.is_private and not _is_documentation(self.first):
            return "Private: Neon sees the public address that a network goes out by, never this one."
        if self.first.is_multicast or self.first.is_unspecified:
            return "Nobody connects from such an address."
        return ""


def entry_of(text: str) -> Entry:
    """Read one entry.

    Raises:
        ArgumentProblem: Neon would not take it, or it would let nobody in.
    """
    written = "".join(text.split())
    first, dash, last = written.partition("-")
    try:
        if written.lower().startswith("::ffff:"):
            # Whether Neon takes it for the IPv4 address is not known; the local Neon does not.
            raise ValueError("write the IPv4 address itself, not its IPv6 form")
        if dash:
            return _range(first, last)
        if "/" in written:
            network = ipaddress.ip_network(written, strict=False)
            if "." in written.partition("/")[2]:
                raise ValueError("write the length of the prefix, as /24, in place of a mask")
            return Entry(str(network), network.network_address, network.broadcast_address)
        address = address_of(written)
        return Entry(str(address), address, address)
    except ValueError as error:
        raise ArgumentProblem(
            "address-invalid",
            f"{text!r} is no entry of an allow list: {str(error).rstrip('.')}.",
            hint="Give an address (203.0.113.7), a network (203.0.113.0/24, 2001:db8::/32) or a range "
            "(203.0.113.7-203.0.113.20).",
        ) from None


def address_of(text: str) -> Address:
    """Read an address; an IPv4 address written as IPv6 is one.

    Raises:
        ValueError: it is none.
    """
    if "%" in text:
        raise ValueError("an address with a zone is known on one machine only")
    found = ipaddress.ip_address(text.strip())
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def let_in(entries: Iterable[Entry], address: Address) -> Entry | None:
    """Give the first entry that holds an address."""
    return next((entry for entry in entries if entry.holds(address)), None)


def _range(first: str, last: str) -> Entry:
    low, high = address_of(first), address_of(last)
    if low.version != high.version:
        raise ValueError("one end is IPv4 and the other IPv6")
    if int(low) > int(high):
        raise ValueError("its first address is above its last")
    return Entry(f"{low}-{high}", low, high)


def _is_documentation(address: Address) -> bool:
    """Addresses for examples count as private, and are used as what they stand for."""
    examples = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    networks = map(ipaddress.ip_network, examples)
    return any(address.version == each.version and address in each for each in networks)
