"""All figures that advice is computed from: options first, then code and files, then what is assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from neondba.connections import pool_code, pool_compute, pool_start
from neondba.connections.check_source import Source, from_argument
from neondba.connections.pool_asked import Asked
from neondba.connections.pool_code import CodePool
from neondba.connections.pool_compute import Compute
from neondba.connections.pool_figures import Figure, assumed, given, read
from neondba.connections.pool_numbers import numbers
from neondba.connections.pool_start import Count, Jobs, Serverless
from neondba.connections.pool_variables import Variables
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem
from neondba.neon.connection_string import ConnectionString
from neondba.project.addresses import Addresses
from neondba.project.engines import Engines
from neondba.project.facts import Facts
from neondba.project.places import is_document, is_test
from neondba.project.services import Services
from neondba.project.tree import FolderTree

BURST: Final = 100
STATEMENT_MS: Final = 20
THREADS: Final = 40
"""Of AnyIO, which runs the plain functions of FastAPI and Starlette."""


@dataclass(frozen=True)
class Inputs:
    """The figures, and the pools that they belong to."""

    pools: tuple[CodePool, ...]
    """Those of the code, the main one first; one that is assumed where there is none."""
    found: bool
    """True where the code makes a pool that was found."""
    instances: Figure
    workers: Figure
    threads: Figure | None
    size: Figure
    overflow: Figure
    pool_timeout: Figure
    connect_timeout: Figure
    compute: Compute
    pooled: bool
    pooled_where: str
    burst: Figure
    service: Figure
    rate: Figure | None
    serverless: Serverless | None
    jobs: tuple[Jobs, ...]
    url: ConnectionString | None

    @property
    def main(self) -> CodePool:
        """The pool that advice is given for."""
        return self.pools[0]

    @property
    def processes(self) -> int:
        """How many processes have a pool."""
        return self.instances.whole * self.workers.whole

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All of them, in the order of the arithmetic."""
        pool = (self.size, self.overflow, self.pool_timeout, self.connect_timeout)
        compute = (self.compute.least, self.compute.most, self.compute.wake, self.compute.login)
        every = (self.instances, self.workers, self.threads, *pool, *compute)
        return tuple(each for each in (*every, self.service, self.burst, self.rate) if each is not None)


def gather(ctx: Context, asked: Asked) -> Inputs:
    """Read the project, ask its compute.

    Raises:
        Problem: the folder is none, or what was named cannot be asked.
    """
    tree = FolderTree(ctx.folder / asked.folder)
    facts = Facts(tree)
    told = Serverless("the serverless platform", "") if asked.serverless else None
    platform = pool_start.serverless(tree) or told
    services = facts.get(Services)
    pools = _of_one_program(pool_code.pools(tree, facts.get(Engines)), services)
    main = pools[0] if pools else CodePool("sqlalchemy", "", 0)
    counts = pool_start.counts(tree, lambda path: services.of(path) is services.of(main.path))
    url = source.url if (source := _source(ctx, asked)) else None
    pooled, where = _pooled(asked, url, facts.get(Addresses))
    burst = _number("burst", asked.burst, "--burst") or assumed("burst", BURST, "requests at once; --burst")
    variables, known = Variables(tree, ctx.folder / asked.folder), bool(pools)
    found = numbers(asked, main, variables, source, found=known)
    return Inputs(
        pools=tuple(pools) or (main,),
        found=known,
        instances=_instances(asked, counts.get("instances"), platform, burst),
        workers=_count("workers", asked.workers, counts.get("workers"), "one process for each instance"),
        threads=_threads(asked, counts.get("threads"), main),
        size=found["size"],
        overflow=found["overflow"],
        pool_timeout=found["pool_timeout"],
        connect_timeout=found["connect_timeout"],
        compute=pool_compute.look(ctx, asked, url),
        pooled=pooled,
        pooled_where=where,
        burst=burst,
        service=_number("statement", asked.statement_ms, "--statement-ms", "ms")
        or assumed("statement", STATEMENT_MS, "how long a request keeps a connection; --statement-ms", "ms"),
        rate=_number("rate", asked.per_second, "--per-second", "/s"),
        serverless=platform,
        jobs=tuple(pool_start.jobs(tree)),
        url=url,
    )


def _of_one_program(pools: list[CodePool], services: Services) -> list[CodePool]:
    """Give the pools of the program that serves, else of the first: each of its processes has all."""
    first = next((each for each in pools if services.serves(each.path)), pools[0] if pools else None)
    if first is None:
        return []
    mine = services.of(first.path)
    same = [each for each in pools if services.of(each.path) is mine and each is not first]
    return [first, *(each for each in same if each.path.rpartition(".")[2] == first.path.rpartition(".")[2])]


def _number(name: str, value: float | None, option: str, unit: str = "") -> Figure | None:
    return None if value is None else given(name, value, option, unit)


def _count(name: str, option: int | None, found: Count | None, why: str) -> Figure:
    if option is not None:
        return given(name, option, f"--{name}")
    if found is not None:
        return read(name, found.value, found.place)
    return assumed(name, 1, f"{why}; --{name}")


def _instances(asked: Asked, found: Count | None, platform: Serverless | None, burst: Figure) -> Figure:
    if platform is None or asked.instances is not None or found is not None:
        return _count("instances", asked.instances, found, "nothing says how many run")
    why = f"{platform.name} runs each request of a burst in an instance of its own; --instances"
    return assumed("instances", burst.value, why)


def _threads(asked: Asked, found: Count | None, main: CodePool) -> Figure | None:
    if asked.threads is not None or found is not None:
        return _count("threads", asked.threads, found, "")
    if main.of.per_thread:
        return assumed("threads", 1, "a worker without --threads has one; --threads")
    if main.number("size") is None and main.library in ("sqlalchemy-null", "database-sql"):
        return assumed("threads", THREADS, "requests of a process at once, as in FastAPI; --threads")
    return None


def _source(ctx: Context, asked: Asked) -> Source | None:
    try:
        return from_argument(replace(ctx, folder=ctx.folder / asked.folder), asked.variable)
    except NotFoundProblem:
        return None


def _pooled(asked: Asked, url: ConnectionString | None, addresses: Addresses) -> tuple[bool, str]:
    if asked.way is not None:
        return asked.way == "pooled", "--way"
    if url is not None:
        return url.is_pooled, f"the host of {asked.variable}"
    for address in addresses.all:
        if address.is_neon and not is_test(address.path) and not is_document(address.path):
            return "-pooler" in address.host, f"{address.path}:{address.line}"
    return True, f"assumed: {asked.variable} is not set; --way"
