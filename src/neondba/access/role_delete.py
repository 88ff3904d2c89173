"""Delete a role and its twin: what they own goes to the database's owner first."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.access.role_file import kept
from neondba.access.role_results import RoleDeleted
from neondba.access.rotate_files import env_files, holdings
from neondba.access.rotate_look import listed
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan
from neondba.core.problem import ConflictProblem, NotFoundProblem

if TYPE_CHECKING:
    from neondba.access.role_place import Place


@dataclass(frozen=True)
class _Left:
    """What a role leaves in one database."""

    role: str
    database: str
    owned: int
    policies: tuple[str, ...]


def delete(ctx: Context, place: Place, name: str, *, end_sessions: bool) -> RoleDeleted:
    """Plan, then hand over, take the rights back, and drop.

    Raises:
        NotFoundProblem: there is no such role.
        ConflictProblem: somebody is logged in as it, or it is not ours to delete.
    """
    from neondba.postgres.role_twin import pair_of

    pair = pair_of(place.session, name)
    if pair is None:
        raise NotFoundProblem(
            "role-not-found",
            f"There is no role {name} on {place.branch.name}.",
            hint="See: neondba role list",
        )
    names = [pair.twin, pair.base] if pair.twin_exists else [pair.base]
    _refuse(place, pair.base, names, end_sessions=end_sessions)
    left = [each for role in names for each in _leavings(place, role)]
    held = holdings(env_files(ctx.folder, ()), pair.names, place.endpoints)
    files = tuple(listed(tuple(dict.fromkeys(each.path for each in held)), ctx.folder))
    ours = [file for role in names if (file := kept(ctx, place, role)).exists()]
    plan = _plan(place, pair.base, names, left, files, ours)
    with ctx.carry_out(plan):
        _carried_out(place, names, left)
        for file in ours:
            # What stays opens nothing any more.
            with suppress(OSError):
                file.unlink()
    return RoleDeleted(
        project=place.project.name,
        branch=place.branch.name,
        roles=tuple(names),
        heir=place.owner,
        files=files,
        policies=tuple(policy for each in left for policy in each.policies),
    )


def _refuse(place: Place, base: str, names: list[str], *, end_sessions: bool) -> None:
    from neondba.postgres.connect import ask
    from neondba.postgres.role_twin import facts

    if base == place.owner or not facts(place.session, base)["may_manage"]:
        raise ConflictProblem(
            "role-not-ours",
            f"Role {base} was not made by {place.owner}, so SQL may not drop it.",
            hint="Roles of Neon's API are deleted there or in the Console.",
        )
    rows = ask(place.session, "twin_sessions", names)
    if rows and not end_sessions:
        many = sum(row["sessions"] for row in rows)
        who = "; ".join(f"{row['application']} at {row['address']}" for row in rows[:3])
        raise ConflictProblem(
            "role-in-use",
            f"{many} session{'s are' if many > 1 else ' is'} logged in as {base}: {who}.",
            hint="Stop them, or end them with --end-sessions.",
        )


def _leavings(place: Place, role: str) -> list[_Left]:
    from neondba.postgres.connect import ask, connect

    found = []
    for row in ask(place.session, "role_leavings", role):
        database, policies = str(row["database"]), tuple(row["policies"])
        if database not in ("", place.database):
            with connect(place.direct.with_database(database).render()) as session:
                here = [each for each in ask(session, "role_leavings", role) if each["database"] == database]
            policies = tuple(here[0]["policies"]) if here else ()
        found.append(_Left(role, database, int(row["owned"]), policies))
    return found


def _plan(
    place: Place, base: str, names: list[str], left: list[_Left], files: tuple[str, ...], ours: list[Path]
) -> Plan:
    steps = [f"End the sessions of {' and '.join(names)}, if there are any."]
    for each in left:
        where = each.database or "the cluster"
        if each.owned:
            objects = "object" if each.owned == 1 else "objects"
            steps.append(f"Give the {each.owned} {objects} of {each.role} in {where} to {place.owner}.")
        steps.append(f"Take back every right of {each.role} in {where}.")
        steps += [f"This drops policy {policy}: it is for {each.role} alone." for policy in each.policies]
    steps += [f"drop role {name};" for name in names]
    if files:
        steps.append(f"The credential in {', '.join(files)} fails from then on.")
    steps += [f"Delete {file}." for file in ours]
    return Plan(operation="role.delete", effect=Effect.DESTROY, target=place.target(base), steps=tuple(steps))


def _carried_out(place: Place, names: list[str], left: list[_Left]) -> None:
    from neondba.postgres.connect import connect
    from neondba.postgres.role_removal import drop, hand_over
    from neondba.postgres.role_twin import end_sessions

    for name in names:
        end_sessions(place.session, name)
    for each in left:
        if each.database in ("", place.database):
            hand_over(place.session, each.role, place.owner)
        else:
            with connect(place.direct.with_database(each.database).render()) as session:
                hand_over(session, each.role, place.owner)
    drop(place.session, names)
