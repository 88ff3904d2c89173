"""What the serverless driver is answered, connections to the past and the address list."""

from __future__ import annotations

from typing import Final

from neondba.local.requirement import DOCS, SERVERLESS, Requirement

BEHAVIOURS: Final = (
    Requirement(
        "serverless.http",
        "`/sql` runs single statements and batches by the extended protocol, in every form of the driver.",
        "It is at the API's port, and over TLS at the port that `/local/status` gives as `https_port`: set "
        "neonConfig.fetchEndpoint. The driver resolves no name, so a string with the host ep-….localhost "
        "works everywhere.",
        SERVERLESS,
    ),
    Requirement(
        "serverless.login",
        "`/sql` takes a role's password from the connection string; a wrong one answers 400.",
        "Tokens (authToken) answer that they are not available.",
        SERVERLESS,
    ),
    Requirement(
        "serverless.sessions",
        "Connections are kept for the next request, 20 for a compute, five minutes long; they keep no "
        "compute awake.",
        "Each is reset before it is used again; Neon-Pool-Opt-In changes nothing.",
        SERVERLESS,
    ),
    Requirement(
        "serverless.limits",
        "A request of more than 64 MB answers 413, a response of more than 64 MB of values 507.",
        source=SERVERLESS,
    ),
    Requirement(
        "serverless.conversion",
        "Without Neon-Raw-Text-Output booleans, small numbers, JSON and arrays of them have JSON's kinds.",
        "Arrays of types that SQL has made are texts.",
        SERVERLESS,
    ),
    Requirement(
        "serverless.websocket",
        "A WebSocket at any path carries PostgreSQL's protocol; the password comes in clear.",
        "The endpoint comes from the Host header, from ?address=HOST:PORT, or from the options.",
        SERVERLESS,
    ),
    Requirement(
        "serverless.origin",
        "Web pages of every origin may ask `/sql`: the password protects the data.",
        "The Host header must name this machine (127.0.0.1, localhost, *.localhost).",
        SERVERLESS,
    ),
    Requirement(
        "past.connections",
        "A branch or endpoint with options neon_timestamp:… or neon_lsn:… connects to its past.",
        "Each point gets a standby of its own, made when first asked for; the password is the present one.",
        DOCS,
    ),
    Requirement("past.read-only", "The past takes no writes, whatever a client sets."),
    Requirement("past.idle", "A compute over the past is gone when nobody was connected for 30 seconds."),
    Requirement("past.window", "A point outside the history window is refused, and the window is named."),
    Requirement(
        "ip-allow.list",
        "allowed_ips holds addresses, ranges and networks, IPv4 and IPv6, for all or for protected branches.",
        "All clients are this machine's: a list without 127.0.0.1 refuses everybody. An entry that cannot be "
        "read lets nobody in.",
    ),
    Requirement(
        "ip-allow.block",
        "block_public_connections refuses every connection.",
        "There is no private network here, so nothing is left.",
    ),
)
