"""Create a role with a profile, hand out its credential once, and show what it can and cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.access.role_file import Outlet, hide, offered, outlet
from neondba.access.role_results import CredentialFile, RoleCreated, Shown
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan
from neondba.core.problem import Problem
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.access.role_place import Place
    from neondba.postgres.role_profiles import Wanted

PENDING: Final = "; its password was not handed out yet"
"""Ends the comment on a role until its credential is in a file: a killed run is repeated without harm."""


@dataclass(frozen=True)
class Asked:
    """Where the credential goes."""

    write_env: str | None = None
    file: Path | None = None
    direct: bool = False
    new_password: bool = False


@dataclass(frozen=True)
class _Ready:
    """Everything that is known before the plan is shown."""

    place: Place
    wanted: Wanted
    outlet: Outlet
    login: str
    """Role that logs in: its twin after a rotation."""
    statements: tuple[str, ...]
    existed: bool
    works: bool
    """True when the outlet holds a credential of the role that works."""
    sets_password: bool


def create(ctx: Context, place: Place, wanted: Wanted, asked: Asked) -> RoleCreated:
    """Plan, carry out, prove.

    Raises:
        Problem: a schema does not exist, the role is too powerful, or its credential cannot be written.
    """
    from neondba.postgres.role_profiles import Profile, planned

    direct = asked.direct or wanted.profile is Profile.MIGRATOR
    where = outlet(ctx, place, wanted.name, asked.write_env, asked.file, direct)
    found = planned(place.session, wanted)
    login = _login(place, wanted.name)
    works = found.exists and _works(place, where, login)
    fresh = not found.exists or asked.new_password or _pending(place, wanted.name)
    ready = _Ready(place, wanted, where, login, found.statements, found.exists, works, fresh and not works)
    if found.statements or ready.sets_password:
        with ctx.carry_out(_plan(ctx, ready)):
            _carried_out(ctx, ready)
    return replace_unknown(
        RoleCreated(
            project=place.project.name,
            branch=place.branch.name,
            database=place.database,
            role=wanted.name,
            profile=str(wanted.profile),
            existed=found.exists,
            statements=found.statements,
            skipped=found.skipped,
            differs=found.differs,
            written=_written(ctx, ready) if ready.sets_password or works else None,
            tries=_tries(ready) if ready.sets_password or works else (),
        )
    )


def replace_unknown(made: RoleCreated) -> RoleCreated:
    """Say what to do where nobody here knows the password."""
    if made.written is not None:
        bound = made.profile in ("application", "read-write")
        return made.model_copy(update={"next": ("neondba isolation prove",) if bound else ()})
    note = (
        f"Role {made.role} was there, and its password is not in the file, so nothing was tried as it. "
        "PostgreSQL does not give passwords away: --new-password sets another, which locks out whoever "
        "uses the old one."
    )
    return made.model_copy(update={"note": note})


def _plan(ctx: Context, ready: _Ready) -> Plan:
    steps = [f"{each};" for each in ready.statements]
    if ready.sets_password:
        steps.append(f"Set a new password for {ready.login}: 32 letters and digits, seen by no log.")
        if offered(ctx.folder, ready.outlet.path):
            steps.append(f"Add {_shown(ctx, ready.outlet)} to .gitignore.")
        steps.append(f"Write {ready.outlet.variable} to {_shown(ctx, ready.outlet)}, readable by you only.")
        if ready.outlet.leads_elsewhere(ready.place.endpoints):
            steps.append(f"Keep the old {ready.outlet.variable} there as a comment: it leads elsewhere.")
        steps.append(f"Log in as {ready.login} and try what it can and cannot do; roll it all back.")
    return Plan(
        operation="role.create",
        effect=Effect.WRITE,
        target=ready.place.target(ready.wanted.name),
        steps=tuple(steps),
    )


def _carried_out(ctx: Context, ready: _Ready) -> None:
    from neondba.postgres.role_password import generated
    from neondba.postgres.role_profiles import RolePlan, carry_out
    from neondba.postgres.role_statements import commented, mark

    name, session = ready.wanted.name, ready.place.session
    if not ready.sets_password:
        carry_out(session, RolePlan(name, True, ready.statements))
        return
    password = generated(ctx.chance)
    noted = commented(name, mark(ready.wanted) + PENDING)
    carry_out(session, RolePlan(ready.login, ready.existed, (*ready.statements, noted)), password)
    if offered(ctx.folder, ready.outlet.path):
        hide(ctx.folder, ready.outlet.path)
    url = ready.place.url(ready.login, password, pooled=ready.outlet.pooled)
    ready.outlet.write(url, ready.place.endpoints)
    carry_out(session, RolePlan(name, True, (commented(name, mark(ready.wanted)),)))


def _login(place: Place, role: str) -> str:
    """Give the role that logs in for a role: after a rotation it may be the twin."""
    from neondba.postgres.role_twin import pair_of

    pair = pair_of(place.session, role)
    return pair.twin if pair is not None and pair.open == {pair.twin} else role


def _pending(place: Place, role: str) -> bool:
    from neondba.postgres.connect import ask

    rows = ask(place.session, "profile_role", role)
    return bool(rows) and str(rows[0]["comment"] or "").endswith(PENDING)


def _works(place: Place, where: Outlet, role: str) -> bool:
    from neondba.postgres.connect import connect

    held = where.held()
    if held is None or held.role != role or held.password is None:
        return False
    try:
        connect(place.url(role, held.password, pooled=False).render()).close()
    except Problem:
        return False
    return True


def _tries(ready: _Ready) -> tuple[Shown, ...]:
    """Log in with what the file holds, pooled and direct, and try."""
    from neondba.postgres.connect import connect
    from neondba.postgres.role_tries import tried

    place, held = ready.place, ready.outlet.held()
    password = held.password if held and held.password else Secret("")
    with connect(place.url(ready.login, password, pooled=True).render()) as pooled:
        pooled.execute("select 1")
    with connect(place.url(ready.login, password, pooled=False).render()) as session:
        return tuple(
            Shown(action=t.action, on=t.on, allowed=t.allowed, expected=t.expected, said=t.said)
            for t in tried(session, ready.wanted)
        )


def _written(ctx: Context, ready: _Ready) -> CredentialFile:
    return CredentialFile(
        path=_shown(ctx, ready.outlet), variable=ready.outlet.variable, pooled=ready.outlet.pooled
    )


def _shown(ctx: Context, where: Outlet) -> str:
    inside = where.path.is_relative_to(ctx.folder)
    return where.path.relative_to(ctx.folder).as_posix() if inside else str(where.path)
