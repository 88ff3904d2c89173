"""Which records of use there are, and what would have to be switched on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neondba.access.history_results import Source
from neondba.postgres.access_facts import HIDDEN, AccessFacts


def sources(facts: AccessFacts, *, local: bool, has_log: bool) -> Iterator[Source]:
    """Judge every record that a database of Neon's, or any, may keep of its use."""
    yield Source(
        name="sessions",
        state="used",
        said="pg_stat_activity tells who is connected now, not who was. "
        + (
            "The address there is the proxy's, not the client's."
            if facts.settings["is_neon"]
            else "Addresses are those that the server saw."
        ),
    )
    yield _statements(facts)
    yield from _pgaudit(facts.settings, local=local, has_log=has_log)


def _statements(facts: AccessFacts) -> Source:
    name = "statement counts"
    why = facts.refused.get("statements")
    if why:
        there = "pg_stat_statements" in str(facts.settings["libraries"] or "")
        return Source(
            name=name,
            state="not checked",
            said=f"pg_stat_statements: {why}.",
            switch_on=(
                "create extension pg_stat_statements;"
                if there or facts.settings["is_neon"]
                else "Add pg_stat_statements to shared_preload_libraries, restart, create extension.",
            ),
        )
    rows = facts.of("statements")
    hidden = sum(row["query"] in (None, HIDDEN) for row in rows)
    if hidden:
        return Source(
            name=name,
            state="partly",
            said=f"{hidden} of {len(rows)} statements are hidden from this role.",
            switch_on=("grant pg_read_all_stats to ROLE;",),
        )
    return Source(
        name=name,
        state="used",
        said="pg_stat_statements counts statements by role, without their times or values. On Neon it is "
        "empty again whenever the compute has slept.",
    )


def _pgaudit(settings: dict[str, Any], *, local: bool, has_log: bool) -> Iterator[Source]:
    loaded = "pgaudit" in str(settings["libraries"] or "")
    chosen = settings["pgaudit_log"] or ""
    if not loaded:
        yield Source(
            name="pgaudit",
            state="not checked",
            said="it is not loaded, so no server log says which role read or changed which table.",
            switch_on=_switched_on(settings, local=local),
        )
        return
    if chosen in ("", "none") and not settings["pgaudit_roles"] and not settings["pgaudit_role"]:
        yield Source(
            name="pgaudit",
            state="not checked",
            said="it is loaded and told to log nothing.",
            switch_on=(
                f"alter database {settings['database']} set pgaudit.log = 'read, write, role, ddl';",
                f"alter database {settings['database']} set pgaudit.log_relation = on;",
            ),
        )
        return
    what = ", ".join([chosen or "none", *settings["pgaudit_roles"]])
    yield Source(
        name="pgaudit",
        state="used" if has_log else "partly",
        said=f"it logs: {what}." + ("" if has_log else " The log itself was not given."),
        switch_on=() if has_log else ("neondba access history --log FILE",),
    )


def log_source(name: str, said: str, *, used: bool, settings: dict[str, Any]) -> Source:
    """Say what a server log has told, and what it would tell with other settings."""
    steps = []
    if settings["log_connections"] in ("off", ""):
        steps.append("Set log_connections = on: the server notes each login.")
    return Source(name=name, state="used" if used else "partly", said=said, switch_on=tuple(steps))


def no_log(*, local: bool) -> Source:
    """Say that there is no server log to read, and where one would come from."""
    if local:
        said = "the local Neon keeps one for as long as a compute runs; there is none for this branch now."
        return Source(name="server log", state="not checked", said=said)
    return Source(
        name="server log",
        state="not checked",
        said="Neon shows a branch's Postgres log in its Console and exports it; its API gives none.",
        switch_on=(
            "Console, project settings, Integrations: send logs to Datadog or an OpenTelemetry collector "
            "(Scale plan).",
            "Then export the time in question to a file: neondba access history --log FILE",
        ),
    )


def _switched_on(settings: dict[str, Any], *, local: bool) -> tuple[str, ...]:
    if local:
        return (
            "Not on the local Neon: its PostgreSQL has no pgaudit. Who logged in is in its log, read "
            "here; who touched which table needs a server with pgaudit.",
        )
    if settings["is_neon"]:
        return (
            "Neon runs pgaudit for projects with HIPAA enabled (API: settings.audit_log_level); ask its "
            "support for the records.",
        )
    return (
        "Install the package pgaudit of your PostgreSQL release.",
        "Add pgaudit to shared_preload_libraries and restart.",
        "create extension pgaudit;",
        f"alter database {settings['database']} set pgaudit.log = 'read, write, role, ddl';",
        f"alter database {settings['database']} set pgaudit.log_relation = on;",
    )
