"""The branch that migrations are applied to, and whether what is to be applied was rehearsed for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.problem import ConflictProblem
from neondba.core.rehearsed import Rehearsed, RehearsedStep
from neondba.migrations.fingerprint import content_of, fingerprint, users
from neondba.migrations.results import MOST_NAMED, Rehearsal, Reversibility, Run
from neondba.migrations.tools.migrator import Migrator, Source
from neondba.postgres.catalog import Catalog, diff, snapshot
from neondba.postgres.seen import Level

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project
    from neondba.neon.throwaway import Throwaway
    from neondba.postgres.connect import Connection


@dataclass(frozen=True)
class Asked:
    """Which migrations, and which database."""

    folder: Path
    config: str | None = None
    python: str | None = None
    tool: str | None = None
    branch: str | None = None
    database: str | None = None


@dataclass(frozen=True)
class Target:
    """One database of one branch."""

    project: Project
    branch: Branch
    reached: Throwaway
    source: Source
    asked: Asked

    @property
    def place(self) -> str:
        """Where the migrations stand, seen from the project's folder."""
        return self.source.relative(self.asked.folder)

    def command(self, verb: str) -> str:
        """Give the command that does something for this very target."""
        words = [f"neondba migration {verb} {quote(str(self.asked.folder))}"]
        words += [f"--config {quote(self.asked.config)}"] if self.asked.config else []
        words += [f"--project {quote(self.project.name)} --branch {quote(self.branch.name)}"]
        words += [f"--database {quote(self.asked.database)}"] if self.asked.database else []
        return " ".join(words)


def target_of(client: NeonClient, ctx: Context, source: Source, asked: Asked) -> Target:
    """Find the branch that is meant, and how to reach its database.

    Raises:
        NotFoundProblem: there is no such project, branch or database.
    """
    from neondba.neon.choose import project_for
    from neondba.neon.throwaway import reached

    project = project_for(client, ctx)
    branch = client.find_branch(project, asked.branch) if asked.branch else client.default_branch(project)
    return Target(project, branch, reached(client, project.id, branch, asked.database), source, asked)


def kept(rehearsal: Rehearsal, ctx: Context, project: str, branch: str, database: str) -> Rehearsed:
    """Put a rehearsal into the form in which it is remembered."""
    steps = []
    for step in rehearsal.steps:
        ups = [run for run in step.runs if run.direction == "up"]
        notable = [lock for lock in step.locks if lock.is_notable]
        steps.append(
            RehearsedStep(
                revision=step.revision,
                title=step.title,
                content=step.prints.content,
                reversibility=step.reversibility.value,
                # On the rows that are really there it went through, whatever ours would have done.
                passed=step.prints.after is not None
                and (step.only_seeded or step.reversibility is not Reversibility.FAILS),
                before=step.prints.before,
                after=step.prints.after,
                back=step.prints.back,
                drops_data=step.drops_data,
                loses=tuple(loss.text for loss in step.losses),
                seconds=_last(ups).seconds if ups else 0.0,
                locks=tuple(lock.work for lock in notable if lock.work),
                waits=tuple(lock.wait for lock in notable if lock.wait),
            )
        )
    began = Catalog.model_validate_json(rehearsal.catalog)
    return Rehearsed(
        at=ctx.clock.now(),
        project=project,
        branch=branch,
        database=database,
        place=rehearsal.config,
        tool=rehearsal.tool,
        before=fingerprint(began),
        catalog=rehearsal.catalog,
        steps=tuple(steps),
    )


def _last(runs: Sequence[Run]) -> Run:
    return runs[-1]


def schema_of(session: Connection, migrator: Migrator) -> Catalog:
    """Read the schema without the migration tool's own tables."""
    return users(snapshot(session), migrator.own_tables)


def rehearsals_of(ctx: Context, target: Target) -> list[Rehearsed]:
    """Give what was rehearsed on copies of this target, newest first."""
    there = target.reached
    return ctx.rehearsals.of(target.project.id, target.branch.id, there.database, target.place)


