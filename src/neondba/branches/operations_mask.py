"""Operations on masking: what an anonymised branch would hold."""

from __future__ import annotations

from shlex import quote
from typing import Annotated

from pydantic import Field

from neondba.branches.mask_results import Coverage
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.local import platform
from neondba.neon.choose import project_for


@operation(
    "mask.check",
    effect=Effect.READ,
    findings=lambda coverage: len(coverage.undecided),
    examples=(Example(), Example({"branch": "no-such-branch"}, problem="branch-not-found")),
)
def mask_check(
    ctx: Context,
    *,
    branch: Annotated[
        str | None, Field(description="Branch to look at, by name or id; the default branch if absent.")
    ] = None,
) -> Coverage:
    """Show which columns an anonymised branch would mask, and which are open.

    Finds personal columns by their names, types and sampled values, and reads the project file's rules
    ([tool.neondba.mask]: "schema.table.column" = "KIND", { keep = "REASON" } or { value = "…" }). Reads up
    to a thousand rows of each table and changes nothing. `branch create --anonymised` decides in the same
    way, and reads every row of what is to stay.

    Raises:
        ArgumentProblem: a rule is none that is known, or does not fit its column.
    """
    from neondba.branches.mask_looking import coverage_of, databases, look, rules_for
    from neondba.postgres.connect import connect
    from neondba.postgres.masking.looking import settle

    rules = rules_for(ctx)
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        chosen = client.find_branch(project, branch) if branch else client.default_branch(project)
        looks = []
        for database, owner, url in databases(client, project.id, chosen.id):
            with connect(url, limit=ctx.settings.step_limit) as session:
                settle(session, reading=ctx.settings.step_limit)
                looks.append(look(ctx, session, database, owner, rules, whole=False))
    coverage = coverage_of(looks, rules, project, chosen, whole=False)
    where = f"--project {quote(project.name)}"
    following = f"neondba branch create NAME --parent {quote(chosen.name)} --anonymised {where}"
    return coverage.model_copy(update={"next": () if coverage.undecided else (following,)})
