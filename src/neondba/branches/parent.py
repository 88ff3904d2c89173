"""Which branch a new one is made of, where nobody says it: one on which the project's own role is."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import checkout
from neondba.branches.role_there import branch_now, settled
from neondba.core.context import Context
from neondba.core.problem import Problem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project


def with_the_role(
    client: NeonClient, ctx: Context, project: Project, there: list[Branch], default: Branch
) -> tuple[Branch, str | None]:
    """Give the default branch, or the first one from there to where the files lead that lets their role in.

    A branch has its parent's roles, and `setup` makes the role of development on development alone.
    """
    try:
        prepared, _ = checkout.pointing(client, ctx, project, default)
        now = branch_now(client, project, prepared) if prepared else None
        if prepared is None or now is None or now.id == default.id:
            return default, None
        out = settled(client, ctx, project, default, prepared)[1]
        if out is None:
            return default, None
        awake = {each.branch_id for each in client.endpoints(project.id) if each.type == "read_write"}
        for each in _down_to(now, there):
            if each.default or each.expires_at is not None or each.id not in awake:
                continue
            if each.id == now.id or settled(client, ctx, project, each, prepared)[1] is None:
                return each, (
                    f"It is made of {each.name}, for {out.role} of the environment cannot log in on "
                    f"{default.name}. {out.why} there. To copy that: --parent {quote(default.name)}"
                )
    except Problem:
        pass
    return default, None


def _down_to(branch: Branch, there: list[Branch]) -> Iterator[Branch]:
    """Give a branch's ancestors, the oldest first, and the branch."""
    parent = next((each for each in there if each.id == branch.parent_id), None)
    if parent is not None:
        yield from _down_to(parent, there)
    yield branch
