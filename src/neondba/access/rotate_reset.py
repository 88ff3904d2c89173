"""A new password for a role of Neon's API: no overlap, since only the role itself may manage it."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from neondba.access import rotate_proof
from neondba.access.role_file import refuse_tracked
from neondba.access.role_results import RoleRotated
from neondba.access.rotate_consumers import copies, in_project, sessions
from neondba.access.rotate_files import Credential, Holding, env_files, holdings, switched
from neondba.access.rotate_look import Asked, listed, logs_in
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan
from neondba.core.problem import ConflictProblem, NotFoundProblem, Problem
from neondba.project import env_file

if TYPE_CHECKING:
    from neondba.access.role_place import Place


def reset(ctx: Context, place: Place, role: str, asked: Asked) -> RoleRotated:
    """Reset the password over the API and write it to the files at once.

    Where a run was killed in between, the password is asked for again, not reset once more.

    Raises:
        ConflictProblem: nobody agreed to the gap.
        NotFoundProblem: no file holds a credential of the role.
    """
    if not asked.no_overlap:
        raise ConflictProblem(
            "overlap-impossible",
            f"Role {role} was made over Neon's API: {place.owner} may not give it a second login.",
            hint="Make a role for the application: neondba role create app --application. Or accept that "
            "connections fail between the reset and the restart of each program: --no-overlap.",
        )
    endpoints = place.endpoints
    more = [ctx.folder / each for each in asked.files]
    held = tuple(holdings(env_files(ctx.folder, more), (role,), endpoints))
    if not held:
        raise NotFoundProblem(
            "credential-not-found",
            f"No file of variables under {ctx.folder} holds a credential of {role} for branch "
            f"{place.branch.name}.",
            hint="Name the file with --file, or write one: neondba branch checkout "
            f"{quote(place.branch.name)} --role {quote(role)} --file {quote(f'.env.{role}')}",
        )
    for each in held:
        refuse_tracked(ctx.folder, each.path)
    was = next((each.credential for each in held if logs_in(place, each.credential)), None)
    with ctx.carry_out(_plan(ctx, place, role, held, was)):
        return _carried_out(ctx, place, role, held, was)


def _carried_out(
    ctx: Context, place: Place, role: str, held: tuple[Holding, ...], was: Credential | None
) -> RoleRotated:
    there = sessions(place.session, (role,))
    consumers = in_project(ctx.folder, held, {each.credential.password for each in held})
    endpoints, paths = place.endpoints, tuple(dict.fromkeys(each.path for each in held))
    new = _known(place, role) if was is None else None
    if new is None:
        client, project, branch = place.client, place.project, place.branch
        new = Credential(role, client.reset_password(project.id, branch.id, role))
    for path in paths:
        env_file.write(path, switched(env_file.read(path), (role,), endpoints, new))
    rotate_proof.logs_in(place, new)
    return RoleRotated(
        project=place.project.name,
        branch=place.branch.name,
        database=place.database,
        role=role,
        old=role,
        new=role,
        closed=True,
        files=tuple(listed(paths, ctx.folder)),
        consumers=(*consumers, *copies(place), *there),
        checks=(
            f"{role} logs in with its new password, pooled and direct.",
            *rotate_proof.refused(ctx, place, role, was),
        ),
    )


def _known(place: Place, role: str) -> Credential | None:
    """Ask the API for a password that works, where a run that was killed had reset it."""
    try:
        found = Credential(role, place.client.reveal_password(place.project.id, place.branch.id, role))
        return found if logs_in(place, found) else None
    except Problem:
        return None


def _plan(ctx: Context, place: Place, role: str, held: tuple[Holding, ...], was: Credential | None) -> Plan:
    files = ", ".join(listed(tuple(dict.fromkeys(each.path for each in held)), ctx.folder))
    first = (
        f"Reset the password of {role} over Neon's API: its sessions end, and the old password fails at once."
        if was
        else f"Ask Neon for the password of {role}: the one in {files} fails already."
    )
    return Plan(
        operation="role.rotate",
        effect=Effect.DESTROY,
        target=place.target(role),
        steps=(
            first,
            f"Write it to {files}.",
            "Log in with it, pooled and direct; show that the old one fails.",
        ),
    )
