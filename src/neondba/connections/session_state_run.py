"""Run a command direct and pooled, with another client at the same pooler, and compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.connections.explain import explain
from neondba.connections.explain_results import Known
from neondba.connections.rehearse_record import Record
from neondba.connections.rehearse_results import counted
from neondba.connections.rehearse_run import Ran, Wish, patience, run, tail
from neondba.connections.rehearse_seen import told
from neondba.connections.rehearse_world import Source, source_of, world
from neondba.connections.session_state import Compared, differences, found
from neondba.connections.session_state_other import OtherClient
from neondba.connections.session_state_results import PoolRehearsal
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.project.command import shown

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient


@dataclass(frozen=True)
class Asked:
    """What to run."""

    command: Sequence[str]
    during: float | None
    limit: float
    parent: str | None
    database: str | None
    prepare: str | None


@dataclass(frozen=True)
class _Run:
    ran: Ran
    record: Record
    own: tuple[str, ...]
    other: OtherClient


def rehearsed(client: NeonClient, ctx: Context, asked: Asked) -> PoolRehearsal:
    """Plan it, run the command twice, and report.

    Raises:
        Problem: a branch cannot be made, or the command that prepares it fails.
    """
    from neondba.neon import held_end

    source, name, copied = source_of(client, ctx, asked.parent, asked.database, asked.prepare)
    plan = Plan(
        operation="pool.rehearse",
        effect=Effect.WRITE,
        target=Target(project=name, branch=f"throw-away copies of {copied}"),
        steps=(
            f"Make two throw-away copies of {copied}, one after the other, and delete them afterwards.",
            *held_end.steps(source.expires),
            f"Run on the first, direct: {' '.join(shown(asked.command))}",
            "Run it on the second through the pooler, with another client beside it.",
        ),
    )
    with ctx.carry_out(plan):
        ctx.progress("Running it direct.")
        direct = _one(ctx, asked, source, pooled=False)
        pooled = direct
        # What reaches no database direct reaches none through the pooler.
        if direct.record.sessions:
            ctx.progress("Running it through the pooler, with another client beside it.")
            limit = patience(asked.limit, direct.ran.seconds)
            pooled = _one(ctx, replace(asked, limit=limit), source, pooled=True)
    return _report(ctx.folder, asked, (name, copied), direct, pooled)


def _one(ctx: Context, asked: Asked, source: Source, *, pooled: bool) -> _Run:
    with world(ctx, source, pooled=pooled) as place:
        place.record.restart()
        other = OtherClient(place.branch.pooled, place.record)
        if pooled:
            other.start()
        try:
            wish = Wish(asked.command, asked.during, asked.limit)
            ran = run(ctx, wish, place.environment, place.secrets)
        finally:
            other.stop()
        return _Run(ran, place.record, place.own, other)


def _report(folder: Path, asked: Asked, names: tuple[str, str], direct: _Run, pooled: _Run) -> PoolRehearsal:
    compared = Compared(direct.record, pooled.record, pooled.other)
    uses, harmless = found(compared, folder)
    known = {
        sent.text for sent in pooled.record.statements if _is_named(sent.text, [u.statement for u in uses])
    }
    different, failed = differences(compared, known, [use.said for use in uses])
    made = PoolRehearsal(
        command=shown(asked.command),
        project=names[0],
        copied=names[1],
        said="",
        direct=told(direct.ran, direct.record, disturbed=False),
        pooled=told(pooled.ran, pooled.record, disturbed=False),
        uses=tuple(uses),
        different=tuple(different),
        failed=tuple(failed),
        # What is shown already needs no second explanation from the output.
        errors=()
        if any(use.evidence == "shown" for use in uses)
        else _errors(direct.ran, pooled.ran, folder),
        output=tail(direct.ran, 8) if direct.ran.status and not direct.ran.stopped else (),
        variables=pooled.own,
        harmless=tuple(harmless),
        not_checked=tuple(_not_checked(direct, pooled)),
    )
    return made.model_copy(update={"said": _said(made, pooled)})


def _is_named(text: str, statements: list[str]) -> bool:
    from neondba.connections.rehearse_seen import shortened

    return shortened(text) in statements


def _errors(direct: Ran, pooled: Ran, folder: Path) -> tuple[Known, ...]:
    before = {error.id for error in explain(direct.text, None).errors}
    return tuple(error for error in explain(pooled.text, folder).errors if error.id not in before)


def _said(made: PoolRehearsal, pooled: _Run) -> str:
    failed = made.direct.status and not made.direct.ended_by_us
    alone = f" It ended with status {made.direct.status} direct too." if failed else ""
    return _found(made, pooled) + alone


def _found(made: PoolRehearsal, pooled: _Run) -> str:
    if not any(session.pooled for session in pooled.record.sessions):
        return (
            "Nothing came through the pooler: the command reads its connection string from a variable or "
            "file that was not led there, connects direct on purpose, or ended before."
        )
    shown_here = sum(use.evidence == "shown" for use in made.uses)
    if made.uses:
        needs = "needs a session to itself" if len(made.uses) == 1 else "need a session to themselves"
        return (
            f"{counted(len(made.uses), 'statement')} {needs}: {shown_here} shown, "
            f"{len(made.uses) - shown_here} read off the statements."
        )
    if made.faults:
        return "No statement depends on its session's state, yet the command fares worse pooled than direct."
    return "No statement that was sent depends on the state of its session."


def _not_checked(direct: _Run, pooled: _Run) -> list[str]:
    found = ["statements that this run did not send"]
    if pooled.other.trouble:
        found.append(f"what another client sees: {pooled.other.trouble}")
    if any(not session.pooled for session in pooled.record.sessions):
        found.append("connections that the command opened direct in the pooled run")
    if any(each.record.count > len(each.record.statements) for each in (direct, pooled)):
        found.append("statements past the first 200,000 of a run")
    return found
