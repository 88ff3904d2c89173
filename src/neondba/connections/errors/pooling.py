"""What the pooler refuses or forgets, and what pools of clients say."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_BOTH: Final = (Concern.ADDRESS, Concern.ENGINE)
_NO_TABLE: Final = (
    r"relation \W*(?P<name>[\w.\"]+?)\W* does not exist",
    r"sqlstate 42p01",
    r"undefinedtable(?:error)?\b",
    r"\bp2021\b",
    r"the table `?[\w.]+`? does not exist in the current database",
)

ENTRIES: Final = (
    Entry(
        "startup-parameter",
        "The pooler does not take this parameter at the start",
        (r"unsupported startup parameter(?: in options)?: (?P<name>[\w.]+)",),
        "PgBouncer passes on client_encoding, datestyle, timezone, standard_conforming_strings and "
        "application_name, and nothing else.",
        (
            "Take the parameter out of the connection string, the options or the driver's settings.",
            "Where it is needed: alter role NAME set PARAMETER = VALUE, or the direct host.",
        ),
        sources.NEON_ERRORS,
        concerns=_BOTH,
        snippet="without-parameter",
    ),
    Entry(
        "parameter-unknown",
        "The server does not know a parameter of the connection string",
        (r"unrecognized configuration parameter \W*(?P<name>[\w.]+)",),
        "The driver hands parameters that it does not know to the server: asyncpg and lib/pq do so with "
        "channel_binding, pgbouncer, connection_limit, schema and others.",
        ("Take it out of the connection string for this driver: neondba connection check --driver.",),
        sources.ASYNCPG,
        concerns=_BOTH,
        snippet="without-parameter",
    ),
    Entry(
        "table-search-path",
        "The table is not on the search path: a SET was lost behind the pooler",
        _NO_TABLE,
        "SET search_path belongs to a session; through the pooler the next statement may run in another one.",
        (
            "Write the schema before the name, or: alter role NAME set search_path = …; or use the "
            "direct host.",
        ),
        sources.NEON_ERRORS,
        tells="The host is a -pooler one, the code sets search_path, and it fails now and then.",
        concerns=_BOTH,
    ),
    Entry(
        "table-not-made",
        "The table was never made here: a migration is missing",
        _NO_TABLE,
        "The migrations ran on another branch or database, or not at all.",
        ("Run the migrations against the direct host of this very branch.",),
        sources.POSTGRES,
        tells="It fails each time; \\dt does not show the table.",
        concerns=(Concern.ADDRESS, Concern.VARIABLE),
    ),
    Entry(
        "table-quoted",
        "The table's name has capitals",
        (r"relation \W*(?P<name>\w*(?-i:[A-Z])\w*)\W* does not exist",),
        "PostgreSQL folds names to small letters unless they are quoted; Prisma makes tables with capitals.",
        ('Quote the name in SQL: select * from "User".',),
        sources.POSTGRES,
        tells="\\dt shows the table, spelt with capitals.",
    ),
    Entry(
        "prepared-exists",
        "The prepared statement is there already",
        (
            r"prepared statement \W*(?P<name>[\w.]+)\W* already exists",
            r"duplicatepreparedstatement",
            r"sqlstate 42p05",
        ),
        "The driver numbers its statements per connection, and behind the pooler several clients share one "
        "server connection; SQL-level PREPARE, or an old client (Prisma Migrate before 5.10).",
        (
            "Run migrations over the direct host.",
            "asyncpg: statement_cache_size=0. SQLAlchemy with asyncpg: also "
            "prepared_statement_name_func with a unique name.",
            "Prisma before 5.10 or with an old pooler: pgbouncer=true.",
        ),
        sources.NEON_PRISMA,
        concerns=_BOTH,
        snippet="no-statement-cache",
    ),
    Entry(
        "prepared-gone",
        "The prepared statement is not there any more",
        (
            r"(?:unnamed )?prepared statement (?:\W*(?P<name>[\w.]+)\W* )?does not exist",
            r"invalidsqlstatementname",
            r"sqlstate 26000",
        ),
        "Another server connection behind the pooler prepared it, or DEALLOCATE and DISCARD removed it.",
        (
            "psycopg: 3.2 or newer with libpq 17, else prepare_threshold=None.",
            "asyncpg: statement_cache_size=0. pgx: default_query_exec_mode=cache_describe or exec.",
            "Or use the direct host.",
        ),
        sources.NEON_POOLING,
        concerns=_BOTH,
        snippet="no-statement-cache",
    ),
    Entry(
        "cached-plan",
        "A cached statement no longer fits the table",
        (
            r"cached plan must not change result type",
            r"invalidcachedstatementerror",
            r"cached statement plan is invalid",
        ),
        "A migration changed a table while connections kept prepared statements on it.",
        ("Try again: drivers prepare anew.", "Restart the application after migrations that change columns."),
        sources.POSTGRES,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "client-pool-full",
        "The program's own pool has no connection free",
        (
            r"queuepool limit of size (?P<name>\d+) overflow",
            r"couldn't get a connection after",
            r"pooltimeout\b",
            r"timeout exceeded when trying to connect",
            r"\bp2024\b",
            r"timed out fetching a new connection",
            r"timed out while waiting for a connection from the pool",
            r"connection is not available, request timed out after",
            r"connection pool has been exhausted",
            r"could not obtain a connection from the pool within",
            r"asyncpg/pool\.py(?!.*asyncpg/connect_utils).{0,4000}\btimeouterror\b",
        ),
        "Connections are not given back (a session without close, a transaction that waits), or the pool is "
        "smaller than the requests at a time. While a compute wakes up, all wait as well.",
        (
            "Close sessions with a context manager or a dependency with yield; look for work inside "
            "transactions that needs no database.",
            "Then size the pool: neondba pool advise.",
            "Prisma up to 6: connection_limit and pool_timeout in the URL.",
        ),
        sources.NEON_PRISMA,
        concerns=(Concern.ENGINE, Concern.ADDRESS),
        snippet="pool-size",
        over=("timeout-wake", "timeout-firewall"),
    ),
    Entry(
        "client-pool-closed",
        "The pool was closed before",
        (
            r"poolclosed\b",
            r"cannot use a pool after calling end",
            r"\bpool is (?:closed|closing)\b",
            r"\bclosed pool\b",
            r"client was closed and is not queryable",
            r"pool is not open",
        ),
        "Code uses a pool or client after its end: at shutdown, after a test, or because each request "
        "closes a shared pool.",
        ("End the pool once, when the process ends.",),
        sources.NODE_POSTGRES,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "transaction-aborted",
        "The transaction had failed before",
        (
            r"current transaction is aborted",
            r"infailedsqltransaction",
            r"sqlstate 25p02",
            r"can't reconnect until invalid transaction is rolled back",
            r"pendingrollbackerror",
            r"this session's transaction has been rolled back",
        ),
        "An earlier statement failed, and the code went on without rollback.",
        ("Find the first error, above this one: it is the cause.", "Roll back where it is caught."),
        sources.POSTGRES,
        general=True,
    ),
    Entry(
        "in-transaction-block",
        "The statement may not run inside a transaction",
        (
            r"cannot (?:run|be executed) (?:inside|within) a (?:transaction block|pipeline)",
            r"(?P<name>create index concurrently|vacuum|create database|discard all) cannot run inside",
        ),
        "CREATE INDEX CONCURRENTLY, VACUUM, CREATE DATABASE and others need autocommit.",
        ("Run it with autocommit; in Alembic: with op.get_context().autocommit_block().",),
        sources.POSTGRES,
    ),
)
