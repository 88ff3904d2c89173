"""Put the advice together: figures, what fits, simulations, settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from neondba.connections import pool_fit, pool_runs, pool_sizes
from neondba.connections.pool_asked import Asked
from neondba.connections.pool_edits import Edits, edits
from neondba.connections.pool_inputs import Inputs, gather
from neondba.connections.pool_results import FitLine, PoolAdvice, Simulated
from neondba.connections.pool_settings import settings
from neondba.connections.pool_sizes import Sizes
from neondba.core.context import Context

ADVISED: Final = "advised"


def advise(ctx: Context, asked: Asked) -> tuple[PoolAdvice, Edits]:
    """Compute the advice, and the edits that it can make.

    Raises:
        Problem: the folder is none, or what was named cannot be asked.
    """
    ctx.progress("Reading the project.")
    inputs = gather(ctx, asked)
    sizes = pool_sizes.advised(inputs)
    later = pool_sizes.with_sizes(inputs, sizes)
    now = pool_runs.at_wake(inputs, "as it is")
    restart = pool_runs.at_restart(later, "restart, as advised")
    wake = (now, pool_runs.at_wake(later, "advised"), restart)
    changes = edits(ctx, asked, inputs, sizes)
    fits = [*pool_fit.lines(inputs), _wake_line(now), _advised(inputs, sizes)]
    advice = PoolAdvice(
        verdict=_verdict(fits),
        subject=_subject(inputs),
        figures=inputs.figures,
        fits=tuple(fits),
        wake=() if inputs.main.library == "neon-http" else wake,
        wake_said=_wake_said(inputs),
        load=() if inputs.main.library == "neon-http" else tuple(pool_runs.under_load(inputs)),
        load_said=_load_said(inputs),
        settings=settings(inputs, sizes),
        writes=changes.told,
    )
    return advice, changes


def _verdict(fits: Sequence[FitLine]) -> str:
    wrong = [line.name for line in fits if line.verdict == "fault"]
    advised = next(line.said for line in fits if line.name == ADVISED)
    fit = f"It does not fit: {', '.join(wrong)}." if wrong else "It fits as it is."
    return f"{fit} Advised: {advised}."


def _subject(inputs: Inputs) -> str:
    way = "through the pooler" if inputs.pooled else "at the direct address"
    pool = (
        f"{inputs.main.of.title} of {inputs.main.place}" if inputs.found else "No pool was found in the code"
    )
    others = len(inputs.pools) - 1
    more = f" and {others} more" if others else ""
    return f"{pool}{more}, {way} ({inputs.pooled_where}); {inputs.compute.where}."


def _wake_line(now: Simulated) -> FitLine:
    said = f"{now.answered} of {now.requests} requests at once are answered"
    if not now.failed:
        longest = f", the last after {(now.longest_ms or 0) / 1000:.2f} s"
        return FitLine(name="wake-up", verdict="ok", said=said + longest)
    why = ", ".join(f"{count} fail with {name}" for name, count in now.failed.items())
    do = "Set what is below; and let clients try again."
    return FitLine(name="wake-up", verdict="fault", said=f"{said}; {why}", do=do)


def _advised(inputs: Inputs, sizes: Sizes) -> FitLine:
    total = sizes.most * inputs.processes
    each = "1 connection" if sizes.most == 1 else f"{sizes.most} connections"
    said = f"{each} for each process, {total} in all"
    if sizes.pooled and not inputs.pooled:
        do = "Use the pooled address: -pooler behind the endpoint's id in the host."
        return FitLine(
            name=ADVISED, verdict="ok", said=f"{said}, through the pooler", formula=sizes.why, do=do
        )
    return FitLine(name=ADVISED, verdict="ok", said=said, formula=sizes.why)


def _wake_said(inputs: Inputs) -> str:
    return (
        f"{inputs.burst.whole} requests come at once while the compute sleeps. Simulated: the first login "
        f"wakes it ({inputs.compute.wake.shown()}, {inputs.compute.wake.origin}), each login takes "
        f"{inputs.compute.login.shown()} ({inputs.compute.login.origin}), each request keeps a connection "
        f"for {inputs.service.shown()} ({inputs.service.origin}). Last row: the bounds of the compute were "
        "changed, it restarts, and every connection of the application comes back at once. From arrival to "
        "answer:"
    )


def _load_said(inputs: Inputs) -> str:
    of = "the rate that was given" if inputs.rate else "shares of what the connections carry"
    return (
        f"{pool_runs.REQUESTS} requests by chance at {of}, their times varying around "
        f"{inputs.service.shown()} ({inputs.service.origin}); processor time is not part of it. From arrival "
        "to answer:"
    )
