"""Look at a compute's connections, once or again and again: pg_stat_activity, and the pooler's console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from neondba.connections import check_source
from neondba.connections.pool_watch_results import Holder, Look, PoolSeen, Watch
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem, Problem
from neondba.neon.connection_string import ConnectionString, Platform
from neondba.neon.limits import QUERY_WAIT_TIMEOUT

if TYPE_CHECKING:
    from neondba.postgres.connect import Connection

CONSOLE: Final = "pgbouncer"
"""The pooler's own database."""
FULL: Final = 0.8
LONG: Final = 60.0
"""Seconds in which a transaction that does nothing is a fault of its program."""
NOBODY: Final = (
    "clients of the pooler, and how long they wait: Neon lets nobody reach its PgBouncer's console. What it "
    "serves shows above as server connections; count clients in the application's own pools."
)


@dataclass(frozen=True)
class Wanted:
    """What to watch, how often, how long."""

    variable: str
    branch: str | None
    every: timedelta | None
    lasting: timedelta
    wake: bool


def watch(ctx: Context, wanted: Wanted) -> Watch:
    """Look once, or in a series that is told as it goes where somebody looks.

    Raises:
        Problem: there is no such variable, project or branch, or the compute does not answer.
    """
    from neondba.postgres.connect import connect

    url = _url(ctx, wanted)
    direct = url.direct().with_driver(None)
    if not wanted.wake and _sleeps(ctx, wanted, direct):
        said = "The compute is suspended: nobody is connected. --wake looks all the same, and wakes it."
        return _fed(ctx, wanted, Watch(address=direct.masked(), looks=(), said=(said,), not_checked=()))
    looks: list[Look] = []
    with console_of(url) as (console, why), connect(direct.render()) as session:
        _tell_head(ctx, wanted, direct)
        try:
            for look in _series(ctx, wanted, session, console):
                looks.append(look)
                if not _tell(ctx, wanted, look):
                    break
        except KeyboardInterrupt:
            # Whoever ends a series wants what it has shown.
            if wanted.every is None or not looks:
                raise
    return Watch(
        address=direct.masked(),
        looks=tuple(looks),
        said=tuple(_said(looks)),
        not_checked=(why,) if why else (),
        told=_way(ctx, wanted),
    )


def _series(ctx: Context, wanted: Wanted, session: Connection, console: Connection | None) -> Iterator[Look]:
    begun, count = ctx.clock.monotonic(), 0
    while True:
        yield _look(ctx, session, console)
        count += 1
        if wanted.every is None:
            return
        pause = begun + count * wanted.every.total_seconds() - ctx.clock.monotonic()
        if ctx.clock.monotonic() + pause - begun > wanted.lasting.total_seconds():
            return
        ctx.clock.sleep(max(0.0, pause))


def _url(ctx: Context, wanted: Wanted) -> ConnectionString:
    """Take the variable; without it, the project."""
    if wanted.branch is None:
        try:
            return check_source.from_argument(ctx, wanted.variable).url
        except NotFoundProblem:
            if ctx.settings.project is None:
                raise
    return check_source.from_project(ctx, wanted.branch, None, pooled=False).url


def _sleeps(ctx: Context, wanted: Wanted, url: ConnectionString) -> bool:
    """Ask the API, where the project is known, whether the compute sleeps: a connection would wake it."""
    if wanted.branch is None and ctx.settings.project is None:
        return False
    from neondba.local import platform
    from neondba.neon.choose import project_for

    try:
        with platform.client(ctx) as client:
            there = client.endpoints(project_for(client, ctx).id)
    except Problem:
        return False
    return any(each.id == url.endpoint_id and each.current_state == "idle" for each in there)


@contextmanager
def console_of(url: ConnectionString) -> Iterator[tuple[Connection | None, str]]:
    """Open the pooler's console where it lets us in; say what is missing where it does not."""
    from neondba.postgres.connect import connect

    if url.endpoint_id is None:
        yield None, "clients of a pooler: this is no Neon endpoint"
        return
    if url.platform is Platform.NEON:
        yield None, NOBODY
        return
    try:
        console = connect(url.pooled().with_database(CONSOLE).with_driver(None).render())
    except Problem as problem:
        yield None, f"clients of the pooler, and how long they wait: {problem.message}"
        return
    with console:
        yield console, ""


