"""Apply and take back: find out, plan, get consent, make a restore point, act, verify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.plan import Effect, Plan
from neondba.core.plan import Target as PlanTarget
from neondba.core.problem import NotFoundProblem, Problem
from neondba.core.rehearsed import RehearsedStep
from neondba.local import platform
from neondba.migrations.change_results import Change, ChangedStep
from neondba.migrations.changing import taken
from neondba.migrations.target import Asked, Target, schema_of, step_down, steps_up, target_of
from neondba.migrations.tools.detect import open_source, source_of
from neondba.migrations.tools.migrator import Migrator, pending
from neondba.neon.restore_point import RestorePoint, make_restore_point, planned_restore_point
from neondba.neon.throwaway import unwound_by_signals
from neondba.postgres.applied import Patience
from neondba.postgres.connect import Connection, connect

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient


def patience_of(lock_timeout: float, limit: float) -> Patience:
    """Put the user's two numbers into the form that an apply wants."""
    return Patience(lock_timeout=lock_timeout, limit=limit)


def up(ctx: Context, asked: Asked, to: str | None, patience: Patience) -> Change:
    """Apply the pending migrations, as far as the one that is named."""
    with _opened(ctx, asked) as (client, target, session, migrator):
        waiting = _as_far_as(to, [revision.id for revision in pending(migrator)])
        if not waiting:
            return _result(target, "up", (), None, 0.0)
        steps = steps_up(ctx, target, migrator, waiting, schema_of(session, migrator))
        plan = _plan("migration.apply", target, steps, "up")
        return _carried_out(ctx, client, target, session, migrator, steps, plan, "up", patience)


def down(ctx: Context, asked: Asked, patience: Patience) -> Change:
    """Take the newest migration back.

    Raises:
        NotFoundProblem: none is applied.
    """
    with _opened(ctx, asked) as (client, target, session, migrator):
        applied = list(migrator.applied)
        if not applied:
            raise NotFoundProblem(
                "nothing-applied",
                f"Branch {target.branch.name} has none of the migrations of {target.place}.",
                hint=f"See which there are: {target.command('status')}",
            )
        step = step_down(ctx, target, migrator, applied[-1], schema_of(session, migrator))
        plan = _plan("migration.revert", target, [step], "down")
        return _carried_out(ctx, client, target, session, migrator, [step], plan, "down", patience)


@contextmanager
def _opened(ctx: Context, asked: Asked) -> Iterator[tuple[NeonClient, Target, Connection, Migrator]]:
    source = source_of(asked.folder, asked.config, asked.tool)
    with platform.client(ctx) as client:
        target = target_of(client, ctx, source, asked)
        url = target.reached.direct
        with (
            connect(url) as session,
            open_source(source, asked.folder, url, session, asked.python) as migrator,
        ):
            yield client, target, session, migrator


def _as_far_as(to: str | None, waiting: list[str]) -> list[str]:
    if to is None:
        return waiting
    if to not in waiting:
        raise NotFoundProblem(
            "migration-not-pending",
            f"No pending migration is called {to}.",
            hint=f"Pending: {', '.join(waiting[:10])}." if waiting else "Nothing is pending.",
        )
    return waiting[: waiting.index(to) + 1]


def _plan(name: str, target: Target, steps: Sequence[RehearsedStep], direction: str) -> Plan:
    there = target.reached
    # What was written since into what a way back takes away is lost, whatever the rehearsal's rows kept.
    lossy = direction == "down" or any(step.drops_data for step in steps)
    word = "Apply" if direction == "up" else "Take back"
    said = [planned_restore_point(target.branch)]
    for step in steps:
        title = f" ({step.title})" if step.title else ""
        said.append(f"{word} {step.revision}{title}, files {step.content[:12]}: {step.reversibility}.")
        said += [f"As rehearsed, {lock}" for lock in step.locks] if direction == "up" else []
        said += [f"As rehearsed, {loss}." for loss in step.loses] if direction == "down" else []
        said += ["As rehearsed, it drops data."] if direction == "up" and step.drops_data else []
    said.append(f"Compare the schema of database {there.database} with the rehearsed one after each.")
    return Plan(
        operation=name,
        effect=Effect.DESTROY if lossy else Effect.WRITE,
        target=PlanTarget(
            project=target.project.name,
            branch=target.branch.name,
            role=there.role,
            protected=target.branch.protected or target.branch.default,
        ),
        steps=tuple(said),
        measured=tuple(f"As rehearsed, {wait}" for step in steps for wait in step.waits if direction == "up"),
    )


def _carried_out(
    ctx: Context,
    client: NeonClient,
    target: Target,
    session: Connection,
    migrator: Migrator,
    steps: Sequence[RehearsedStep],
    plan: Plan,
    direction: str,
    patience: Patience,
) -> Change:
    with ctx.carry_out(plan), unwound_by_signals():
        began = ctx.clock.monotonic()
        row = session.execute("select pg_current_wal_lsn()::text as lsn").fetchone()
        point = make_restore_point(
            client,
            ctx,
            target.project,
            target.branch,
            purpose="migration",
            lsn=str(row["lsn"]) if row else None,
        )
        try:
            done = taken(ctx, target.reached.direct, migrator, steps, direction, patience)
        except Problem as problem:
            raise _with_way_back(problem, point) from None
        return _result(target, direction, tuple(done), point, ctx.clock.monotonic() - began)


def _with_way_back(problem: Problem, point: RestorePoint) -> Problem:
    """Name the restore point where something may have to be undone."""
    if not problem.facts.get("applied") and problem.code not in ("not-as-rehearsed", "connection-lost"):
        return problem
    return type(problem)(
        problem.code,
        problem.message,
        hint=f"{problem.hint or ''} {point.sentence()}".strip(),
        **{**problem.facts, "restore_point": point.name},
    )


def _result(
    target: Target, direction: str, steps: tuple[ChangedStep, ...], point: RestorePoint | None, seconds: float
) -> Change:
    return Change(
        direction=direction,
        tool=target.source.tool,
        project=target.project.name,
        branch=target.branch.name,
        database=target.reached.database,
        steps=steps,
        restore_point=point,
        seconds=seconds,
        next=(target.command("status"),),
    )
