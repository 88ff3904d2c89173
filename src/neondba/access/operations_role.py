"""Operations on roles."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.access.role_results import RoleCreated, RoleDeleted, RoleList, RoleRotated
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neondba.postgres.role_profiles import Profile

_BRANCH = "Branch, by name or id; the one in .neon if absent, else the default branch."
AnyBranch = Annotated[str | None, Field(description=_BRANCH)]
AnyDatabase = Annotated[str | None, Field(description="Database on the branch; the usual one if absent.")]
Name = Annotated[str, Field(description="Name of the role.", min_length=1)]
ReadOnly = Annotated[bool, Field(description="It reads rows.")]
ReadWrite = Annotated[bool, Field(description="It reads and writes rows.")]
Migrator = Annotated[bool, Field(description="It makes and changes tables, and owns what it makes.")]
_APPLICATION = "It reads and writes rows, bound by row-level security, with time limits."
Application = Annotated[bool, Field(description=_APPLICATION)]
Auditor = Annotated[bool, Field(description="It reads catalogs and statistics, but no rows.")]
Rows = Annotated[bool, Field(description="Let the auditor read rows too.")]
_OWNERSHIP = "Hand the tables that are there to the migrator, so that it can alter them."
TakeOwnership = Annotated[bool, Field(description=_OWNERSHIP)]
Schemas = Annotated[tuple[str, ...], Field(description="Schemas it may use.", min_length=1)]
_WRITE_ENV = "Variable that gets the connection string, such as DATABASE_URL."
WriteEnv = Annotated[str | None, Field(description=_WRITE_ENV)]
OneFile = Annotated[Path | None, Field(description="File of variables to write; .env if absent.")]
Direct = Annotated[bool, Field(description="Write the direct connection, past the pooler.")]
_RENEWED = "Set a new password for a role that is there; the old one fails then."
NewPassword = Annotated[bool, Field(description=_RENEWED)]
Wait = Annotated[Duration, Field(description="How long to wait until nobody uses the old credential.")]
_CLOSE = "Close the old credential at once, whoever still uses it."
Close = Annotated[bool, Field(description=_CLOSE)]
_NO_OVERLAP = "Accept a gap, for a role of Neon's API: its old password fails at once."
NoOverlap = Annotated[bool, Field(description=_NO_OVERLAP)]
_START_OVER = "Take over a rotation that another machine began and will not finish."
StartOver = Annotated[bool, Field(description=_START_OVER)]
_FILES = "More files of variables, beside those under this folder."
MoreFiles = Annotated[tuple[Path, ...], Field(description=_FILES)]


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
    name: Name,
    *,
    read_only: ReadOnly = False,
    read_write: ReadWrite = False,
    migrator: Migrator = False,
    application: Application = False,
    auditor: Auditor = False,
    rows: Rows = False,
    take_ownership: TakeOwnership = False,
    schema: Schemas = ("public",),
    write_env: WriteEnv = None,
    file: OneFile = None,
    direct: Direct = False,
    new_password: NewPassword = False,
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

    asked = dict(zip(Profile, (read_only, read_write, migrator, application, auditor), strict=True))
    profile = _only(asked)
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
    name: Name,
    *,
    wait: Wait = timedelta(minutes=1),
    close: Close = False,
    no_overlap: NoOverlap = False,
    start_over: StartOver = False,
    file: MoreFiles = (),
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
    from neondba.access.role_place import opened
    from neondba.access.rotate import rotated
    from neondba.access.rotate_look import Asked

    asked = Asked(wait.total_seconds(), close, no_overlap, start_over, file)
    with opened(ctx, branch, database) as place:
        return rotated(ctx, place, name, asked)


@operation(
    "role.list", effect=Effect.READ, examples=(Example({"branch": "no-such"}, problem="branch-not-found"),)
)
def role_list(ctx: Context, *, branch: AnyBranch = None, database: AnyDatabase = None) -> RoleList:
    """List the roles of a branch, and what each is for."""
    from neondba.access.role_list import listed
    from neondba.access.role_place import opened

    with opened(ctx, branch, database) as place:
        return listed(place)


@operation(
    "role.delete",
    effect=Effect.DESTROY,
    examples=(
        Example({"name": "nobody"}, problem="role-not-found"),
        Example({"name": "neondb_owner"}, problem="role-not-ours"),
    ),
)
def role_delete(
    ctx: Context,
    name: Name,
    *,
    end_sessions: Annotated[bool, Field(description="End the sessions that are logged in as it.")] = False,
    branch: AnyBranch = None,
    database: AnyDatabase = None,
) -> RoleDeleted:
    """Delete a role; what it owns goes to the database's owner, and no data is lost.

    The plan says what it owns in each database, and which policies are for it alone: those go with it.

    Raises:
        NotFoundProblem: there is no such role.
        ConflictProblem: somebody is logged in as it, or it was made over Neon's API.
    """
    from neondba.access.role_delete import delete
    from neondba.access.role_place import opened

    with opened(ctx, branch, database) as place:
        return delete(ctx, place, name, end_sessions=end_sessions)


def _only(asked: Mapping[Profile, bool]) -> Profile:
    """Give the one profile that was asked for."""
    chosen = [profile for profile, yes in asked.items() if yes]
    if len(chosen) == 1:
        return chosen[0]
    raise ArgumentProblem(
        "profile-needed",
        f"A role has one profile; {len(chosen) or 'none'} {'were' if chosen else 'was'} named.",
        hint=f"Add one of {', '.join(f'--{profile}' for profile in asked)}.",
    )
