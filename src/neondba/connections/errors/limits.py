"""Limits of computes, the pooler, the proxy and the account."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_ENGINE: Final = (Concern.ENGINE, Concern.ADDRESS)

ENTRIES: Final = (
    Entry(
        "slots-full",
        "All connections of the compute are taken",
        (
            r"remaining connection slots are reserved",
            r"too many clients already",
            r"sqlstate 53300",
            r"\bp2037\b",
            r"too many database connections opened",
            r"toomanyconnectionserror",
        ),
        "Direct connections reach max_connections, which follows the compute's size: 104 at 0.25 CU, of "
        "which Neon keeps 7.",
        (
            "Use the -pooler host for the application.",
            "See who holds them: select usename, application_name, state, count(*) from pg_stat_activity "
            "group by 1, 2, 3.",
            "Make the pools smaller; then think about a larger compute: neondba pool advise.",
        ),
        sources.NEON_ERRORS,
        concerns=_ENGINE,
        lacks=("pool_size", "max_size", "max"),
        snippet="use-pooled",
    ),
    Entry(
        "role-limit",
        "The role or the database has its own limit of connections",
        (r"too many connections for (?:role|database) \W*(?P<name>[\w-]*)",),
        "ALTER ROLE or ALTER DATABASE … CONNECTION LIMIT was set.",
        ("Raise it: alter role NAME connection limit -1; or make the pool smaller.",),
        sources.POSTGRES,
        concerns=_ENGINE,
    ),
    Entry(
        "pooler-clients-full",
        "The pooler has all the clients it takes",
        (r"no more connections allowed \(max_client_conn\)",),
        "More than 10,000 clients are connected to one endpoint's pooler.",
        ("Close connections that are not used; share a pool per process.",),
        sources.NEON_POOLING,
        concerns=_ENGINE,
    ),
    Entry(
        "pooler-cannot-login",
        "The pooler could not log in to the compute",
        (r"server login has been failing", r"server_login_retry", r"pgbouncer cannot connect to server"),
        "The pooler's last try to log in for this role failed, and it waits before the next: a password "
        "that was just reset, a role or database that is gone, or a compute that starts.",
        ("Try the direct host: it says the reason.", "Try again in 15 seconds."),
        sources.GENERAL,
    ),
    Entry(
        "pooler-wait",
        "No server connection of the pool came free for 120 s",
        (r"query_wait_timeout",),
        "The pooler has nine tenths of max_connections as server connections for each role and database; "
        "all were busy with long transactions.",
        (
            "Find transactions that stay open: select * from pg_stat_activity where state <> 'idle'.",
            "Shorten them; do no slow work inside a transaction.",
            "Then think about a larger compute: neondba pool advise.",
        ),
        sources.NEON_ERRORS,
        snippet="short-transaction",
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "proxy-rate",
        "Neon's proxy holds back connection attempts",
        (
            r"too many connections to this endpoint",
            r"too many connections? attempts",
            r"failed to acquire permit to connect to the database",
            r"too many database connection attempts are currently ongoing",
        ),
        "Too many new connections at once, mostly after a restart of many instances, or from clients that "
        "connect for each request.",
        (
            "Try again with growing, random pauses.",
            "Keep a pool per process, in place of one connection per request.",
        ),
        sources.NEON_PROXY,
        concerns=(Concern.ENGINE,),
        snippet="retry",
    ),
    Entry(
        "active-endpoints",
        "Too many computes run at the same time",
        (
            r"exceeded the limit of concurrently active endpoints",
            r"active endpoints limit exceeded",
            r"\bactive_endpoints_limit_exceeded\b",
        ),
        "More than 20 computes are active in the project; the default branch's own does not count.",
        (
            "Suspend or delete branches that nobody uses: neondba branch sweep.",
            "Give preview and test branches a time of expiry.",
            "Ask Neon's support for a higher limit.",
        ),
        sources.NEON_ERRORS,
        over=("control-plane-rate",),
    ),
    Entry(
        "compute-time-quota",
        "The compute time of the period is used up",
        (
            r"\b(?:active_time|compute_time)_quota_exceeded\b",
            r"\bnon_primary_branch_compute_time_exceeded\b",
            r"exceeded the (?:compute|active) time quota",
            r"exceeded the quota of compute",
        ),
        "The plan's or the project's quota of active or compute time is reached; computes stay suspended "
        "until the period ends.",
        (
            "Look at the usage; find what keeps computes awake (pollers, health checks, open transactions).",
            "Raise the project's quota, or change the plan.",
        ),
        sources.NEON_PROXY,
    ),
    Entry(
        "transfer-quota",
        "The data transfer of the period is used up",
        (r"\bdata_transfer_quota_exceeded\b", r"exceeded the data transfer quota"),
        "More bytes left the project than the quota allows; computes stay suspended until the period ends.",
        (
            "Find large results: select columns and rows that are needed, not *.",
            "Raise the quota, or change the plan.",
        ),
        sources.NEON_PROXY,
    ),
    Entry(
        "written-quota",
        "The written data of the period is used up",
        (r"\bwritten_data_quota_exceeded\b", r"exceeded the written data quota"),
        "More bytes were written than the project's quota allows; computes stay suspended.",
        ("Raise written_data_bytes in the project's quota, or change the plan.",),
        sources.NEON_PROXY,
    ),
    Entry(
        "size-quota",
        "The branch has reached its size",
        (
            r"\blogical_size_quota_exceeded\b",
            r"project size limit \([^)]*\) has been exceeded",
            r"could not extend file because .{0,40}size limit",
        ),
        "The data is as large as plan or quota allow (0.5 GB on the Free plan). Reading still works.",
        (
            "Delete or truncate what is not needed, then vacuum full the table.",
            "Raise logical_size_bytes in the quota, or change the plan.",
        ),
        sources.NEON_STORAGE,
        over=("disk-full",),
    ),
    Entry(
        "control-plane-busy",
        "The project is being changed",
        (
            r"\b(?:running_operations|concurrency_limit_reached|lock_already_taken|project_under_maintenance)\b",
            r"already has running (?:conflicting )?operations",
            r"project is locked",
            r"http (?:status )?423",
        ),
        "An operation on the project is not finished; connections and changes wait for it.",
        ("Try again in some seconds: these are safe to repeat.",),
        sources.NEON_PROXY,
        snippet="retry",
    ),
    Entry(
        "control-plane-rate",
        "Too many requests to Neon's control plane",
        (r"\brate_limit_exceeded\b", r"exceeded the rate limit"),
        "Connections or API calls come faster than Neon answers: 700 a minute, 40 a second per route.",
        ("Pause as long as Retry-After says; do not poll in loops.",),
        sources.NEON_PROXY,
    ),
    Entry(
        "past-not-there",
        "That moment is not in the history",
        (
            r"\bwrong_lsn_or_timestamp\b",
            r"(?:lsn|timestamp) is (?:out of|outside) (?:the )?(?:range|history)",
        ),
        "The point of time in the connection string is older than the history window, or before the branch.",
        ("Choose a later moment; see the window: neondba branch list.",),
        sources.NEON_PROXY,
        concerns=(Concern.ADDRESS,),
    ),
    Entry(
        "control-plane-failed",
        "Neon's control plane refused or failed",
        (r"control plane request failed",),
        "The proxy asked the control plane about this endpoint and got no useful answer.",
        (
            "Try again in some seconds.",
            "If it stays: look at neonstatus.com, and write to support with the text.",
        ),
        sources.NEON_PROXY,
        general=True,
    ),
    Entry(
        "disk-full",
        "The local disk of the compute is full",
        (r"no space left on device", r"sqlstate 53100", r"diskfull(?:error)?\b"),
        "Temporary files (sorts, hashes, index builds) fill the compute's own disk, which grows with its "
        "size; the branch's data does not live there.",
        (
            "Make the query smaller, or work_mem larger for it.",
            "Raise the smallest compute size for the task.",
        ),
        sources.NEON_COMPUTES,
    ),
    Entry(
        "memory",
        "The compute had no memory left for it",
        (
            r"out of shared memory",
            r"sqlstate 53200",
            r"\berror: out of memory",
            r"could not resize shared memory",
        ),
        "A query needs more memory or more locks than the compute has; many tables or partitions in one "
        "transaction need many locks.",
        ("Touch fewer tables in one transaction; lower work_mem; raise the smallest compute size.",),
        sources.POSTGRES,
        over=("disk-full",),
    ),
)
