"""The compute at hand: its bounds, how long it took to start, and what a connection shows."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from neondba.connections.pool_asked import Asked
from neondba.connections.pool_figures import Figure, assumed, given, measured, of_neon
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, Problem
from neondba.neon.limits import USUAL_WAKE_SECONDS, Size

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.connection_string import ConnectionString
    from neondba.neon.models import Endpoint

USUAL: Final = Size(0.25, 2.0)
"""What a new project has on Neon."""
CONNECTIONS: Final = 5
"""Whose median is the time of a login."""


@dataclass(frozen=True)
class Compute:
    """The bounds of a compute, and its times."""

    least: Figure
    most: Figure
    wake: Figure
    login: Figure
    where: str
    """Which compute, or why none."""

    @property
    def size(self) -> Size:
        """The bounds as a size."""
        return Size(self.least.value or 0.0, self.most.value or 0.0)


def look(ctx: Context, asked: Asked, url: ConnectionString | None) -> Compute:
    """Ask the project for its compute; take options before it, and Neon's usual one without it.

    Raises:
        ArgumentProblem: the bounds are none that Neon has.
        Problem: a project or branch was named and cannot be asked.
    """
    endpoint, where, starts = _asked(ctx, asked, url.endpoint_id if url else None)
    low, high = _bounds(asked, endpoint)
    if fault := Size(low.value or 0.0, high.value or 0.0).fault():
        raise ArgumentProblem(
            "compute-size-invalid",
            f"There is no such compute: {fault}.",
            hint="Correct --compute-min.",
        )
    wake = _wake(asked, starts)
    login = assumed("login", 30, "a login over the network, TLS included; --measure measures it", "ms")
    if asked.measure and url is not None:
        wake, login = _visited(ctx, url, wake)
    return Compute(low, high, wake, login, where)


def _asked(ctx: Context, asked: Asked, endpoint_id: str | None) -> tuple[Endpoint | None, str, list[int]]:
    """Give the project's compute and how long its starts took; why not, where there is none."""
    if asked.compute_min is not None and asked.branch is None:
        return None, "no compute was asked: its size is given", []
    from neondba.local import launch, platform

    settings = ctx.settings
    named = asked.branch is not None or settings.project is not None
    if not named and not settings.api_key and launch.status(settings.state_dir) is None:
        return None, "no compute was asked: there is no NEON_API_KEY, and no local Neon runs", []
    try:
        with platform.client(ctx) as client:
            return _of_project(ctx, client, asked, endpoint_id)
    except Problem as problem:
        if named:
            raise
        return None, f"no compute was asked: {problem.message}", []


def _of_project(
    ctx: Context, client: NeonClient, asked: Asked, endpoint_id: str | None
) -> tuple[Endpoint | None, str, list[int]]:
    """Give the compute of the branch that is named, else the one the address leads to, else the default's."""
    from neondba.neon.choose import project_for

    project = project_for(client, ctx)
    computes = [each for each in client.endpoints(project.id) if each.type == "read_write"]
    led_to = next((each.branch_id for each in computes if each.id == endpoint_id), None)
    if asked.branch is None and led_to is not None:
        branch = client.branch(project.id, led_to)
    else:
        branch = client.find_branch(project, asked.branch) if asked.branch else client.default_branch(project)
    there = [each for each in computes if each.branch_id == branch.id]
    if not there:
        return None, f"branch {branch.name} of project {project.name} has no compute", []
    starts = [
        each.total_duration_ms
        for each in client.operations(project.id)
        if each.action == "start_compute" and each.done and each.total_duration_ms > 0
        and each.endpoint_id == there[0].id
    ]  # fmt: skip
    return there[0], f"compute {there[0].id} of project {project.name}, branch {branch.name}", starts


def _bounds(asked: Asked, endpoint: Endpoint | None) -> tuple[Figure, Figure]:
    pairs = (
        ("compute, least", asked.compute_min, "--compute-min", "autoscaling_limit_min_cu", USUAL.min_cu),
        ("compute, most", asked.compute_max, "--compute-max", "autoscaling_limit_max_cu", USUAL.max_cu),
    )
    found = []
    for name, option, flag, field, usual in pairs:
        if option is not None:
            found.append(given(name, option, flag, "CU"))
        elif endpoint is not None:
            found.append(measured(name, getattr(endpoint, field), f"Neon API, {endpoint.id}", "CU"))
        else:
            found.append(assumed(name, usual, f"as of a new project; {flag}", "CU"))
    low, high = found
    if high.origin == "assumed" and low.origin == "given" and (low.value or 0) > (high.value or 0):
        high = assumed("compute, most", low.value, "a fixed size; --compute-max", "CU")
    if low.origin == "assumed" and high.origin == "given":
        low = assumed("compute, least", min(high.value or 0, USUAL.min_cu), low.where, "CU")
    return low, high


def _wake(asked: Asked, starts: list[int]) -> Figure:
    if asked.wake_ms is not None:
        return given("wake", asked.wake_ms, "--wake-ms", "ms")
    if starts:
        how = f"Neon API, median of {len(starts)} start_compute operations of this compute"
        return measured("wake", median(starts), how, "ms")
    return of_neon("wake", USUAL_WAKE_SECONDS * 1000, "ms", formula="wake time")


def _visited(ctx: Context, url: ConnectionString, wake: Figure) -> tuple[Figure, Figure]:
    """Connect some times; the first one tells the wake where it woke the compute."""
    from neondba.postgres.connect import ask, connect

    plain, clock = url.with_driver(None).render(), ctx.clock
    begun = clock.monotonic()
    with connect(plain) as session:
        first = clock.monotonic() - begun
        age = ask(session, "connection_facts")[0]["age"]
        # By the server's own clock alone and by ours alone: the two may be set differently.
        woke = age < clock.monotonic() - begun
    took = []
    for _ in range(CONNECTIONS):
        start = clock.monotonic()
        with connect(plain) as session:
            session.execute("select 1").fetchone()
            took.append(clock.monotonic() - start)
    login = measured("login", round(median(took) * 1000, 1), f"median of {CONNECTIONS} from here", "ms")
    if woke:
        wake = measured("wake", round(max(0.0, first - median(took)) * 1000), "now: this call woke it", "ms")
    return wake, login
