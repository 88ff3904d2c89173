"""Run a command while its compute is suspended, restarted and failed over, and say what it made of that."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from neondba.connections import rehearse_advice, rehearse_seen
from neondba.connections.rehearse_disturb import (
    Disturbance,
    Disturber,
    Kind,
    Moment,
    actor,
    over_time,
    spread,
    timed,
)
from neondba.connections.rehearse_record import Record
from neondba.connections.rehearse_results import ConnectionRehearsal, Visits
from neondba.connections.rehearse_run import Ran, Wish, patience, run, tail
from neondba.connections.rehearse_visit import Visitor
from neondba.connections.rehearse_world import Source, World, source_of, world
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem
from neondba.project.command import shown

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

MOST_RUNS: Final = 6
"""Disturbed runs: a command that ends at the first disturbance is run again for the next."""


@dataclass(frozen=True)
class Asked:
    """What to run and how to disturb it."""

    command: Sequence[str]
    kinds: tuple[Kind, ...]
    at: tuple[float, ...]
    during: float | None
    limit: float
    pooled: bool
    parent: str | None
    database: str | None
    prepare: str | None
    visit: tuple[str, ...]


@dataclass
class Told:
    """One run, as it was recorded."""

    ran: Ran
    record: Record
    own: tuple[str, ...]
    done: list[Disturbance] = field(default_factory=list)
    visitor: Visitor = field(default_factory=lambda: Visitor(()))
    left: tuple[Moment, ...] = ()


def rehearsed(client: NeonClient, ctx: Context, asked: Asked) -> ConnectionRehearsal:
    """Plan it, run the command undisturbed, then disturbed, and report.

    Raises:
        Problem: a branch cannot be made, or the command that prepares it fails.
    """
    source, name, copied = source_of(client, ctx, asked.parent, asked.database, asked.prepare)
    with ctx.carry_out(_plan(source, name, copied, asked)):
        runs = [*_runs(client, ctx, asked, source)]
    return _report(ctx, asked, name, copied, runs)


def _plan(source: Source, project: str, copied: str, asked: Asked) -> Plan:
    from neondba.neon import held_end

    kinds = ", ".join(asked.kinds)
    return Plan(
        operation="connection.rehearse",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"throw-away copies of {copied}"),
        steps=(
            f"Make a throw-away copy of {copied} for each run, and delete it afterwards.",
            *held_end.steps(source.expires),
            f"Run there: {' '.join(shown(asked.command))}",
            f"Disturb its compute meanwhile: {kinds}. No other branch is touched.",
        ),
    )


def _runs(client: NeonClient, ctx: Context, asked: Asked, source: Source) -> list[Told]:
    if asked.during is not None:
        moments = timed(asked.at or over_time(asked.during, asked.kinds), asked.kinds)
        ctx.progress(f"Running it for {asked.during:.0f} s, disturbed.")
        return [_one(client, ctx, asked, source, moments)]
    ctx.progress("Running it undisturbed.")
    plain = _one(client, ctx, asked, source, [])
    if not plain.record.count or plain.ran.too_long:
        return [plain]
    if asked.at:
        moments = timed(asked.at, asked.kinds)
    else:
        moments = spread(plain.record.statements, plain.record.count, asked.kinds)
    runs = [plain]
    # One that hangs when it is disturbed must not take as long as the longest run may.
    asked = replace(asked, limit=patience(asked.limit, plain.ran.seconds))
    while moments and len(runs) <= MOST_RUNS:
        ctx.progress(f"Running it disturbed: {', '.join(moment.kind for moment in moments)}.")
        made = _one(client, ctx, asked, source, moments)
        runs.append(made)
        if not made.done:
            break
        moments = list(made.left)
    return runs


def _one(client: NeonClient, ctx: Context, asked: Asked, source: Source, moments: Sequence[Moment]) -> Told:
    with world(ctx, source, pooled=asked.pooled) as place:
        visitor = Visitor(asked.visit)
        record = place.record
        disturber = Disturber(
            actor(ctx, client, place), place, deque(moments), elapsed=lambda: visitor.elapsed(record.begun)
        )
        ran = _watched(ctx, asked, place, disturber, visitor)
        return Told(ran, place.record, place.own, disturber.done, visitor, tuple(disturber.waiting))


def _watched(ctx: Context, asked: Asked, place: World, disturber: Disturber, visitor: Visitor) -> Ran:
    place.record.restart()
    disturber.start()
    visitor.start(place.record.begun)
    try:

        def elapsed() -> float:
            return visitor.elapsed(place.record.begun)

        wish = Wish(asked.command, asked.during, asked.limit, elapsed, visitor.stop)
        return run(ctx, wish, place.environment, place.secrets)
    finally:
        visitor.stop()
        disturber.stop()


def _report(ctx: Context, asked: Asked, project: str, copied: str, runs: list[Told]) -> ConnectionRehearsal:
    disturbed = [each for each in runs if each.done or (len(runs) == 1 and asked.during is not None)]
    plain = runs[0] if runs[0] not in disturbed else None
    normal = plain.record if plain else None
    seen = [(t, w) for t in disturbed for w in rehearse_seen.windows(t.record, t.done, normal)]
    met = tuple(rehearse_seen.met(told.record, w, told.visitor.answers) for told, w in seen)
    errors, output = rehearse_advice.errors(plain, disturbed, ctx.folder)
    answers = [answer for told in disturbed for answer in told.visitor.answers]
    visits = Visits(
        asked=len(answers),
        failed=sum(not answer.good for answer in answers),
        longest=round(max((answer.seconds for answer in answers), default=0.0), 3),
    )
    made = ConnectionRehearsal(
        command=shown(asked.command),
        project=project,
        copied=copied,
        said="",
        runs=tuple(rehearse_seen.told(r.ran, r.record, disturbed=r in disturbed) for r in runs),
        met=met,
        visits=visits if asked.visit else None,
        errors=errors,
        output=output or (() if met else tail(runs[0].ran, 8)),
        advice=tuple(rehearse_advice.advice([w for _, w in seen], met, ctx.folder)),
        variables=runs[0].own,
        not_checked=tuple(_not_checked(asked, runs)),
    )
    return made.model_copy(update={"said": _said(made)})


def _said(made: ConnectionRehearsal) -> str:
    if not any(run.statements for run in made.runs):
        return (
            "The command sent no statement to the branch, so there was nothing to disturb. It may read its "
            "connection string from a variable or file that was not led there."
        )
    if not made.met:
        return "Nothing was disturbed: the command ended before."
    fine, several = sum(met.survived for met in made.met), len(made.met)
    said = f"The application got over {fine} of {several} disturbances."
    if made.runs[0].status and not made.runs[0].disturbed:
        said += f" It ended with status {made.runs[0].status} without any."
    return said


def _not_checked(asked: Asked, runs: list[Told]) -> list[str]:
    found = [
        "who sent a statement again: one that came again with the same values counts, whoever sent it",
        "what goes over HTTP or WebSockets (Neon's serverless driver) does not pass the relay",
    ]
    left = runs[-1].left
    if left:
        found.append(f"{', '.join(moment.kind for moment in left)}: the command had ended before")
    if asked.during is not None and not asked.visit:
        found.append("requests: without --visit URL nobody asked the application for anything")
    if any(told.record.count > len(told.record.statements) for told in runs):
        found.append("statements past the first 200,000 of a run")
    return found


def checked(asked: Asked) -> None:
    """Refuse moments that cannot be.

    Raises:
        ArgumentProblem: a moment lies behind the end of the run.
    """
    if asked.during is not None and any(at >= asked.during for at in asked.at):
        raise ArgumentProblem(
            "moment-too-late",
            "A moment in --at lies behind the end of the run.",
            hint="Give moments before --for, such as --at 10s --for 60s.",
        )
