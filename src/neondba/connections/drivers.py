"""Which parameters of a connection string each driver takes, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from neondba.connections.check_results import DriverAdvice
from neondba.connections.check_use import PASSED_ON
from neondba.neon.connection_string import ConnectionString, Platform

Unknown = Literal["refused", "sent to the server", "passed over"]


def words(text: str) -> frozenset[str]:
    """Give the words of a text."""
    return frozenset(text.split())


LIBPQ: Final = words(
    """
    service user password passfile channel_binding connect_timeout dbname host hostaddr port
    client_encoding options application_name fallback_application_name keepalives keepalives_idle
    keepalives_interval keepalives_count tcp_user_timeout sslmode sslnegotiation sslcompression
    sslcert sslkey sslcertmode sslpassword sslrootcert sslcrl sslcrldir sslsni requirepeer
    require_auth ssl_min_protocol_version ssl_max_protocol_version min_protocol_version
    max_protocol_version gssencmode krbsrvname gsslib gssdelegation replication target_session_attrs
    load_balance_hosts scram_client_key scram_server_key sslkeylogfile oauth_issuer oauth_client_id
    oauth_client_secret oauth_scope
    """
)
"""libpq 18."""
LIBPQ_17: Final = LIBPQ - words(
    """
    min_protocol_version max_protocol_version scram_client_key scram_server_key sslkeylogfile oauth_issuer
    oauth_client_id oauth_client_secret oauth_scope servicefile
    """
)
_ASYNCPG: Final = words(
    """
    host port dbname database user password passfile service sslmode sslcert sslkey sslrootcert
    sslnegotiation sslcrl sslpassword ssl_min_protocol_version ssl_max_protocol_version
    target_session_attrs krbsrvname gsslib
    """
)
_ASYNCPG_CALL: Final = words(
    """
    host port user password passfile service servicefile database ssl target_session_attrs
    krbsrvname gsslib async_fallback prepared_statement_cache_size
    """
)
_NODE: Final = words(
    """
    host port user password database ssl sslmode sslcert sslkey sslrootcert sslnegotiation
    uselibpqcompat options client_encoding encoding replication application_name
    fallback_application_name statement_timeout lock_timeout idle_in_transaction_session_timeout
    query_timeout
    """
)
_PRISMA: Final = words(
    """
    schema host connection_limit connect_timeout pool_timeout socket_timeout sslmode sslcert
    sslidentity sslpassword sslaccept pgbouncer statement_cache_size application_name options
    channel_binding single_use_connections
    """
)
_PGX: Final = words(
    """
    host port database dbname user password passfile service servicefile connect_timeout sslmode
    sslkey sslcert sslrootcert sslpassword sslsni krbspn krbsrvname target_session_attrs
    default_query_exec_mode statement_cache_capacity description_cache_capacity pool_max_conns
    pool_min_conns pool_max_conn_lifetime pool_max_conn_idle_time pool_health_check_period
    """
)
_PQ: Final = words(
    """
    host port dbname user password sslmode sslcert sslkey sslrootcert sslinline sslsni
    connect_timeout fallback_application_name binary_parameters disable_prepared_binary_result
    krbsrvname krbspn
    """
)
_POSTGRES_JS: Final = words(
    """
    max ssl sslmode sslnegotiation idle_timeout connect_timeout max_lifetime max_pipeline backoff keep_alive
    prepare debug fetch_types publications target_session_attrs
    """
)
_RUNTIME: Final = words(
    """
    application_name client_encoding datestyle timezone search_path statement_timeout options
    lock_timeout extra_float_digits standard_conforming_strings
    """
)
"""What the server itself takes as a parameter at the start."""


@dataclass(frozen=True)
class Driver:
    """One driver, as far as connection strings go."""

    name: str
    takes: frozenset[str]
    unknown: Unknown
    """What becomes of a parameter that it does not know."""
    source: str
    scheme: str | None = None
    """The scheme it wants, where it is not plain postgresql."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """Where a parameter is not taken, what to write in its place, and where."""


_AS_FULL: Final = frozenset({"require", "prefer", "verify-ca"})
"""What node-postgres takes for `verify-full`."""
_LENIENT: Final = frozenset({"require", "prefer", "allow"})
_BY_MODE: Final = frozenset({"postgres.js", "pgx", "lib/pq"})
"""With `require` these check no certificate and bind no channel; told to, they trust the machine's."""
_IN_CODE: Final = frozenset({"asyncpg", "sqlalchemy+asyncpg"})
"""The same, but they take the authorities from their caller only."""
_CODE_TIMEOUT: Final = {"connect_timeout": "timeout=… in the call"}
DRIVERS: Final = (
    Driver("psycopg", LIBPQ, "refused", "libpq 18, as run here"),
    Driver("psycopg2", LIBPQ_17, "refused", "libpq 17 of psycopg2-binary 2.9.13, as run here"),
    Driver(
        "asyncpg", _ASYNCPG | _RUNTIME, "sent to the server", "asyncpg 0.32.0, source", instead=_CODE_TIMEOUT
    ),
    Driver("sqlalchemy+psycopg", LIBPQ, "refused", "SQLAlchemy 2.1.9, as run here", "postgresql+psycopg"),
    Driver(
        "sqlalchemy+asyncpg",
        _ASYNCPG_CALL,
        "refused",
        "SQLAlchemy 2.1.9, as run here",
        "postgresql+asyncpg",
        {
            "sslmode": "ssl=… in the URL",
            "connect_timeout": "connect_args={'timeout': …}",
            "application_name": "connect_args={'server_settings': {'application_name': …}}",
            "options": "connect_args={'server_settings': {…}}",
        },
    ),
    Driver(
        "node-postgres",
        _NODE,
        "passed over",
        "pg 8.23.1, source",
        instead={
            "connect_timeout": "connectionTimeoutMillis in the code",
            "channel_binding": "enableChannelBinding: true in the code",
            "keepalives": "keepAlive: true in the code",
        },
    ),
    Driver("postgres.js", _POSTGRES_JS | _RUNTIME, "sent to the server", "postgres 3.4.9, source"),
    Driver(
        "prisma",
        _PRISMA,
        "passed over",
        "Neon docs, Prisma guide; general knowledge, not run here",
        instead={"sslrootcert": "sslcert=… with the authority's file"},
    ),
    Driver(
        "serverless",
        frozenset({"host", "user", "password", "options"}),
        "passed over",
        "@neondatabase/serverless 1.2.0",
        instead={"connect_timeout": "fetchOptions: { signal: AbortSignal.timeout(15_000) } in the code"},
    ),
    Driver(
        "pgx", _PGX | _RUNTIME, "sent to the server", "jackc/pgx, source of a stored version; not run here"
    ),
    Driver("lib/pq", _PQ | _RUNTIME, "sent to the server", "lib/pq, documentation; not run here"),
)
Name = Literal[
    "psycopg", "psycopg2", "asyncpg", "sqlalchemy+psycopg", "sqlalchemy+asyncpg", "node-postgres",
    "postgres.js", "prisma", "serverless", "pgx", "lib/pq",
]  # fmt: skip
Asked = Name | Literal["all"]


