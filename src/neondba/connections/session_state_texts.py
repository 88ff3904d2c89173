"""What to write in place of state in a session, by what kind of state it is."""

from __future__ import annotations

from typing import Final

WHAT: Final = {
    "setting": "a setting for the session",
    "role": "a role for the session",
    "advisory lock": "an advisory lock of the session",
    "listen": "LISTEN",
    "temporary table": "a temporary table that outlives its transaction",
    "held cursor": "a cursor that outlives its transaction",
    "prepared statement": "a statement prepared by SQL",
    "library": "a library that is loaded for the session",
    "sequence value": "the last value of a sequence, read in another transaction",
    "reset": "a reset of the session",
    "start-up parameter": "a parameter at the start of the connection",
}
WHY: Final = {
    "setting": "It stays on a connection that the pooler gives to others, and is gone from the next one.",
    "role": "Whoever gets the connection next acts as that role.",
    "advisory lock": "It stays with the connection: nobody else gets it, and you cannot release it.",
    "listen": "Notices go to a connection that is no longer yours.",
    "temporary table": "The next transaction has another connection, without the table.",
    "held cursor": "The next transaction has another connection, without the cursor.",
    "prepared statement": "The next transaction has another connection, where the name is unknown.",
    "library": "It stays on one of the pooler's connections, and is missing on the others.",
    "sequence value": "Another connection has another last value, or none.",
    "reset": "It resets whatever connection the pooler gives, not the one that was set.",
    "start-up parameter": "The pooler refuses connections with parameters that it does not keep.",
}
INSTEAD: Final = {
    "setting": "set_config('NAME', value, true) or SET LOCAL in the transaction that needs it; for all of a "
    "role's sessions: ALTER ROLE … SET NAME = …",
    "role": "SET LOCAL ROLE in the transaction, or connect as that role",
    "advisory lock": "pg_advisory_xact_lock in a transaction; for locks that outlive one: the direct address",
    "listen": "the direct address (DATABASE_URL_UNPOOLED) for this one connection",
    "temporary table": "CREATE TEMP TABLE … ON COMMIT DROP in the transaction that uses it, or WITH … AS",
    "held cursor": "read inside the transaction, or page by key: WHERE id > … ORDER BY id LIMIT …",
    "prepared statement": "the driver's own prepared statements, which the pooler knows",
    "library": "ALTER ROLE … SET session_preload_libraries, or the direct address",
    "sequence value": "INSERT … RETURNING id",
    "reset": "nothing: a transaction that sets with LOCAL leaves nothing to reset",
    "start-up parameter": "ALTER ROLE … SET NAME = …, or the direct address",
}


def instead(kind: str, name: str) -> str:
    """Give what to write, with the name of the setting where there is one."""
    if name == "session characteristics":
        return "SET TRANSACTION … in each transaction, or ALTER ROLE … SET default_transaction_read_only = …"
    if name in ("channel_binding", "sslmode"):
        return f"the connection string without {name}: this driver sends it to the server"
    return INSTEAD[kind].replace("NAME", name) if name else INSTEAD[kind]
