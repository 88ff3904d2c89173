"""Operations that apply migrations, take them back, and tell where each branch stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.migrations.arguments import (
    Changed,
    Config,
    Database,
    Folder,
    LockPatience,
    LockTimeout,
    Python,
    Tool,
)
from neondba.migrations.change_results import Change, Status

if TYPE_CHECKING:
    from neondba.migrations.target import Asked


@operation(
    "migration.apply",
    effect=Effect.WRITE,
    examples=(
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard", "branch": "no-such-branch"}, problem="branch-not-found"),
        Example({"path": "examples/taskboard"}, problem="not-rehearsed"),
    ),
)
def migration_apply(
    ctx: Context,
    path: Folder = Path(),
    *,
    branch: Changed = None,
    to: Annotated[
        str | None, Field(description="Last migration to apply; all pending ones if absent.")
    ] = None,
    config: Config = None,
    python: Python = None,
    tool: Tool = None,
    database: Database = None,
    lock_timeout: LockTimeout = 2.0,
    lock_patience: LockPatience = 120.0,
) -> Change:
    """Apply pending migrations to a branch, exactly as they were rehearsed.

    Only what `migration rehearse` has run on a copy of this very branch is applied: the same files, on a
    schema that has not changed since. A restore point is made first. Each transaction waits for its locks
    a short while only and is tried again; the schema is compared with the rehearsed one before it commits.
    Stopped or refused, it says what stands.

    Raises:
        Problem: not rehearsed, the target has moved, a lock was not had, or a statement was refused.
    """
    from neondba.migrations import change

    asked = _asked(ctx, path, config, python, tool, branch, database)
    return change.up(ctx, asked, to, change.patience_of(lock_timeout, lock_patience))


@operation(
    "migration.revert",
    effect=Effect.DESTROY,
    examples=(
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard", "branch": "no-such-branch"}, problem="branch-not-found"),
    ),
)
def migration_revert(
    ctx: Context,
    path: Folder = Path(),
    *,
    branch: Changed = None,
    config: Config = None,
    python: Python = None,
    tool: Tool = None,
    database: Database = None,
    lock_timeout: LockTimeout = 2.0,
    lock_patience: LockPatience = 120.0,
) -> Change:
    """Take the newest migration of a branch back, the way it was rehearsed.

    Only a way down that went through in the rehearsal is taken, on the schema that the rehearsal left.
    The plan says which rows and values it loses; a restore point is made first.

    Raises:
        Problem: there is nothing to take back or no way back, it was not rehearsed, or the target has moved.
    """
    from neondba.migrations import change

    asked = _asked(ctx, path, config, python, tool, branch, database)
    return change.down(ctx, asked, change.patience_of(lock_timeout, lock_patience))


@operation(
    "migration.status",
    effect=Effect.READ,
    examples=(
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard", "branch": "no-such-branch"}, problem="branch-not-found"),
        Example({"path": "examples/taskboard"}),
    ),
)
def migration_status(
    ctx: Context,
    path: Folder = Path(),
    *,
    branch: Annotated[
        str | None, Field(description="Branch to look at, by name or id; the default branch if absent.")
    ] = None,
    every_branch: Annotated[
        bool, Field(description="Look at each branch of the project; computes that sleep are woken.")
    ] = False,
    config: Config = None,
    python: Python = None,
    tool: Tool = None,
    database: Database = None,
) -> Status:
    """Tell which migrations each branch has, what is pending, what was rehearsed."""
    from neondba.migrations import state

    return state.status(ctx, _asked(ctx, path, config, python, tool, branch, database), every_branch)


def _asked(
    ctx: Context,
    path: Path,
    config: str | None,
    python: str | None,
    tool: str | None,
    branch: str | None,
    database: str | None,
) -> Asked:
    from neondba.migrations.target import Asked

    return Asked((ctx.folder / path).resolve(), config, python, tool, branch, database)
