"""The branch of a pull request: made once, found afterwards, and never anybody else's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, Final

from neondba.branches import choose
from neondba.branches.preview_outlet import Outlet
from neondba.branches.preview_results import Preview
from neondba.branches.values import Address
from neondba.core.context import Context
from neondba.core.duration import spell
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ConflictProblem, NotFoundProblem, Problem, RemoteProblem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Endpoint, Project
    from neondba.neon.throwaway import Throwaway

LIFETIME: Final = timedelta(days=7)
TRIES: Final = 6
PATIENCE: Final = 180.0
"""Seconds to wait for a branch that somebody else is making."""


@dataclass(frozen=True)
class Asked:
    """The preview that is asked for."""

    name: str
    words: tuple[str, ...]
    """What names it on a command line."""
    parent: str | None
    """Branch that it must come from; `None` where nobody has said."""
    expires: timedelta
    schema_only: bool
    anonymised: bool
    """True for masked rows."""
    database: str | None


def created(client: NeonClient, ctx: Context, project: Project, asked: Asked, outlet: Outlet) -> Preview:
    """Make the preview or find it, move its expiry on, and write its addresses.

    Raises:
        ConflictProblem: the branch of this name is none that may be handed out.
        Problem: the platform refuses; then no address is written.
    """
    there = client.branches(project.id)
    source = choose.parent_of_new(there, project, asked.parent)
    choose.refuse_if_expiring(source, project, "a branch that expires can have none of its own")
    found = next((each for each in there if each.name == asked.name), None)
    if found is not None:
        _check(found, project, source, asked)
    with ctx.carry_out(_plan(project, source, found, asked, outlet)):
        branch, made = _ensured(client, ctx, project, source, asked)
        reached, host = _own(client, project, branch, asked)
        answer = Preview.of(project, branch, reached, host, source, made, outlet, asked.words)
        address = Address(
            project.id,
            branch.name,
            branch.id,
            reached.role,
            reached.database,
            reached.direct,
            reached.pooled,
        )
        outlet.write(
            address, {each.id for each in client.endpoints(project.id)}, answer.outputs(), ctx.chance
        )
    return answer


def _plan(project: Project, source: Branch, found: Branch | None, asked: Asked, outlet: Outlet) -> Plan:
    life = spell(asked.expires)
    if found is not None:
        steps = [f"Use branch {asked.name}, which project {project.name} has already."]
        if found.expires_at is not None:
            steps.append(f"Let it live {life} from now.")
    elif asked.anonymised:
        from neondba.branches.mask_create import anonymised_steps

        steps = [*anonymised_steps(source.name, asked.name), f"Neon deletes {asked.name} after {life}."]
    else:
        rows = "the schema, but no rows, of" if asked.schema_only else "schema and rows of"
        steps = [
            f"Create branch {asked.name} in project {project.name} with {rows} {source.name}, and a compute.",
            f"Neon deletes {asked.name} after {life}.",
        ]
    return Plan(
        operation="preview.create",
        effect=Effect.WRITE,
        target=Target(project=project.name, branch=asked.name),
        steps=(*steps, *outlet.steps()),
    )


def _check(branch: Branch, project: Project, source: Branch, asked: Asked) -> None:
    """Refuse to hand out a branch that only happens to have the name."""
    if branch.default or branch.protected:
        raise ConflictProblem(
            "preview-is-protected",
            f"{branch.name} is the {'default' if branch.default else 'protected'} branch of project "
            f"{project.name}: it is handed out as no preview.",
            hint="Give that branch another name, or the preview one with --pr NUMBER.",
        )
    if (asked.schema_only or asked.anonymised) and branch.init_source != "schema-only":
        raise ConflictProblem(
            "preview-holds-rows",
            f"{branch.name} is there already, and with the rows of its parent as they are.",
            hint=f"Delete it first: neondba branch delete {quote(branch.name)} "
            f"--project {quote(project.name)}",
        )
    if asked.parent is not None and branch.parent_id not in (None, source.id):
        raise ConflictProblem(
            "preview-of-another-parent",
            f"{branch.name} is there already, and is no branch of {source.name}.",
            hint=f"Delete it first: neondba branch delete {quote(branch.name)} "
            f"--project {quote(project.name)}",
        )


def _ensured(
    client: NeonClient, ctx: Context, project: Project, source: Branch, asked: Asked
) -> tuple[Branch, bool]:
    """Give the branch and whether it is new; of several calls at once one makes it."""
    for attempt in range(TRIES):
        found = next((each for each in client.branches(project.id) if each.name == asked.name), None)
        try:
            if found is None:
                return _made(client, ctx, project, source, asked), True
            _check(found, project, source, asked)
            return _prolonged(client, ctx, project, found, asked), False
        except (ConflictProblem, NotFoundProblem) as problem:
            # Taken or gone between the look and the call: look again. What we refuse ourselves stays so.
            if attempt == TRIES - 1 or problem.facts.get("status") is None:
                raise
            ctx.clock.sleep(0.2 * (attempt + 1))
    raise AssertionError("the last try returns or raises")


def _made(client: NeonClient, ctx: Context, project: Project, source: Branch, asked: Asked) -> Branch:
    until = ctx.clock.now() + asked.expires
    ctx.progress(f"Making {asked.name}")
    if asked.anonymised:
        from neondba.branches.mask_create import anonymised_branch

        return anonymised_branch(client, ctx, project, source, asked.name, expires_at=until).made.branch
    return client.create_branch(
        project.id, asked.name, parent_id=source.id, expires_at=until, schema_only=asked.schema_only
    ).branch


def _prolonged(client: NeonClient, ctx: Context, project: Project, branch: Branch, asked: Asked) -> Branch:
    """Wait until a branch is there for use, and move its expiry on; one that stays, stays."""
    deadline = ctx.clock.monotonic() + PATIENCE
    while branch.current_state not in ("ready", "archived"):
        if ctx.clock.monotonic() > deadline:
            raise RemoteProblem(
                "preview-not-ready",
                f"{branch.name} is still {branch.current_state} after {PATIENCE:.0f} s.",
                hint="Try again later; it goes on without us.",
            )
        ctx.progress(f"Waiting for {branch.name}")
        ctx.clock.sleep(0.25)
        branch = client.branch(project.id, branch.id)
    until = ctx.clock.now() + asked.expires
    if branch.expires_at is None or branch.expires_at >= until:
        return branch
    client.update_branch(project.id, branch.id, expires_at=until)
    return client.branch(project.id, branch.id)


def _own(client: NeonClient, project: Project, branch: Branch, asked: Asked) -> tuple[Throwaway, str]:
    """Give the addresses of the branch and its host, and make sure that they lead to no other.

    Raises:
        RemoteProblem: an address leads to a compute that is not this branch's.
    """
    from neondba.neon.connection_string import parse
    from neondba.neon.throwaway import reached

    computes = _computes(client, project, branch)
    own = {each.id for each in computes if each.branch_id == branch.id}
    there = reached(client, project.id, branch, asked.database)
    if any(parse(address).endpoint_id not in own for address in (there.direct, there.pooled)):
        raise RemoteProblem(
            "preview-address-not-its-own",
            f"Neon's address for {branch.name} leads to another branch's compute; it is handed to nobody.",
            hint=f"Delete it and try again: neondba branch delete {quote(branch.name)} "
            f"--project {quote(project.name)}",
        )
    return there, computes[0].host


def _computes(client: NeonClient, project: Project, branch: Branch) -> list[Endpoint]:
    there = [each for each in client.endpoints(project.id, branch.id) if each.type == "read_write"]
    if there:
        return there
    try:
        return [client.create_endpoint(project.id, branch.id)]
    except Problem:
        # Another call may have made it meanwhile: a branch has only one.
        there = [each for each in client.endpoints(project.id, branch.id) if each.type == "read_write"]
        if not there:
            raise
        return there