def advice(driver: Driver, url: ConnectionString) -> DriverAdvice:
    """Say what a driver makes of a string, and write it for the driver."""
    plain = url.with_driver(None)
    changes = [*_scheme(driver, url), *_changes(driver, plain)]
    shown = written(driver, plain)
    changes += _of_mode(driver, plain)
    return DriverAdvice(
        driver=driver.name,
        takes=tuple(name for name, _ in plain.parameters if name in driver.takes),
        changes=tuple(changes),
        write=shown.masked(),
        source=driver.source,
    )


def _scheme(driver: Driver, url: ConnectionString) -> Iterator[str]:
    wanted = driver.scheme or "postgresql"
    if url.scheme != wanted and not (url.scheme == "postgres" and driver.scheme is None):
        yield f"{url.scheme}:// → {wanted}://"


def _changes(driver: Driver, url: ConnectionString) -> Iterator[str]:
    for name, value in url.parameters:
        if name in driver.takes:
            if url.is_pooled and name in _RUNTIME and name not in PASSED_ON and name != "options":
                yield f"{name}=…: the pooler refuses it; take it out, or alter role … set {name}"
            continue
        where = driver.instead.get(name)
        end = {
            "refused": "the driver refuses it",
            "sent to the server": "the driver sends it to the server, which refuses it",
            "passed over": "it has no effect",
        }[driver.unknown]
        shown = value if name in ("sslmode", "channel_binding", "connect_timeout") else "…"
        yield f"{name}={shown}: {end}" + (f"; write {where}" if where else "; take it out")


def _of_mode(driver: Driver, url: ConnectionString) -> Iterator[str]:
    mode = url.parameter("sslmode")
    if driver.name == "node-postgres" and mode in _AS_FULL:
        yield f"sslmode={mode}: pg 8 takes it for verify-full and warns; write sslmode=verify-full"
    if driver.name == "lib/pq" and mode in ("allow", "prefer"):
        known = "verify-full" if _is_signed_for_all(url) else "require"
        yield f"sslmode={mode}: the driver does not know it; write sslmode={known}"
    elif driver.name in _BY_MODE and mode in _LENIENT and _is_signed_for_all(url):
        yield f"sslmode={mode}: the driver checks no certificate then; write sslmode=verify-full"
    elif driver.name in _IN_CODE and mode in _LENIENT and _is_signed_for_all(url):
        given = "ssl=ssl.create_default_context()"
        where = "connect_args={'ssl': …}" if driver.name.startswith("sqlalchemy") else "the call"
        yield f"sslmode={mode}: the driver checks no certificate then; give {given} in {where}"
    if driver.name == "prisma" and url.is_pooled and url.parameter("pgbouncer"):
        yield "pgbouncer=true: only engines before 5.10 need it with Neon's pooler"


def written(driver: Driver, url: ConnectionString) -> ConnectionString:
    """Write a string as a driver takes it."""
    kept = [(name, value) for name, value in url.parameters if name in driver.takes]
    mode = url.parameter("sslmode")
    if driver.name == "sqlalchemy+asyncpg":
        kept += [("ssl", mode)] if mode else []
    checked = _LENIENT if driver.name in _BY_MODE and _is_signed_for_all(url) else frozenset()
    if mode in (_AS_FULL if driver.name == "node-postgres" else checked):
        kept = [(name, "verify-full" if name == "sslmode" else value) for name, value in kept]
    return replace(url, scheme=driver.scheme or "postgresql", parameters=tuple(kept))


def _is_signed_for_all(url: ConnectionString) -> bool:
    """Tell whether every machine knows who signed the host's certificate."""
    return url.platform is Platform.NEON
