"""Connections that end, and computes that come and go."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_ENGINE: Final = (Concern.ENGINE,)
_RECYCLING: Final = (
    "pool_pre_ping",
    "pool_recycle",
    "max_inactive_connection_lifetime",
    "check",
    "max_idle",
    "idleTimeoutMillis",
    "pool",
)
_ENDED: Final = (r"terminating connection due to administrator command", r"adminshutdown", r"sqlstate 57p01")
_CLOSED: Final = (
    r"ssl connection has been closed unexpectedly",
    r"ssl syscall error: eof detected",
    r"server closed the connection unexpectedly",
    r"connection was closed in the middle of operation",
    r"connectiondoesnotexisterror",
    r"connection terminated unexpectedly",
    r"connection unexpectedly closed",
    r"\bthe connection is (?:closed|lost)\b",
    r"connection (?:already|is) closed",
    r"consuming input failed",
    r"unexpected eof\b",
    r"\beconnreset\b",
    r"connection reset by peer",
    r"connection_lost\(\)",
    r"driver: bad connection",
    r"\bconn closed\b",
    r"broken pipe",
    r"connection error and is not queryable",
    r"\bp1017\b",
    r"server has closed the connection",
    r"terminating connection due to unexpected postmaster exit",
    r"underlying connection is closed",
    r"discarding closed connection",
    r"write connection_(?:closed|ended|destroyed)",
    r"this connection has been closed\.",
    r"exception while reading from stream",
)

CHECK_FIRST: Final = (
    "Let the pool test a connection before it hands it out, and drop it before the suspend time."
)

ENTRIES: Final = (
    Entry(
        "terminated-suspended",
        "The compute was suspended or restarted under the connection",
        _ENDED,
        "Neon stopped the compute: no activity for the suspend time, a changed size, an update. Connections "
        "that a pool kept open went with it.",
        (
            CHECK_FIRST,
            "Try a failed transaction once again, if it may run twice.",
            "On a paid plan, set scale to zero off for the branch that serves users.",
        ),
        sources.NEON_ERRORS,
        tells="It comes after a pause (5 minutes by default), or at a change of the compute.",
        concerns=_ENGINE,
        lacks=_RECYCLING,
        snippet="pool-lifetime",
    ),
    Entry(
        "terminated-by-someone",
        "Somebody ended the session",
        _ENDED,
        "pg_terminate_backend was called, the role's password was reset, or the branch was restored or "
        "reset.",
        ("Look at the operations of the project at that time, and ask who was at work.",),
        sources.NEON_API,
        tells="It comes in the midst of work, without a pause before.",
    ),
    Entry(
        "closed-suspended",
        "The connection was gone when it was used: the compute had been suspended",
        _CLOSED,
        "A pool handed out a connection whose compute had stopped meanwhile.",
        (
            CHECK_FIRST,
            "SQLAlchemy: 2.0.33 or newer, pool_pre_ping=True, pool_recycle below the suspend time.",
            "node-postgres: give the pool an 'error' listener; without one the process ends.",
        ),
        sources.NEON_SQLALCHEMY,
        tells="It comes with the first statement after a pause as long as the suspend time.",
        concerns=_ENGINE,
        lacks=_RECYCLING,
        snippet="pool-lifetime",
        follows=True,
    ),
    Entry(
        "closed-waiting",
        "The pooler closed the connection: no server connection came free for 120 s",
        (
            r"ssl connection has been closed unexpectedly",
            r"server closed the connection unexpectedly",
            r"connection terminated unexpectedly",
        ),
        "All server connections of this role and database were busy; query_wait_timeout ended the wait.",
        (
            "Find transactions that stay open: select * from pg_stat_activity where state <> 'idle'.",
            "Shorten them; then think about a larger compute.",
        ),
        sources.NEON_POOLING,
        tells="It comes about 120 s after the statement was sent, on a -pooler host, under load.",
        follows=True,
    ),
    Entry(
        "closed-on-the-way",
        "Something between client and Neon dropped the idle connection",
        (
            r"\beconnreset\b",
            r"connection reset by peer",
            r"broken pipe",
            r"ssl syscall error: eof detected",
            r"unexpected eof\b",
        ),
        "NAT gateways, load balancers and VPNs forget idle connections, some after a few minutes; frozen "
        "serverless functions lose them too.",
        (
            "Switch TCP keep-alive on: keepalives=1&keepalives_idle=60 with libpq, keepAlive: true in Node.",
            "In serverless functions, open connections per call, through the pooler or the serverless "
            "driver.",
        ),
        sources.GENERAL,
        tells="The compute has been awake all the time (its start time is before the pause).",
        concerns=_ENGINE,
        follows=True,
    ),
    Entry(
        "crashed",
        "The server ended all sessions after a crash",
        (
            r"because of crash of another server process",
            r"server conn crashed\?",
            r"the database system is in recovery mode",
        ),
        "One backend was killed, mostly for want of memory, and PostgreSQL starts anew.",
        ("Try again.", "If it returns: find the large query, or raise the smallest compute size."),
        sources.POSTGRES,
    ),
    Entry(
        "compute-not-ready",
        "The compute is starting or stopping",
        (
            r"couldn't connect to compute node",
            r"could not connect to compute node",
            r"the database system is (?:starting up|shutting down|not accepting connections)",
            r"sqlstate 57p03",
            r"cannotconnectnowerror",
            r"\bendpoint_idle\b",
        ),
        "Neon's proxy reached no compute: it is starting, restarting or being moved.",
        (
            "Try again with growing pauses: 0.5 s, 1 s, 2 s and so on.",
            "If it lasts for minutes: look at the project's operations and at Neon's status page.",
        ),
        sources.NEON_ERRORS,
        snippet="retry",
    ),
    Entry(
        "prisma-unreachable",
        "Prisma did not reach the server in time",
        (r"\bp1001\b", r"can't reach database server", r"\bdatabasenotreachable\b"),
        "Prisma gives up after 5 s by default; a compute that wakes up may need that long. A wrong host or a "
        "closed port looks the same.",
        (
            "Add connect_timeout=15 to the connection string (Prisma 7 with a driver adapter: "
            "connectionTimeoutMillis of the adapter).",
            "Check host and port: neondba connection check.",
        ),
        sources.NEON_PRISMA,
        concerns=(Concern.ADDRESS, Concern.VARIABLE),
        lacks=("connect_timeout",),
        snippet="prisma-timeout",
    ),
    Entry(
        "prisma-slow-server",
        "Prisma reached the server, which did not answer in time",
        (
            r"\bp1002\b(?!.{0,400}advisory lock)",
            r"was reached but timed out",
            r"\bp1008\b",
            r"operations timed out after",
        ),
        "The compute was waking or overloaded.",
        ("Add connect_timeout=15; look at running transactions if it stays.",),
        sources.PRISMA,
        concerns=(Concern.ADDRESS,),
        snippet="prisma-timeout",
    ),
    Entry(
        "idle-in-transaction",
        "A transaction stayed open without work for too long",
        (
            r"due to idle-in-transaction (?:session )?timeout",
            r"sqlstate 25p03",
            r"idleintransactionsessiontimeout",
        ),
        "Neon ends sessions that do nothing inside a transaction for 5 minutes. Some code opens a "
        "transaction and then waits: for another service, for a user, or for a forgotten commit.",
        (
            "Commit before slow work that needs no database; close sessions with a context manager.",
            "If the wait is meant: set idle_in_transaction_session_timeout for this role.",
        ),
        sources.NEON_ERRORS,
        concerns=_ENGINE,
        snippet="short-transaction",
    ),
    Entry(
        "idle-session",
        "The session did nothing for too long",
        (r"due to idle-session timeout", r"due to transaction timeout", r"sqlstate 57p05", r"sqlstate 25p04"),
        "idle_session_timeout or transaction_timeout is set, for the role, the database or the session.",
        ("See who set it: select * from pg_db_role_setting; then let the pool drop connections earlier.",),
        sources.POSTGRES,
        concerns=_ENGINE,
        snippet="pool-lifetime",
    ),
    Entry(
        "statement-timeout",
        "The statement ran longer than it may",
        (r"canceling statement due to statement timeout", r"querycanceled\w*.{0,60}statement timeout"),
        "statement_timeout is set, for the role, the database or the session, and the statement reached it.",
        (
            "Look at its plan: explain (analyze, buffers).",
            "For one long task: set local statement_timeout in its transaction.",
        ),
        sources.POSTGRES,
    ),
    Entry(
        "lock-timeout",
        "The statement waited too long for a lock",
        (r"canceling statement due to lock timeout", r"sqlstate 55p03", r"could not obtain lock on"),
        "Another transaction holds a lock on the same table or row.",
        (
            "See who holds it: select pid, pg_blocking_pids(pid), query from pg_stat_activity.",
            "Try again later.",
        ),
        sources.POSTGRES,
    ),
    Entry(
        "cancelled",
        "The client cancelled its statement",
        (r"canceling statement due to user request",),
        "A timeout of the client, a closed request or a person asked for it.",
        ("Look for a timeout in the client: command_timeout, query_timeout, a request's deadline.",),
        sources.POSTGRES,
        concerns=_ENGINE,
    ),
    Entry(
        "replica-conflict",
        "A read replica ended the query to keep up",
        (r"due to conflict with recovery",),
        "Rows that the query still needs were removed on the primary.",
        ("Try again; run long reports on the primary, or in shorter queries.",),
        sources.POSTGRES,
    ),
    Entry(
        "read-only",
        "This connection cannot write",
        (r"cannot execute [\w ]+ in a read-only transaction", r"sqlstate 25006", r"readonlysqltransaction"),
        "The connection string is a read replica's, a point in the past, or the session is set to read only.",
        (
            "Use the read-write endpoint's string for writes.",
            "Else look for default_transaction_read_only and for postgresql_readonly in the code.",
        ),
        sources.POSTGRES,
        concerns=(Concern.ADDRESS,),
    ),
    Entry(
        "postgrex-closed",
        "Postgrex held a connection that is gone",
        (
            r"dbconnection\.connectionerror\) ssl (?:send|recv|connect): ",
            r"dbconnection\.connectionerror\) tcp",
        ),
        "Postgrex pings idle connections each second: that keeps the compute awake, and fails when it stops.",
        ("Set idle_interval: :timer.hours(24) on the repository.",),
        sources.NEON_ERRORS,
    ),
    Entry(
        "dbconnection-queue",
        "No connection of Ecto's pool came free in time",
        (r"connection not available and request was dropped from queue",),
        "pool_size is too small for the load, or the compute was waking.",
        ("Raise queue_target and queue_interval to cover the wake time; then pool_size.",),
        sources.GENERAL,
    ),
)
