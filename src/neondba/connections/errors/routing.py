"""The way to the server: names, ports, networks, endpoints."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_ADDRESS: Final = (Concern.ADDRESS, Concern.VARIABLE)

ENTRIES: Final = (
    Entry(
        "endpoint-not-specified",
        "The client does not say which endpoint it wants",
        (r"endpoint id is not specified",),
        "The driver sends no host name in TLS (SNI), and Neon routes by that name: libpq before 14, an IP "
        "address in place of the name, or a tunnel or proxy in between.",
        (
            "Update the driver: libpq 14 or newer sends the host name.",
            "Connect to the host name of the endpoint, not to an IP address.",
            "Where neither is possible, add options=endpoint%3D<endpoint-id> to the connection string.",
        ),
        sources.NEON_ERRORS,
        concerns=_ADDRESS,
        snippet="endpoint-option",
    ),
    Entry(
        "endpoint-inconsistent",
        "Host name and option name different endpoints",
        (r"inconsistent project name inferred from sni",),
        "The host name says one endpoint, `options=endpoint=…` in the connection string another.",
        ("Take the option out, or make both the same. The -pooler suffix counts.",),
        sources.NEON_PROXY,
        concerns=_ADDRESS,
    ),
    Entry(
        "endpoint-not-found",
        "There is no such endpoint",
        (
            r"requested endpoint could not be found",
            r"\bendpoint_not_found\b",
            r"\bbranch_not_found\b",
            r"\bproject_not_found\b",
            r"\bresource_not_found\b",
            r"endpoint not found",
        ),
        "The endpoint in the host name was deleted (a branch that expired or was removed takes its endpoint "
        "with it), or the name is misspelt.",
        (
            "List the branches: neondba branch list.",
            "Copy the connection string of the branch again, for example with neondba branch checkout.",
        ),
        sources.NEON_PROXY,
        concerns=_ADDRESS,
    ),
    Entry(
        "endpoint-disabled",
        "The endpoint is disabled",
        (r"\bendpoint_disabled\b", r"endpoint (?:has been|is) disabled"),
        "Somebody disabled the endpoint in its settings; it does not start for connections.",
        ("Enable it: set disabled to false on the endpoint in the Console or through the API.",),
        sources.NEON_PROXY,
    ),
    Entry(
        "host-not-found",
        "The host name has no address",
        (
            r"could not translate host name",
            r"failed to resolve host",
            r"getaddrinfo enotfound",
            r"name or service not known",
            r"nodename nor servname provided",
            r"no such host\b",
            r"\[errno -2\]",
            r"\[errno 11001\]",
            r"getaddrinfo failed",
            r"unknown host",
        ),
        "The name does not resolve. Most often the host is misspelt, cut off, or a part of the password: an "
        "unencoded @ or / in a password moves the start of the host.",
        (
            "Look at the host that the error names: it must start with ep- and end in .neon.tech.",
            "Percent-encode @ : / ? # in the password.",
            "Where the host is right, try another resolver: dig HOST @1.1.1.1.",
        ),
        sources.NEON_ERRORS,
        tells="The resolver answered that there is no such name.",
        concerns=_ADDRESS,
    ),
    Entry(
        "dns-unavailable",
        "The resolver does not answer",
        (
            r"temporary failure in name resolution",
            r"getaddrinfo eai_again",
            r"\[errno -3\]",
            r"server misbehaving",
            r"\[errno 8\]",
        ),
        "This machine cannot ask a name server now: no network, a container without DNS, a VPN, a sandbox.",
        (
            "Try: getent hosts HOST on the same machine, or inside the same container.",
            "Repair DNS there; the connection string is not at fault.",
        ),
        sources.GENERAL,
        tells="The resolver gave no answer at all.",
    ),
    Entry(
        "refused-local",
        "Nothing listens on this machine, and the connection was meant for elsewhere",
        (
            r"(?:localhost|127\.0\.0\.1|(?<![\w:])::1)\W[^\n]{0,80}?(?:connection refused|actively refused)",
            r"econnrefused (?:127\.0\.0\.1|::1)",
            r"(?:connection refused|connect call failed)[^\n]{0,20}?(?:localhost|127\.0\.0\.1|::1)",
            r"can't reach database server at `?(?:localhost|127\.0\.0\.1)",
        ),
        "The driver went to its default, this machine. The variable with the connection string is not set "
        "where the program runs, has another name, or the .env file is not loaded.",
        (
            "Check which name the program reads and whether it is set there: neondba connection check.",
            "Load the .env file, or set the variable in the platform's settings.",
            "For the local Neon: neondba local start, then take its connection string.",
        ),
        sources.GENERAL,
        tells="The address in the error is this machine's own.",
        concerns=(Concern.VARIABLE, Concern.ENGINE),
        snippet="read-variable",
        over=("refused", "prisma-unreachable"),
    ),
    Entry(
        "refused",
        "The server refuses the connection",
        (r"connection refused", r"econnrefused", r"actively refused", r"connect call failed"),
        "The machine answers, but nothing listens on that port. Neon listens on 5432 only; the pooler has "
        "a host name of its own, not a port of its own.",
        (
            "Use port 5432, or none.",
            "Check that the host is the endpoint's; a firewall may also answer in its place.",
        ),
        sources.NEON_ERRORS,
        tells="The address in the error is another machine's.",
        concerns=_ADDRESS,
    ),
    Entry(
        "socket-missing",
        "The driver looks for a server on a local socket",
        (
            r"connection to server on socket [^ ]+ failed",
            r"connect enoent [^ ]*\.s\.pgsql\.",
            r"\.s\.pgsql\.\d+",
        ),
        "The driver has no host and falls back to the Unix socket: the connection string is empty or cut.",
        (
            "Check that the variable is set where the program runs: neondba connection check.",
            "Quote the value in shell and .env files: an unquoted & ends it in a shell.",
        ),
        sources.POSTGRES,
        concerns=(Concern.VARIABLE, Concern.ENGINE),
        snippet="read-variable",
    ),
    Entry(
        "timeout-wake",
        "The connection was not made in time: the compute had to wake",
        (
            r"(?:connection )?timeout expired",
            r"connection terminated due to connection timeout",
            r"\betimedout\b",
            r"connection timed out",
            r"\bi/o timeout\b",
            r"dial(?:ing)?[^\n]{0,80}context deadline exceeded",
            r"asyncpg/connect_utils.{0,6000}\btimeouterror\b",
            r"connection time-?out",
            r"connect timeout",
            r"\bwrite connect_timeout\b",
        ),
        "A suspended compute needs some hundred milliseconds to start, sometimes seconds; the client "
        "gives up earlier.",
        (
            "Allow 10 to 15 seconds for connecting.",
            "Try again once with a short wait, in code that must not fail.",
            "On a paid plan, set scale to zero off for the branch that serves users.",
        ),
        sources.NEON_LATENCY,
        tells="The second try a moment later works; neondba connection check shows the cold latency.",
        concerns=(Concern.ENGINE, Concern.ADDRESS),
        lacks=("connect_timeout", "timeout", "connectionTimeoutMillis"),
        snippet="connect-timeout",
    ),
    Entry(
        "timeout-firewall",
        "The connection was not made in time: port 5432 is closed on the way out",
        (
            r"(?:connection )?timeout expired",
            r"\betimedout\b",
            r"connection timed out",
            r"\bi/o timeout\b",
            r"dial(?:ing)?[^\n]{0,80}context deadline exceeded",
        ),
        "A firewall, a company network or a platform drops packets to port 5432.",
        (
            "Try: nc -vz HOST 5432 from the same place.",
            "Open outgoing TCP 5432, or use the serverless driver, which speaks HTTPS on 443.",
        ),
        sources.GENERAL,
        tells="Every try fails, later ones too; TCP to port 5432 is never opened.",
    ),
    Entry(
        "unreachable",
        "There is no way to that network from here",
        (r"network is unreachable", r"\benetunreach\b", r"no route to host", r"\behostunreach\b"),
        "The name gave an address that this machine has no route to, most often an IPv6 address on a machine "
        "or in a container without IPv6.",
        (
            "Check whether the address in the error is IPv6 (it has colons).",
            "Give the container IPv6, or let the resolver prefer IPv4.",
            "In Node: dns.setDefaultResultOrder('ipv4first').",
        ),
        sources.GENERAL,
    ),
    Entry(
        "happy-eyeballs",
        "Node gives each address a quarter of a second",
        (r"aggregateerror[^\n]{0,40}(?:etimedout|enetunreach)", r"internalconnectmultiple"),
        "Node 20 and newer try the addresses of a name one after another, with 250 ms for each; a far "
        "region needs longer.",
        ("Give it more: net.setDefaultAutoSelectFamilyAttemptTimeout(1000) before the first connection.",),
        sources.NODE,
        tells="The error is an AggregateError, with one error for each address.",
        snippet="node-attempts",
        over=("timeout-wake", "timeout-firewall", "unreachable"),
    ),
)