def _look(ctx: Context, session: Connection, console: Connection | None) -> Look:
    from neondba.postgres.connect import ask

    facts = ask(session, "connection_facts")[0]
    holders = tuple(Holder.model_validate(row) for row in ask(session, "connection_holders"))
    # Asked again and again psycopg would prepare it, and the console speaks the simple protocol only.
    pools = None if console is None else console.execute("show pools", prepare=False).fetchall()
    return Look(
        at=ctx.clock.now(),
        connections=sum(each.connections for each in holders),
        max_connections=facts["max_connections"],
        reserved=facts["reserved"],
        holders=holders,
        pools=None if pools is None else tuple(map(_pool, pools)),
    )


def _pool(row: dict[str, Any]) -> PoolSeen:
    waiting = int(row["cl_waiting"])
    return PoolSeen(
        database=row["database"],
        role=row["user"],
        clients=int(row["cl_active"]) + waiting,
        waiting=waiting,
        longest_wait_seconds=int(row["maxwait"]) + int(row["maxwait_us"]) / 1_000_000,
        servers=int(row["sv_active"]) + int(row["sv_idle"]),
        busy=int(row["sv_active"]),
        size=int(row["pool_size"]),
    )


def _way(ctx: Context, wanted: Wanted) -> Literal["", "as lines", "as JSON"]:
    """Say how a series is printed as it goes: for a person, or for a program."""
    if wanted.every is None or (ctx.feed is None and ctx.console is None):
        return ""
    return "as lines" if ctx.feed is None else "as JSON"


def _fed(ctx: Context, wanted: Wanted, watch: Watch) -> Watch:
    """Give a series that ended before it began to a program as its one line."""
    if _way(ctx, wanted) != "as JSON" or ctx.feed is None:
        return watch
    ctx.feed(watch.model_dump_json(exclude={"told"}))
    return watch.model_copy(update={"told": "as JSON"})


def _tell_head(ctx: Context, wanted: Wanted, url: ConnectionString) -> None:
    if ctx.console is not None and _way(ctx, wanted) == "as lines":
        ctx.console(url.masked())


def _tell(ctx: Context, wanted: Wanted, look: Look) -> bool:
    """Tell of a look; false when nobody reads any more."""
    way = _way(ctx, wanted)
    if way == "as JSON" and ctx.feed is not None:
        return ctx.feed(look.model_dump_json())
    if way == "as lines" and ctx.console is not None:
        ctx.console(look.line())
    else:
        # As progress: whoever has cancelled gets out here.
        ctx.progress(look.line())
    return True


def _said(looks: list[Look]) -> Iterator[str]:
    """Say what stands out in the whole series."""
    most = max(looks, key=lambda look: look.connections / look.usable)
    if most.connections > FULL * most.usable:
        yield (
            f"{most.connections} of {most.usable} connections were in use at {most.at:%H:%M:%S}: the next "
            "programs are refused. neondba pool advise sizes the pools."
        )
    yield from _idlers(looks[-1])
    yield from _queues(looks)
    if any(each.state == "not visible" for each in looks[-1].holders):
        yield "This role may not see what others do: grant pg_monitor to it, or watch as the owner."


def _idlers(look: Look) -> Iterator[str]:
    for each in look.holders:
        if each.state.startswith("idle in transaction") and each.state_seconds > LONG:
            who = each.application or "a program without a name"
            yield (
                f"{each.connections} connections of {who} are idle in a transaction, the longest for "
                f"{each.state_seconds:.0f} s: they keep locks. Neon ends them after 5 minutes."
            )


def _queues(looks: list[Look]) -> Iterator[str]:
    """Tell of the longest wait at the pooler."""
    pools = [(look, pool) for look in looks for pool in look.pools or () if pool.waiting]
    if pools:
        look, pool = max(pools, key=lambda pair: pair[1].longest_wait_seconds)
        yield (
            f"{pool.waiting} clients of {pool.role} on {pool.database} waited for a server connection at "
            f"{look.at:%H:%M:%S}, the first for {pool.longest_wait_seconds:.1f} s; after "
            f"{QUERY_WAIT_TIMEOUT:g} s the pooler ends them (query_wait_timeout)."
        )
