"""Where each branch stands among the migrations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.local import platform
from neondba.migrations.change_results import BranchState, Status, WaitingMigration
from neondba.migrations.target import Asked, Target, schema_of, steps_up, target_of
from neondba.migrations.tools.detect import open_source, source_of
from neondba.migrations.tools.migrator import Migrator, Source, pending
from neondba.neon.choose import project_for
from neondba.neon.throwaway import is_throwaway
from neondba.postgres.connect import connect

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch


def status(ctx: Context, asked: Asked, every: bool) -> Status:
    """Look at one branch, or at each."""
    source = source_of(asked.folder, asked.config, asked.tool)
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        if every:
            there = sorted(client.branches(project.id), key=lambda each: (not each.default, each.name))
            chosen = [each for each in there if not is_throwaway(each.name)]
        else:
            one = (
                client.find_branch(project, asked.branch) if asked.branch else client.default_branch(project)
            )
            chosen = [one]
        looked = [_one(ctx, client, source, asked, branch, lenient=every) for branch in chosen]
    return Status(
        tool=source.tool,
        place=source.relative(asked.folder),
        project=project.name,
        known=max((known for known, _, _ in looked), default=0),
        branches=tuple(state for _, state, _ in looked),
        next=tuple(dict.fromkeys(command for _, _, command in looked if command)),
    )


def _one(
    ctx: Context, client: NeonClient, source: Source, asked: Asked, branch: Branch, *, lenient: bool
) -> tuple[int, BranchState, str | None]:
    state = BranchState(branch=branch.name, default=branch.default, protected=branch.protected)
    ctx.progress(f"Looking at branch {branch.name}.")
    try:
        target = target_of(client, ctx, source, replace(asked, branch=branch.id))
        url = target.reached.direct
        with (
            connect(url) as session,
            open_source(source, asked.folder, url, session, asked.python) as migrator,
        ):
            applied = list(migrator.applied)
            now = schema_of(session, migrator)
            waiting = pending(migrator)
            lines, first = [], None
            for number, revision in enumerate(waiting):
                said = _rehearsed(ctx, target, migrator, [r.id for r in waiting[: number + 1]], now)
                first = first or ("rehearse" if said != "yes" else None)
                lines.append(WaitingMigration(revision=revision.id, title=revision.title, rehearsed=said))
    except Problem as problem:
        if not lenient:
            raise
        return 0, state.model_copy(update={"trouble": problem.message}), None
    found = {"applied": len(applied), "newest": applied[-1] if applied else None, "pending": tuple(lines)}
    command = target.command(first or "apply") if waiting else None
    return len(migrator.revisions), state.model_copy(update=found), command


def _rehearsed(ctx: Context, target: Target, migrator: Migrator, wanted: list[str], now: object) -> str:
    try:
        steps_up(ctx, target, migrator, wanted, now)  # type: ignore[arg-type]
    except Problem as problem:
        return {
            "target-moved": "no longer: the branch has changed since",
            "rehearsal-failed": "yes, and it failed",
        }.get(problem.code, "no")
    return "yes"
