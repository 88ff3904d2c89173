"""Operations on roles."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.access.role_results import RoleCreated, RoleRotated
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem, NotFoundProblem

_BRANCH = "Branch, by name or id; the one in .neon if absent, else the default branch."
AnyBranch = Annotated[str | None, Field(description=_BRANCH)]
AnyDatabase = Annotated[str | None, Field(description="Database on the branch; the usual one if absent.")]
_MAKE_APP = ("role.create", {"name": "app", "application": True})


@operation(
    "role.create",
    effect=Effect.WRITE,
    findings=lambda made: made.faults,
    examples=(
        Example({"name": "reader"}, problem="profile-needed"),
        Example({"name": "pg_reader", "read_only": True}, problem="role-name-invalid"),
        Example({"name": "reader", "read_only": True, "schema": ["nowhere"]}, problem="schema-not-found"),
        Example({"name": "app", "application": True}, confirmed=True),
    ),
)
def role_create(
    ctx: Context,
    name: Annotated[str, Field(description="Name of the role.", min_length=1)],
    *,
    read_only: Annotated[bool, Field(description="It reads rows.")] = False,
    read_write: Annotated[bool, Field(description="It reads and writes rows.")] = False,
    migrator: Annotated[
        bool, Field(description="It makes and changes tables, and owns what it makes.")
    ] = False,
    application: Annotated[
        bool,
        Field(description="It reads and writes rows, bound by row-level security, with time limits."),
    ] = False,
    auditor: Annotated[bool, Field(description="It reads catalogs and statistics, but no rows.")] = False,
    rows: Annotated[bool, Field(description="Let the auditor read rows too.")] = False,
    take_ownership: Annotated[
        bool, Field(description="Hand the tables that are there to the migrator, so that it can alter them.")
    ] = False,
    schema: Annotated[tuple[str, ...], Field(description="Schemas it may use.", min_length=1)] = ("public",),
    write_env: Annotated[
        str | None,
        Field(description="Variable that gets the connection string, such as DATABASE_URL."),
    ] = None,
    file: Annotated[Path | None, Field(description="File of variables to write; .env if absent.")] = None,
    direct: Annotated[bool, Field(description="Write the direct connection, past the pooler.")] = False,
    new_password: Annotated[
        bool, Field(description="Set a new password for a role that is there; the old one fails then.")
    ] = False,
    branch: AnyBranch = None,
    database: AnyDatabase = None,
) -> RoleCreated:
    """Create a role with the least rights for its use, and show what it can do.

    Made by SQL: a role of Neon's API or Console is a member of neon_superuser and passes row-level security
    by. The plan shows every statement; a second run sends only what is missing. The password goes to a file
    that only you can read, never to the screen.

    Raises:
        Problem: a schema does not exist, or the role exists with rights that no profile has.
    """
    from neondba.access.role_create import Asked, create
    from neondba.access.role_place import opened
    from neondba.postgres.role_profiles import Profile, Wanted

    profile = Profile(
        _only(
            read_only=read_only,
            read_write=read_write,
            migrator=migrator,
            application=application,
            auditor=auditor,
        )
    )
    wanted = Wanted(name, profile, schema, rows, take_ownership)
    with opened(ctx, branch, database) as place:
        return create(ctx, place, wanted, Asked(write_env, file, direct, new_password))


@operation(
    "role.rotate",
    effect=Effect.WRITE,
    findings=lambda rotated: len(rotated.waiting_for),
    examples=(
        Example({"name": "nobody"}, problem="role-not-found"),
        Example({"name": "neondb_owner"}, problem="overlap-impossible"),
    ),
)
def role_rotate(
    ctx: Context,
    name: Annotated[str, Field(description="The role.", min_length=1)],
    *,
    wait: Annotated[
        Duration, Field(description="How long to wait until nobody uses the old credential.")
    ] = timedelta(minutes=1),
    close: Annotated[
        bool, Field(description="Close the old credential at once, whoever still uses it.")
    ] = False,
    no_overlap: Annotated[
        bool,
        Field(description="Accept a gap, for a role of Neon's API: its old password fails at once."),
    ] = False,
    start_over: Annotated[
        bool, Field(description="Take over a rotation that another machine began and will not finish.")
    ] = False,
    file: Annotated[
        tuple[Path, ...], Field(description="More files of variables, beside those under this folder.")
    ] = (),
    branch: AnyBranch = None,
    database: AnyDatabase = None,
) -> RoleRotated:
    """Exchange a role's password while everything runs; show that the old one fails.

    A second login with the same rights is opened and proven, pooled and direct; the files of variables are
    switched; when nobody uses the old login any more, it is closed. Stopped at any point, what stands in
    the files works, and the next run goes on. What cannot be switched here, such as a secret of CI, keeps the
    old one open.

    Raises:
        NotFoundProblem: there is no such role, or no file holds its credential.
        ConflictProblem: the role cannot have a second login, or another machine is rotating it.
    """
    from neondba.access import rotate, rotate_reset
    from neondba.access.role_place import opened
    from neondba.access.rotate_look import Asked, look
    from neondba.postgres.role_twin import facts, pair_of

    asked = Asked(wait.total_seconds(), close, no_overlap, start_over, file)
    with opened(ctx, branch, database) as place:
        pair = pair_of(place.session, name)
        if pair is None:
            raise NotFoundProblem(
                "role-not-found",
                f"There is no role {name} on {place.branch.name}.",
                hint=f"neondba role create {name} --application makes one.",
            )
        if no_overlap or not facts(place.session, pair.base)["may_manage"]:
            return rotate_reset.reset(ctx, place, name, asked)
        seen = look(ctx, place, pair, asked)
        rotate.require_possible(place, seen)
        with ctx.carry_out(rotate.plan_of(ctx, place, seen, asked)):
            return rotate.carried_out(ctx, place, seen, asked)


def _only(**asked: bool) -> str:
    """Give the one profile that was asked for."""
    chosen = [name.replace("_", "-") for name, yes in asked.items() if yes]
    if len(chosen) == 1:
        return chosen[0]
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
    raise ArgumentProblem(
        "profile-needed",
        f"A role has one profile; {len(chosen) or 'none'} {'were' if chosen else 'was'} named.",
        hint=f"Add one of {flags}.",
    )
