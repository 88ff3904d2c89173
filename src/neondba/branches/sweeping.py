"""Price, plan and delete what a sweep has chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neondba.branches.sweep import Judgement, World
from neondba.branches.sweep_results import KeptBranch, Outcome, Sweep, SweptBranch
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem, Problem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project


class Costs:
    """What each branch costs by the month."""

    def __init__(self, project: Project, world: World) -> None:
        """Take the prices of the plan that the project is on."""
        from neondba.neon import prices

        subscription = project.owner.subscription_type if project.owner else None
        self._prices = prices.of_plan(subscription)
        self._children = len([each for each in world.branches if each.parent_id])
        self._since = project.consumption_period_start
        # From midnight: a plan must be the same plan when it is confirmed some minutes later.
        self._now = world.now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.said = f"Neon's {self._prices.plan} prices, read on {prices.READ_ON}"

    def month(self, branch: Branch) -> float:
        """Give US dollars by the month if the branch goes on as it is."""
        from neondba.neon.prices import month_of

        now = max(self._now, branch.created_at)
        cost = month_of(branch, self._prices, children=self._children, period_start=self._since, now=now)
        return round(cost.total, 2)


def swept(client: NeonClient, ctx: Context, project: Project, world: World, found: list[Judgement]) -> Sweep:
    """Delete the branches that are to go, each by itself, once the plan is agreed to."""
    costs = Costs(project, world)
    going = [each for each in found if each.goes]
    lines: list[SweptBranch] = []
    if going:
        with ctx.carry_out(_plan(project, world, found, costs)):
            for judgement in going:
                outcome, why = _deleted(client, ctx, project, world, judgement.branch)
                lines.append(_line(judgement, world, costs, outcome, why))
    kept = tuple(_kept(each, costs) for each in found if not each.goes and (each.reasons or each.unknown))
    return Sweep(
        project=project.name,
        swept=tuple(lines),
        kept=kept,
        looked_at=len(world.branches),
        prices=costs.said,
    )


def _plan(project: Project, world: World, found: list[Judgement], costs: Costs) -> Plan:
    going = [each for each in found if each.goes]
    steps = []
    for each in going:
        branch, used = each.branch, world.last_used(each.branch)
        steps.append(
            f"Delete {branch.name} ({branch.id}) with the data that only it has: {'; '.join(each.reasons)}. "
            f"Last used {used:%Y-%m-%d}; about ${costs.month(branch):.2f} a month."
        )
    total = sum(costs.month(each.branch) for each in going)
    steps.append(f"Together about ${total:.2f} a month less, by {costs.said}.")
    stay = [each for each in found if each.reasons and each.guard]
    steps += [f"Keep {each.branch.name} ({'; '.join(each.reasons)}): {each.guard}." for each in stay]
    return Plan(
        operation="branch.sweep",
        effect=Effect.DESTROY,
        target=Target(project=project.name, branch=going[0].branch.name if len(going) == 1 else None),
        steps=tuple(steps),
    )


def _deleted(
    client: NeonClient, ctx: Context, project: Project, world: World, branch: Branch
) -> tuple[Outcome, str | None]:
    ctx.progress(f"Deleting {branch.name}")
    try:
        now = _again(client, project, world, branch)
        if isinstance(now, str):
            return (Outcome.GONE, None) if now == "gone" else (Outcome.KEPT, now)
        client.delete_branch(project.id, branch.id)
    except Problem as problem:
        return Outcome.FAILED, problem.message
    return Outcome.DELETED, None


def _again(client: NeonClient, project: Project, world: World, branch: Branch) -> Branch | str:
    """Look once more just before: consent may have taken its time."""
    try:
        there = client.branch(project.id, branch.id)
    except NotFoundProblem:
        return "gone"
    if _state(there) != _state(branch):
        return f"It was changed meanwhile: it is now {_state(there)}."
    expired = branch.expires_at is not None and branch.expires_at <= world.now
    computes = client.endpoints(project.id, branch.id)
    used = [each.last_active or each.started_at for each in computes]
    before = world.last_used(branch)
    if not expired and any(moment and moment > before for moment in used):
        return "It was used meanwhile."
    return there


def _state(branch: Branch) -> str:
    words = [word for word, holds in (("protected", branch.protected), ("default", branch.default)) if holds]
    until = f"{branch.expires_at:%Y-%m-%d %H:%M} UTC" if branch.expires_at else "no time"
    return ", ".join([branch.name, *words, f"expiring at {until}"])


def _line(judgement: Judgement, world: World, costs: Costs, outcome: Outcome, why: str | None) -> SweptBranch:
    branch = judgement.branch
    return SweptBranch(
        branch=branch.name,
        id=branch.id,
        reasons=judgement.reasons,
        last_used=world.last_used(branch),
        month=costs.month(branch),
        outcome=outcome,
        why=why,
    )


def _kept(judgement: Judgement, costs: Costs) -> KeptBranch:
    return KeptBranch(
        branch=judgement.branch.name,
        reasons=judgement.reasons,
        because=judgement.guard or f"not known {'; '.join(judgement.unknown)}",
        month=costs.month(judgement.branch),
    )
