"""The operation that compares branches."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.branches import choose, difference
from neondba.branches.arguments import AnyBranch, At
from neondba.branches.difference import BranchDiff
from neondba.branches.point import point_of
from neondba.branches.side import Side
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.local import platform
from neondba.neon.choose import project_for

Base = Annotated[
    str | None, Field(description="Branch to compare with, by name or id; its parent if absent.")
]
BaseAt = Annotated[
    str | None, Field(description="Point of the base's history; without a parent, of the branch's own.")
]
Database = Annotated[str | None, Field(description="The database; neondb, or the first one, if absent.")]
Data = Annotated[
    str | None, Field(description="Tables whose rows are compared too, by key, with commas between them.")
]
Rows = Annotated[
    int, Field(description="Differing rows to show of each table; all are counted.", ge=0, le=100_000)
]


@operation(
    "branch.diff",
    effect=Effect.READ,
    findings=lambda found: found.differences,
    examples=(
        Example(
            {"name": "to-compare"},
            before=(("branch.create", {"name": "to-compare"}),),
        ),
        Example({"name": "main"}, problem="base-needed"),
        Example({"name": "no-such-branch"}, problem="branch-not-found"),
        Example({"name": "to-compare", "data": "no_such_table"}, problem="table-not-found"),
    ),
)
def branch_diff(
    ctx: Context,
    name: AnyBranch,
    *,
    base: Base = None,
    at: At = None,
    base_at: BaseAt = None,
    database: Database = None,
    data: Data = None,
    rows: Rows = 100,
) -> BranchDiff:
    """Compare a branch with its parent, another branch or the past.

    Shows what turns the base into the branch: as a diff, and with `--format sql` as statements in the
    order in which they can run. A renamed object shows as one dropped and one made.
    """
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        branch = choose.branch_of(there, project, name)
        past = at is not None or base_at is not None
        other = (
            choose.branch_of(there, project, base)
            if base
            else difference.base_of(branch, there, project, past=past)
        )
        one = Side(project, branch, point_of(at, ctx) if at else None, database)
        from_ = Side(project, other, point_of(base_at, ctx) if base_at else None, database)
        tables = [each.strip() for each in data.split(",") if each.strip()] if data else []
        return difference.compared(client, ctx, from_, one, tables, rows)
