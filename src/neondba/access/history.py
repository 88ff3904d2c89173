"""Who connected to a database and what they did, put together from what there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neondba.access.history_log import LogReader, Noted
from neondba.access.history_results import AccessEvent, AccessHistory, CountedUse, Source, TableUse
from neondba.access.history_sources import log_source, no_log, sources
from neondba.access.role_place import Place
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.postgres.access_facts import HIDDEN, AccessFacts, deed, names_table
from neondba.postgres.access_facts import read as read_facts
from neondba.postgres.connect import ask

PLATFORM: Final = frozenset({"cloud_admin", "neon_service", "databricks_control_plane"})
"""Roles with which Neon itself logs in: not anybody's access."""
LARGEST: Final = 200_000_000


@dataclass(frozen=True)
class Asked:
    """What is wanted of the history."""

    role: str | None = None
    table: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, event: AccessEvent) -> bool:
        """Tell whether an event is wanted."""
        return (
            (self.role is None or event.role == self.role)
            and (event.role not in PLATFORM or self.role is not None)
            and (self.table is None or names_table(event.tables, self.table))
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
        )


def history(ctx: Context, place: Place, asked: Asked, *, log: Path | None, limit: int) -> AccessHistory:
    """Read all records and put them in order of time.

    Raises:
        NotFoundProblem: there is no such role or table, and no record names it.
        Problem: the log that was named cannot be read.
    """
    ctx.progress(f"Reading what {place.database} on branch {place.branch.name} records of its use.")
    facts = read_facts(place.session)
    local = place.client.is_local
    logged, told = _logged(ctx, place, facts, log)
    events = [*_sessions(facts), *logged]
    if asked.role is not None and asked.role not in {each.role for each in events}:
        _require_role(place, facts, asked.role)
    if asked.table is not None and not any(names_table(each.tables, asked.table) for each in events):
        _require_table(place, facts, asked.table)
    found = [each for each in events if asked.takes(each)]
    found.sort(key=lambda each: each.at)
    return AccessHistory(
        project=place.project.name,
        branch=place.branch.name,
        database=place.database,
        events=tuple(found[-limit:] if limit else found),
        matching=len(found),
        counted=tuple(_counted(facts, asked)),
        tables=tuple(_tables(facts, asked)),
        sources=(*sources(facts, local=local, has_log=log is not None), told),
    )


def _require_role(place: Place, facts: AccessFacts, role: str) -> None:
    """Refuse a role that is neither there nor counted; one that was dropped may still be in a record."""
    known = {str(row["name"]) for row in ask(place.session, "audit_roles")}
    if role in known or role in {row["role"] for row in facts.of("statements")}:
        return
    there = [str(row["name"]) for row in ask(place.session, "role_list") if row["can_login"]]
    raise NotFoundProblem(
        "role-not-found",
        f"Branch {place.branch.name} has no role {role}, and no record of {place.database} names one.",
        hint=f"There are: {', '.join(there)}.",
    )


def _require_table(place: Place, facts: AccessFacts, table: str) -> None:
    """Refuse a table that is neither there nor counted."""
    there = [str(row["relation"]) for row in facts.of("tables")]
    if names_table(there, table) or any(_counted(facts, Asked(table=table))):
        return
    raise NotFoundProblem(
        "table-not-found",
        f"{place.database} on branch {place.branch.name} has no table {table}, and no record names one.",
        hint=f"There are: {', '.join(there)}." if there else "There is no table in it.",
    )


def _sessions(facts: AccessFacts) -> Iterator[AccessEvent]:
    for row in facts.of("sessions"):
        yield AccessEvent(
            at=row["began"].astimezone(UTC),
            role=row["role"],
            address=row["address"],
            application=row["application"] or "",
            did=f"logged in, connected now ({row['state']})",
            evidence="pg_stat_activity",
        )


def _logged(
    ctx: Context, place: Place, facts: AccessFacts, given: Path | None
) -> tuple[list[AccessEvent], Source]:
    path = (ctx.folder / given) if given else _local_log(ctx, place)
    if path is None:
        return [], no_log(local=place.client.is_local)
    reader = LogReader()
    name = str(given or "server log of the compute")
    events = [
        _event(each, f"{path.name}:{each.line}")
        for each in reader.read(_text(path, name))
        if each.database in (None, place.database)
    ]
    began = f" It begins at {reader.first:%Y-%m-%d %H:%M} UTC." if reader.first else ""
    said = f"{len(events)} logins and accesses to this database, {reader.audits} entries of pgaudit.{began}"
    for zone, count in reader.unplaced.items():
        said += f" {count} lines in time zone {zone} could not be placed: log in UTC (log_timezone)."
    if given is None:
        said += " The local Neon begins a new one whenever the compute starts, and its proxy hides addresses."
    return events, log_source(name, said, used=not reader.unplaced, settings=facts.settings)


def _event(noted: Noted, evidence: str) -> AccessEvent:
    tables: tuple[str, ...] = (noted.on,) if noted.on else ()
    if not tables and noted.statement:
        known = deed(noted.statement)
        tables = known.tables if known else ()
    return AccessEvent(
        at=noted.at,
        role=noted.role,
        address=noted.address,
        application=noted.application,
        did=noted.did,
        tables=tables,
        evidence=evidence,
    )


def _local_log(ctx: Context, place: Place) -> Path | None:
    """Give the log of a compute of the local Neon, where it runs under this state folder."""
    if not place.client.is_local:
        return None
    path = ctx.settings.state_dir / "local" / "branches" / place.branch.id / "compute.log"
    return path if path.is_file() else None


def _text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise ArgumentProblem(
                "log-too-large",
                f"{name} is larger than {LARGEST // 1_000_000} MB.",
                hint="Cut out the hours in question, then name that file.",
            )
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise NotFoundProblem("log-not-found", f"There is no file {path}.") from None
    except OSError as error:
        raise ArgumentProblem("log-unreadable", f"{path} cannot be read: {error.strerror}.") from None


def _counted(facts: AccessFacts, asked: Asked) -> Iterator[CountedUse]:
    """Sum up counted statements by role, deed and tables."""
    found: dict[tuple[str, str, tuple[str, ...]], list[tuple[int, int, datetime | None]]] = defaultdict(list)
    for row in facts.of("statements"):
        if row["role"] in PLATFORM or row["query"] in (None, HIDDEN):
            continue
        done = deed(row["query"])
        if done is None or any(each.startswith("pg_") for each in done.tables):
            continue
        if (asked.role is not None and row["role"] != asked.role) or (
            asked.table is not None and not names_table(done.tables, asked.table)
        ):
            continue
        found[row["role"], done.did, done.tables].append((row["calls"], row["rows"], row["since"]))
    for (role, did, tables), uses in sorted(found.items(), key=lambda each: -sum(u[0] for u in each[1])):
        known = [since for _, _, since in uses if since is not None]
        yield CountedUse(
            role=role,
            did=did,
            tables=tables,
            calls=sum(calls for calls, _, _ in uses),
            rows=sum(rows for _, rows, _ in uses),
            since=min(known).astimezone(UTC) if known else None,
        )


def _tables(facts: AccessFacts, asked: Asked) -> Iterator[TableUse]:
    for row in facts.of("tables"):
        if asked.table is not None and not names_table((row["relation"],), asked.table):
            continue
        yield TableUse(
            table=row["relation"],
            inserted=row["inserted"],
            updated=row["updated"],
            deleted=row["deleted"],
            reads=row["reads"],
            last_read=row["last_read"],
        )
