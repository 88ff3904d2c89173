"""Operations on the policy: what the project file says about its branches."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import policy_changes
from neondba.branches.policy import Policy, policy_of
from neondba.branches.policy_results import PolicyApplied, PolicyReport, SettingChanged
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem, Problem
from neondba.local import platform
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.branches.policy_changes import Change
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Project


def _written(ctx: Context) -> Policy:
    policy = policy_of(ctx.folder)
    if policy.tables:
        return policy
    raise NotFoundProblem(
        "policy-not-found",
        "This project says nothing about its branches.",
        hint='Write it into pyproject.toml, as: [tool.neondba.branches."preview/*"] and below it '
        'expires = "7d". Other keys: protected, min-cu, max-cu, suspend, parent, idle, follows-git.',
    )


def _found(client: NeonClient, ctx: Context, project: Project, policy: Policy) -> list[Change]:
    there = client.branches(project.id)
    return policy_changes.changes(policy, there, client.endpoints(project.id), ctx.clock.now())


@operation(
    "policy.check",
    effect=Effect.READ,
    findings=lambda report: len(report.differences),
    examples=(Example({}, problem="policy-not-found"),),
)
def policy_check(ctx: Context) -> PolicyReport:
    """Compare branches with the policy in the project file."""
    policy = _written(ctx)
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        found = _found(client, ctx, project, policy)
    may = any(each.carry_out for each in found)
    return PolicyReport(
        project=project.name,
        tables=tuple(table.pattern for table in policy.tables),
        differences=tuple(each.difference for each in found),
        next=(f"neondba policy apply --project {quote(project.name)}",) if may else (),
    )


@operation("policy.apply", effect=Effect.WRITE, examples=(Example({}, problem="policy-not-found"),))
def policy_apply(ctx: Context) -> PolicyApplied:
    """Change what differs from the policy in the project file, and nothing else.

    A change that Neon refuses does not stop the others.
    """
    policy = _written(ctx)
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        found = _found(client, ctx, project, policy)
        left = tuple(each.difference for each in found if each.carry_out is None)
        ours = [each for each in found if each.carry_out is not None]
        if not ours:
            return PolicyApplied(project=project.name, changed=(), left=left)
        with ctx.carry_out(_plan(project, ours)):
            done = tuple(_carried_out(client, ctx, each) for each in ours)
    return PolicyApplied(project=project.name, changed=done, left=left)


def _plan(project: Project, ours: list[Change]) -> Plan:
    names = list(dict.fromkeys(each.branch.name for each in ours))
    return Plan(
        operation="policy.apply",
        effect=Effect.WRITE,
        target=Target(
            project=project.name,
            branch=names[0] if len(names) == 1 else None,
            protected=any(each.branch.protected or each.branch.default for each in ours),
        ),
        steps=tuple(each.step for each in ours),
    )


def _carried_out(client: NeonClient, ctx: Context, change: Change) -> SettingChanged:
    said = change.difference
    ctx.progress(change.step)
    refused = None
    try:
        if change.carry_out is not None:
            change.carry_out(client, ctx.clock.now())
    except Problem as problem:
        refused = problem.message
    return SettingChanged(
        branch=said.branch, setting=said.setting, before=said.now, wanted=said.wanted, refused=refused
    )
