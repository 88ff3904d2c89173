"""Carry out the part of the advice that is safe to write."""

from __future__ import annotations

from neondba.connections.pool_advice import advise
from neondba.connections.pool_asked import Asked
from neondba.connections.pool_results import PoolAdvice
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ConflictProblem


def write(ctx: Context, asked: Asked) -> PoolAdvice:
    """Plan the edits and make them; a second run finds nothing to do.

    Raises:
        ConflictProblem: nothing can be written safely.
        Problem: the folder is none, or what was named cannot be asked.
    """
    from neondba.core.whole_file import put
    from neondba.project import env_file

    advice, changes = advise(ctx, asked)
    if changes.done:
        return advice.model_copy(update={"written": ("nothing: all of it is set already",)})
    if not changes.told:
        raise ConflictProblem(
            "nothing-to-write",
            f"Nothing was written: {changes.why_not}.",
            hint="neondba pool advise shows the settings as code.",
        )
    plan = Plan(
        operation="pool.write",
        effect=Effect.WRITE,
        target=Target(project=ctx.settings.project, branch=asked.branch),
        steps=tuple(f"Set {each}." for each in changes.told),
    )
    with ctx.carry_out(plan):
        if changes.file is not None and changes.values:
            env_file.write(changes.file, env_file.read(changes.file).with_values(changes.values))
        if changes.code is not None:
            put(changes.code.path, changes.code.content)
    return advice.model_copy(update={"writes": (), "written": changes.told})
