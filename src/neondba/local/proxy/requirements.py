"""What the proxy answers, and where it differs from Neon's."""

from __future__ import annotations

from typing import Final

from neondba.local.requirement import OURS, Requirement

BEHAVIOURS: Final = (
    Requirement(
        "proxy.tls", "Connections are encrypted: by SSLRequest or by direct TLS; plain ones are refused."
    ),
    Requirement(
        "proxy.certificate",
        "The certificate holds for localhost, *.localhost and 127.0.0.1.",
        "It is signed by an authority of this machine: verify-full needs its ca.crt as sslrootcert.",
    ),
    Requirement(
        "proxy.routing",
        "The endpoint comes from SNI, from options=endpoint=<id>, or from the password's prefix.",
        "A host name and an option that name different endpoints are refused, as on Neon; "
        "a host name without a dot, or an address, names none.",
    ),
    Requirement("proxy.scram", "Roles log in by SCRAM-SHA-256, with channel binding where the client can."),
    Requirement("proxy.wrong-password", "An unknown role and a wrong password get the same answer."),
    Requirement(
        "proxy.unknown-endpoint",
        "An endpoint that does not exist, or that nothing names, is refused in Neon's words.",
    ),
    Requirement(
        "proxy.silence",
        "A client that does not finish logging in is closed after 15 seconds; waking counts apart.",
    ),
    Requirement(
        "proxy.wake",
        "A connection wakes the compute and waits for it.",
        "The role's verifier is asked of the compute, so a compute wakes before the password is checked.",
    ),
    Requirement(
        "proxy.cancel",
        "Cancel requests reach the right compute.",
        "The process id that the client sees is the proxy's, never pg_backend_pid().",
    ),
    Requirement(
        "proxy.pooler-parameters",
        "A -pooler host refuses the start-up parameters that PgBouncer refuses.",
    ),
    Requirement(
        "proxy.pooler",
        "A -pooler host pools transactions as PgBouncer does with Neon's settings: 10,000 clients, nine "
        "tenths of max_connections for each role and database, 120 s in the queue, 1,000 prepared "
        "statements of the protocol on each server connection, no reset between clients.",
        "The pooler is ours, one for all computes. It opens its connections one at a time, and closes them "
        "after ten minutes without use.",
    ),
    Requirement(
        "proxy.pooler-console",
        "The pooler's own database, pgbouncer, answers SHOW POOLS.",
        "On Neon nobody reaches PgBouncer's console. Here each role may read the pools of its endpoint; "
        "nothing can be changed.",
        source=OURS,
    ),
    Requirement(
        "proxy.pooler-hazards",
        "What breaks behind Neon's pooler breaks here: SET, LISTEN, session locks, temporary tables, "
        "cursors WITH HOLD and PREPARE in SQL stay on the server connection, not with the client.",
    ),
    Requirement(
        "proxy.pooler-parameters-kept",
        "client_encoding, datestyle, timezone, standard_conforming_strings and application_name stay with "
        "their client.",
    ),
    Requirement(
        "proxy.pooler-restart",
        "When a compute stops, its pooled clients are ended, as the pooler on Neon ends with its compute.",
        "A client whose pool had no server connection at that moment is not ended: it wakes the compute.",
    ),
)
