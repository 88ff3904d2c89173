"""The arithmetic: the application's connections beside what pooler and compute have, at each size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from neondba.connections.pool_inputs import Inputs
from neondba.connections.pool_results import FitLine
from neondba.connections.pool_start import Jobs
from neondba.neon.limits import (
    MAX_CLIENT_CONN,
    QUERY_WAIT_TIMEOUT,
    RESERVED_CONNECTIONS,
    Size,
    published,
)

APART: Final = 5
"""Direct connections for a migration tool (2), administrators (2) and monitoring (1)."""

MEMORY_MB: Final = 5
"""What a busy connection takes at least, as a rule of thumb."""


@dataclass(frozen=True)
class Demand:
    """What the application may open."""

    each: int
    """Connections of one process."""
    processes: int
    how: str
    """The product in words."""

    @property
    def total(self) -> int:
        """Connections of all processes."""
        return self.each * self.processes


def demand(inputs: Inputs) -> Demand:
    """Multiply what each process may open."""
    processes = inputs.processes
    per = f"{inputs.instances.whole} instances x {inputs.workers.whole} workers"
    if inputs.size.value is None:
        threads = inputs.threads.whole if inputs.threads else 1
        of = "threads" if inputs.threads else "connection"
        return Demand(threads, processes, f"{per} x {threads} {of}")
    each = inputs.size.whole + inputs.overflow.whole
    parts = f"({inputs.size.whole} + {inputs.overflow.whole})" if inputs.overflow.whole else str(each)
    others = sum(_most(pool.number("size"), pool.number("overflow")) for pool in inputs.pools[1:])
    if others:
        parts = f"({parts} + {others} of other pools)"
    return Demand(each + others, processes, f"{per} x {parts}")


def _most(size: float | None, overflow: float | None) -> int:
    return int((size or 0) + (overflow or 0))


def lines(inputs: Inputs) -> list[FitLine]:
    """Say what fits and what does not."""
    size, wanted = inputs.compute.size, demand(inputs)
    if inputs.main.library == "neon-http":
        return [_over_http(), _sizes(size), _memory(size)]
    found = [_connections(inputs, wanted, size)]
    found += [_server_connections(wanted, size), _headroom(size)] if inputs.pooled else []
    found += [] if inputs.pooled or inputs.serverless else [_deployment(wanted, size)]
    found += [
        *_threads(inputs, wanted),
        *map(_jobs, inputs.jobs),
        _sizes(size),
        _memory(size),
        _capacity(inputs, wanted, size),
    ]
    return found


def _over_http() -> FitLine:
    said = "each query is a request to Neon's proxy, which keeps the connections: there is no pool to size"
    return FitLine(name="application", verdict="ok", said=said)


def _connections(inputs: Inputs, wanted: Demand, size: Size) -> FitLine:
    said = f"the application opens up to {wanted.total} connections"
    if inputs.pooled:
        if wanted.total > MAX_CLIENT_CONN:
            return FitLine(
                name="application",
                verdict="fault",
                said=f"{said}; the pooler takes {MAX_CLIENT_CONN} clients",
                formula=f"{wanted.how} = {wanted.total} > max_client_conn {MAX_CLIENT_CONN}",
                do="Smaller pools, or fewer processes.",
            )
        return FitLine(
            name="application",
            verdict="ok",
            said=f"{said}; the pooler takes {MAX_CLIENT_CONN} clients",
            formula=f"{wanted.how} = {wanted.total} <= max_client_conn {MAX_CLIENT_CONN}",
        )
    most = size.usable_connections - APART
    over = wanted.total > most
    return FitLine(
        name="application",
        verdict="fault" if over else "ok",
        said=f"{said} at the direct address; {most} are for it, {APART} of the {size.usable_connections} "
        "usable ones being kept for migrations, administrators and monitoring",
        formula=f"{wanted.how} = {wanted.total} {'>' if over else '<='} {_usable(size)} - {APART} = {most}",
        do="The pooled address (-pooler in the host), or the settings below." if over else "",
    )


def _usable(size: Size) -> str:
    return f"max_connections {size.max_connections} - {RESERVED_CONNECTIONS} reserved"


def _server_connections(wanted: Demand, size: Size) -> FitLine:
    pool = size.pool_size
    formula = f"floor(0.9 x max_connections {size.max_connections}) = {pool}, for each role and database"
    if wanted.total <= pool:
        said = f"the pooler has {pool} for this role and database: no transaction ever waits for one"
        return FitLine(name="server connections", verdict="ok", said=said, formula=formula)
    said = (
        f"{pool} of the {wanted.total} can be in a transaction at once; the others wait, up to "
        f"{QUERY_WAIT_TIMEOUT:g} s (query_wait_timeout), then their client is cut off"
    )
    return FitLine(name="server connections", verdict="note", said=said, formula=formula)


def _headroom(size: Size) -> FitLine:
    """Say what is left for direct connections when the pooler has opened all it may."""
    pool, usable = size.pool_size, size.usable_connections
    left = usable - pool
    formula = f"{_usable(size)} - {pool} of one full pool = {left}"
    second = "a second role or database in use at once has a pool of its own"
    if left < APART:
        return FitLine(
            name="headroom",
            verdict="note",
            said=f"{left} direct connections are left for migrations and administrators when the pool is "
            f"full, less than the {APART} they may want; {second}",
            formula=formula,
            do=f"Let the application use at most {usable - APART} at once, or migrate when it is quiet.",
        )
    said = f"{left} direct connections are left for migrations and administrators when it is full; {second}"
    return FitLine(name="headroom", verdict="ok", said=said, formula=formula)


def _deployment(wanted: Demand, size: Size) -> FitLine:
    """Say whether old and new processes fit together while a deployment replaces one by the other."""
    most, twice = size.usable_connections - APART, 2 * wanted.total
    said = "while a deployment replaces them, old and new processes have connections"
    formula = f"2 x {wanted.total} = {twice} {'>' if twice > most else '<='} {most}"
    if twice > most:
        do = "Stop the old ones first, or use the pooled address."
        return FitLine(name="deployment", verdict="note", said=f"{said}: too many", formula=formula, do=do)
    return FitLine(name="deployment", verdict="ok", said=f"{said}: they fit", formula=formula)


def _threads(inputs: Inputs, wanted: Demand) -> list[FitLine]:
    threads = inputs.threads
    if threads is None or inputs.size.value is None or threads.whole >= wanted.each:
        return []
    unused = wanted.each - threads.whole
    said = f"a process has {threads.whole} threads: {unused} of its {wanted.each} connections stay unused"
    return [FitLine(name="threads", verdict="note", said=said)]


def _jobs(jobs: Jobs) -> FitLine:
    """Say that background work has connections, too."""
    many = f"{jobs.at_once} tasks at once" if jobs.at_once else "as many tasks at once as it has processors"
    said = (
        f"{jobs.tool} in {jobs.place} does {many}, each with a connection of its own; they are not in the "
        "product above"
    )
    do = f"Keep {jobs.at_once or 'as many'} free, or count them with --workers."
    return FitLine(name="background work", verdict="note", said=said, do=do)


def _sizes(size: Size) -> FitLine:
    """Say what changes with the size, and what does not."""
    here = size.max_connections
    if size.min_cu == size.max_cu:
        said = f"a fixed size of {size.min_cu:g} CU has max_connections {here}"
    else:
        low, high = Size(size.min_cu, size.min_cu), Size(size.max_cu, size.max_cu)
        said = (
            f"between {size.min_cu:g} and {size.max_cu:g} CU max_connections is {here} all the time: it "
            "follows from the bounds, not from the size of the moment, and scaling cuts no connection. "
            f"Fixed at {size.min_cu:g} CU it would be {low.max_connections}, at {size.max_cu:g} CU "
            f"{high.max_connections}. Changing the bounds restarts the compute: all connections are cut and "
            "come back at once, as at wake-up"
        )
    if size.min_cu == size.max_cu == 9:
        said += "; Neon's table prints 4000 for 9 CU, its formula gives this: we count with the smaller"
    return FitLine(name="compute size", verdict="ok", said=said, formula=published("max_connections").formula)


def _memory(size: Size) -> FitLine:
    """Say what memory each connection has where the compute is smallest."""
    mb, most = size.min_cu * 4096, size.max_connections
    each = mb / most
    said = f"at {size.min_cu:g} CU, {mb:g} MB are there for up to {most} connections: {each:.1f} MB each"
    formula = f"4096 MB x {size.min_cu:g} CU / {most}"
    if each >= MEMORY_MB:
        return FitLine(name="memory", verdict="ok", said=said, formula=formula)
    said += f", while a busy one takes {MEMORY_MB} MB or more (assumed)"
    do = f"Keep fewer than {int(mb / MEMORY_MB)} busy, or raise the least size."
    return FitLine(name="memory", verdict="note", said=said, formula=formula, do=do)


def _capacity(inputs: Inputs, wanted: Demand, size: Size) -> FitLine:
    """Say how many requests a second the connections carry, and how many the processors."""
    seconds = (inputs.service.value or 0) / 1000
    at_once = concurrency(inputs, wanted, size)
    low, high = (cu / seconds for cu in (size.min_cu, size.max_cu))
    said = (
        f"{at_once} connections carry at most {at_once / seconds:.0f} requests a second. If the "
        f"{inputs.service.value:g} ms were all processor time, the compute would carry {low:.0f} at "
        f"{size.min_cu:g} CU" + (f" and {high:.0f} at {size.max_cu:g} CU" if high != low else "")
    )
    formula = f"Little: connections in use = requests a second x {seconds:g} s"
    return FitLine(name="capacity", verdict="ok", said=said, formula=formula)


def concurrency(inputs: Inputs, wanted: Demand, size: Size) -> int:
    """Count the transactions that can go on at once."""
    each = wanted.each if inputs.threads is None else min(wanted.each, inputs.threads.whole)
    servers = size.pool_size if inputs.pooled else size.usable_connections
    return max(1, min(each * wanted.processes, servers))
