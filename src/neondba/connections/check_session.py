"""What a session shows: authentication, latency cold and warm, role, version, limits."""

from __future__ import annotations

from typing import Any, Final

from neondba.connections.check_results import CheckLine, fault, not_checked, note, ok
from neondba.connections.explain_text import hits
from neondba.core.context import Clock
from neondba.core.problem import Problem
from neondba.neon.connection_string import ConnectionString, Platform
from neondba.neon.limits import pool_size

WARM: Final = 3
"""Connections whose median is the warm latency."""
LATER: Final = ("cold", "warm", "role", "version", "limits", "timeouts")


def look(url: ConnectionString, clock: Clock, begun: float) -> list[CheckLine]:
    """Log in some times; ask the server who we are and what it allows.

    A compute that started after `begun` was woken by this check.
    """
    from neondba.postgres.connect import ask, connect

    plain = url.with_driver(None).render()
    start = clock.monotonic()
    try:
        with connect(plain) as session:
            took = clock.monotonic() - start
            facts = ask(session, "connection_facts")[0]
            # Both are measured by their own clock alone: the two may be set differently.
            woke = facts["age"] < clock.monotonic() - begun
        warm = [_timed(plain, clock) for _ in range(WARM)]
    except Problem as problem:
        why = "nobody is logged in"
        return [_refused(problem), *(not_checked(name, why) for name in LATER)]
    shown = f"role {facts['role']} is logged in to {facts['database']}"
    return [
        ok("authentication", shown),
        _cold(took, woke),
        ok("warm", f"the next connections took {_ms(sorted(warm)[WARM // 2])} (median of {WARM})"),
        _role(facts),
        _version(facts),
        _limits(url, facts),
        _timeouts(url, facts),
    ]


def _timed(url: Any, clock: Clock) -> float:
    from neondba.postgres.connect import connect

    start = clock.monotonic()
    with connect(url) as session:
        session.execute("select 1").fetchone()
    return clock.monotonic() - start


def _refused(problem: Problem) -> CheckLine:
    said = str(problem.facts.get("said", "")).strip()
    known = hits(said) if said else []
    do = known[0].entry.steps[0] if known else problem.hint or ""
    if known and known[0].entry.id == "password-missing":
        why = "no password is in the string, in PGPASSWORD or in .pgpass"
        return not_checked("authentication", why)
    reason = f" [{known[0].entry.id}]" if known else ""
    return fault("authentication", f"{problem.message}{reason}", do)


def _cold(took: float, woke: bool) -> CheckLine:
    if woke:
        return ok(
            "cold", f"the compute was suspended; the first connection took {_ms(took)}, waking included"
        )
    why = f"the compute was awake; the first connection took {_ms(took)}. Check again after it was suspended"
    return not_checked("cold", why)


def _role(facts: dict[str, Any]) -> CheckLine:
    has = [
        word
        for name, word in (
            ("superuser", "superuser"),
            ("bypasses", "BYPASSRLS"),
            ("neon_superuser", "member of neon_superuser"),
            ("makes_roles", "CREATEROLE"),
            ("makes_databases", "CREATEDB"),
        )
        if facts[name]
    ]
    said = f"{facts['role']}: {', '.join(has) or 'no special attributes'}"
    if facts["superuser"] or facts["bypasses"]:
        do = "For an application with row-level security: neondba role create app --read-write."
        return note("role", f"{said}. Row-level security does not hold for it", do)
    return ok("role", f"{said}; row-level security holds for it")


def _version(facts: dict[str, Any]) -> CheckLine:
    kind = "a read replica" if facts["is_replica"] else "read and write"
    return ok("version", f"PostgreSQL {facts['version']}, {kind}, up since {facts['started']:%Y-%m-%d %H:%M}")


def _limits(url: ConnectionString, facts: dict[str, Any]) -> CheckLine:
    usable = facts["max_connections"] - facts["reserved"]
    said = (
        f"max_connections {facts['max_connections']}, {facts['reserved']} of them reserved; "
        f"{facts['connections']} in use now"
    )
    if url.is_pooled:
        said += f"; the pooler uses up to {pool_size(facts['max_connections'])} per role and database"
    if facts["role_limit"] >= 0:
        said += f"; this role has at most {facts['role_limit']}"
    if facts["connections"] > usable * 0.8:
        return fault("limits", said, "Use the -pooler host, or smaller pools: neondba pool advise.")
    return ok("limits", said)


def _timeouts(url: ConnectionString, facts: dict[str, Any]) -> CheckLine:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction", "idle_session")
    said = ", ".join(f"{name} {_off(facts[name])}" for name in names)
    if facts["statement_timeout"] == "0":
        do = f"alter role {facts['role']} set statement_timeout = '30s' ends runaway statements."
        return note("timeouts", said, do if url.platform is not Platform.OTHER else "")
    return ok("timeouts", said)


def _off(value: str) -> str:
    return "off" if value == "0" else value


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
