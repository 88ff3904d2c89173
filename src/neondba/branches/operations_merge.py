"""The operation that merges a branch into another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.branches import choose
from neondba.branches.arguments import AnyBranch
from neondba.branches.merge_results import BranchMerged
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.local import platform
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.postgres.ddl.conflict import Side


Into = Annotated[str, Field(description="Branch that gets the changes: its name or id.", min_length=1)]
Tables = Annotated[
    str | None,
    Field(description="Tables whose rows are merged too, by key, with commas between them."),
]
Prefer = Annotated[
    list[str] | None,
    Field(description="Settle conflicts: `theirs`, `ours`, or `OBJECT=theirs` for one of them."),
]
AnyDatabase = Annotated[str | None, Field(description="The database; neondb, or the first one, if absent.")]
Project = Annotated[Path, Field(description="Project that gets the migration.")]
Written = Annotated[bool, Field(description="Write a migration where the project has a tool for them.")]


@operation(
    "branch.merge",
    effect=Effect.DESTROY,
    examples=(
        Example(
            {"name": "to-merge", "into": "main", "migration": False},
            before=(("branch.create", {"name": "to-merge"}),),
        ),
        Example({"name": "main", "into": "main"}, problem="same-branch"),
        Example({"name": "no-such-branch", "into": "main"}, problem="branch-not-found"),
        Example({"name": "to-merge", "into": "main", "prefer": ["mine"]}, problem="prefer-invalid"),
    ),
)
def branch_merge(
    ctx: Context,
    name: AnyBranch,
    *,
    into: Into,
    data: Tables = None,
    prefer: Prefer = None,
    database: AnyDatabase = None,
    path: Project = Path(),
    migration: Written = True,
) -> BranchMerged:
    """Merge a branch's schema, and chosen rows, into another branch.

    Three-way, from the moment at which the two parted: what one side has changed is taken, what both have
    changed differently is a conflict and stops everything. The result is rehearsed on a fresh branch of
    the target, confirmed, applied in one transaction with short locks after a restore point was made,
    and verified against the planned schema before it is committed.

    Raises:
        Problem: no common history, rows or locks in the way, or the target has moved meanwhile.
    """
    from neondba.branches.merge import Merging
    from neondba.branches.merge_found import Asked, Between

    sides = _preferred(prefer or [])
    folder = (ctx.folder / path).resolve()
    if migration and not folder.is_dir():
        raise NotFoundProblem("path-not-found", f"There is no folder {path}.", hint="Name it with --path.")
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        theirs, ours = choose.branch_of(there, project, name), choose.branch_of(there, project, into)
        if theirs.id == ours.id:
            said = f"{theirs.name} cannot be merged into itself."
            raise ArgumentProblem("same-branch", said, hint="Name another branch with --into.")
        tables = tuple(each.strip() for each in data.split(",") if each.strip()) if data else ()
        asked = Asked(database, tables, sides, folder if migration else None)
        return Merging(client, ctx, Between(project, theirs, ours), asked).done()


def _preferred(given: list[str]) -> dict[str, Side]:
    from neondba.postgres.ddl.conflict import Side

    found = {}
    for each in given:
        what, _, side = each.rpartition("=")
        if side not in list(Side):
            raise ArgumentProblem(
                "prefer-invalid",
                f"{each} names no side.",
                hint="Write theirs, ours, or such as 'column public.users.email=theirs'.",
            )
        found[what or "*"] = Side(side)
    return found