def steps_up(
    ctx: Context, target: Target, migrator: Migrator, wanted: Sequence[str], now: Catalog
) -> list[RehearsedStep]:
    """Give the rehearsed steps for the migrations that are to be applied.

    Raises:
        ConflictProblem: they were not rehearsed as they are now, the target has moved since, or one failed.
    """
    contents = [content_of(migrator.files(revision)) for revision in wanted]
    moved: tuple[Rehearsed, int] | None = None
    older = False
    for rehearsed in rehearsals_of(ctx, target):
        names = [step.revision for step in rehearsed.steps]
        if wanted[0] not in names:
            continue
        start = names.index(wanted[0])
        steps = list(rehearsed.steps[start : start + len(wanted)])
        if [step.revision for step in steps] != list(wanted):
            continue
        if [step.content for step in steps] != contents:
            older = True
            continue
        if steps[0].before != fingerprint(now):
            moved = moved or (rehearsed, start)
            continue
        return _passed(target, steps)
    if moved is not None:
        raise _moved(target, moved[0], moved[1], now)
    raise not_rehearsed(target, wanted, older)


def step_down(ctx: Context, target: Target, migrator: Migrator, revision: str, now: Catalog) -> RehearsedStep:
    """Give the rehearsed step whose way back is to be taken.

    Raises:
        ConflictProblem: its way back was not rehearsed as it is now, did not go through, or the target
            has moved since.
    """
    content = content_of(migrator.files(revision))
    moved: Rehearsed | None = None
    for rehearsed in rehearsals_of(ctx, target):
        for step in rehearsed.steps:
            if step.revision != revision or step.content != content:
                continue
            if step.back is None:
                raise ConflictProblem(
                    "no-way-back",
                    f"{revision} has no way back that went through in its rehearsal ({step.reversibility}).",
                    hint="Come back to the restore point that was made before it, or write a new migration.",
                    revision=revision,
                )
            if step.after == fingerprint(now):
                return step
            moved = moved or rehearsed
    if moved is not None:
        raise _moved(target, moved, None, now)
    raise not_rehearsed(target, [revision], older=False)


def _passed(target: Target, steps: list[RehearsedStep]) -> list[RehearsedStep]:
    for step in steps:
        if not step.passed:
            raise ConflictProblem(
                "rehearsal-failed",
                f"{step.revision} did not go through in its rehearsal on a copy of {target.branch.name}.",
                hint=f"See why: {target.command('rehearse')}",
                revision=step.revision,
            )
    return steps


def not_rehearsed(target: Target, wanted: Sequence[str], older: bool) -> ConflictProblem:
    """Say that only what was rehearsed is applied, and how to rehearse it."""
    listed = ", ".join(wanted[:MOST_NAMED])
    what = "was rehearsed before its file was changed" if older else "was not rehearsed"
    return ConflictProblem(
        "not-rehearsed",
        f"{listed} {what} on a copy of branch {target.branch.name}; only what was rehearsed is applied.",
        hint=f"Rehearse it first: {target.command('rehearse')}",
        revisions=list(wanted),
    )


def _moved(target: Target, rehearsed: Rehearsed, start: int | None, now: Catalog) -> ConflictProblem:
    """Say what has changed on the target since the rehearsal."""
    named: list[str] = []
    if start == 0 and rehearsed.catalog:
        found = diff(Catalog.model_validate_json(rehearsed.catalog), now)
        named = [d.text for d in found if d.level is Level.DIFFERENCE][:MOST_NAMED]
    since = f": {'; '.join(named)}" if named else ""
    return ConflictProblem(
        "target-moved",
        f"The schema of branch {target.branch.name} is no longer the one of the rehearsal "
        f"({rehearsed.at:%Y-%m-%d %H:%M} UTC){since}.",
        hint=f"Rehearse again on what is there now: {target.command('rehearse')}",
        differences=named,
    )
