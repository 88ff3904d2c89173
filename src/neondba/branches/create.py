"""Make a branch: of a head, a time or an LSN, with its rows or without, and point `.env` at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from neondba.branches import checkout, choose
from neondba.branches.mask_create import anonymised_branch, anonymised_steps
from neondba.branches.mask_results import Coverage
from neondba.branches.meanwhile import still_there
from neondba.branches.parent import with_the_role
from neondba.branches.point import Point, check_window, point_of
from neondba.branches.policy import policy_of
from neondba.branches.prepared import Prepared
from neondba.branches.results import BranchCreated, FileChanged
from neondba.branches.role_there import left_behind
from neondba.core.context import Context
from neondba.core.duration import spell
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem, Problem
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, CreatedBranch, Project


@dataclass(frozen=True)
class Wanted:
    """The branch that is asked for."""

    name: str
    parent: str | None
    at: str | None
    schema_only: bool
    anonymised: bool
    expires: timedelta | None
    compute: bool
    checkout: bool
    """True to point the environment files at it that lead to this project."""


def create(client: NeonClient, ctx: Context, wanted: Wanted) -> BranchCreated:
    """Plan the branch, make it, and point the environment at it.

    Raises:
        ConflictProblem: the name is taken, or the parent expires.
        ArgumentProblem: the point is outside the parent's history.
    """
    rule = policy_of(ctx.folder).for_branch(wanted.name)
    wanted = replace(wanted, parent=wanted.parent or rule.parent, expires=wanted.expires or rule.expires)
    _check(wanted)
    project = project_for(client, ctx)
    there = client.branches(project.id)
    choose.refuse_if_taken(wanted.name, project, there)
    source, why = choose.parent_of_new(there, project, wanted.parent), None
    if wanted.parent is None and wanted.at is None and not wanted.anonymised:
        source, why = with_the_role(client, ctx, project, there, source)
    if not wanted.schema_only:  # That one hangs below nobody.
        choose.refuse_if_expiring(source, project, "a branch that expires can have none of its own")
    point = point_of(wanted.at, ctx) if wanted.at else None
    if point is not None:
        check_window(point, project, source, ctx)
    prepared, note = _pointing(client, ctx, project, source, wanted)
    with ctx.carry_out(_plan(project, source, point, wanted, prepared, why, note)):
        with still_there(client, ctx, project, source, point=point):
            made, coverage = _made(client, ctx, project, source, point, wanted)
        files, note = _pointed(client, ctx, project, made.branch, prepared, note)
    note = " ".join(each for each in (why, note) if each) or None
    return BranchCreated.of(made, project.name, source.name, files, note, coverage)


def _check(wanted: Wanted) -> None:
    choose.check_expiry(wanted.expires)
    if wanted.schema_only and wanted.anonymised:
        raise ArgumentProblem(
            "argument-invalid",
            "--schema-only copies no rows, so there is nothing for --anonymised to mask.",
            hint="Leave one of them out.",
        )
    if (wanted.schema_only or wanted.anonymised) and not wanted.compute:
        raise ArgumentProblem(
            "compute-needed",
            "Neon makes a branch that shares no rows with its parent only together with a compute.",
            hint="Leave --no-compute out: a compute costs nothing until somebody connects.",
        )


def _pointing(
    client: NeonClient, ctx: Context, project: Project, source: Branch, wanted: Wanted
) -> tuple[Prepared | None, str | None]:
    """Prepare the switch; files that cannot be switched are no reason to make no branch."""
    if not (wanted.checkout and wanted.compute):
        return None, None
    try:
        prepared, note = checkout.pointing(client, ctx, project, source)
        if prepared is None:
            return None, note
        prepared, lost = left_behind(client, ctx, project, source, wanted.name, prepared)
        return (None, lost) if lost else (prepared, note)
    except Problem as problem:
        return None, f"The environment files stay as they are: {problem.message}"


def _plan(
    project: Project,
    source: Branch,
    point: Point | None,
    wanted: Wanted,
    prepared: Prepared | None,
    why: str | None,
    note: str | None,
) -> Plan:
    name, when = wanted.name, f" {point.spoken}" if point else ""
    rows = "with the schema, but no rows," if wanted.schema_only else "with schema and rows"
    if wanted.anonymised:
        rows = "with the schema and masked rows"
    steps = [f"Create branch {name} in project {project.name} {rows} of {source.name}{when}."]
    steps += [why] if why else []
    steps += anonymised_steps(source.name, name) if wanted.anonymised else ()
    steps += [f"Make a compute for {name}; it starts with the first connection."] if wanted.compute else []
    steps += [f"Neon deletes {name} after {spell(wanted.expires)}."] if wanted.expires else []
    steps += prepared.steps(name) if prepared else [note] if note else []
    return Plan(
        operation="branch.create",
        effect=Effect.WRITE,
        target=Target(project=project.name, branch=name, role=prepared.role if prepared else None),
        steps=tuple(steps),
    )


def _made(
    client: NeonClient, ctx: Context, project: Project, source: Branch, point: Point | None, wanted: Wanted
) -> tuple[CreatedBranch, Coverage | None]:
    lsn, timestamp = (point.lsn, point.timestamp) if point else (None, None)
    until = ctx.clock.now() + wanted.expires if wanted.expires else None
    if wanted.anonymised:
        masked = anonymised_branch(
            client, ctx, project, source, wanted.name, expires_at=until, lsn=lsn, timestamp=timestamp
        )
        return masked.made, masked.coverage
    made = client.create_branch(
        project.id,
        wanted.name,
        parent_id=source.id,
        parent_lsn=lsn,
        parent_timestamp=timestamp,
        expires_at=until,
        schema_only=wanted.schema_only,
        compute=wanted.compute,
    )
    return made, None


def _pointed(
    client: NeonClient,
    ctx: Context,
    project: Project,
    branch: Branch,
    prepared: Prepared | None,
    note: str | None,
) -> tuple[tuple[FileChanged, ...], str | None]:
    """Write the files; the branch is there whatever becomes of them."""
    if prepared is None:
        return (), note
    try:
        prepared.carry_out(client, project, branch, checkout.followed(ctx))
    except Problem as problem:
        return (), f"The branch is there, but the environment files stay as they were: {problem.message}"
    return checkout.written(prepared.switch), note
