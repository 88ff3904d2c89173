"""Whether the role in the environment files will log in on a branch that is being made."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import switching
from neondba.branches.prepared import PASSWORD_UNKNOWN, Prepared
from neondba.branches.values import Leads, read
from neondba.core.context import Context
from neondba.core.problem import CredentialsProblem, NotFoundProblem, Problem
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project


def left_behind(
    client: NeonClient, ctx: Context, project: Project, source: Branch, name: str, prepared: Prepared
) -> str | None:
    """Say why the files stay: their role cannot log in on a branch of `source`.

    A branch has its parent's roles. One that SQL made on another branch is not among them.
    """
    why = shut_out(client, ctx, project, source, prepared)
    if why is None:
        return None
    files = " and ".join(prepared.switch.shown(file.path) for file in prepared.switch.files)
    now = branch_now(client, project, prepared)
    other = f" A branch of {now.name} has it: --parent {quote(now.name)}" if now else ""
    return (
        f"{files} stays as it is: {prepared.role}, with which it logs in, will not get into {name}. {why} on "
        f"{source.name}, and a branch has its parent's roles.{other}"
    )


def shut_out(
    client: NeonClient, ctx: Context, project: Project, source: Branch, prepared: Prepared
) -> str | None:
    """Say why the files' role cannot log in on a branch; nothing where it can, or where that is not known."""
    now = branch_now(client, project, prepared)
    if prepared.password is None or (now is not None and now.id == source.id):
        return None
    try:
        client.connection_uri(project.id, source.id, prepared.database, prepared.role)
        return None  # Made over the API: the new branch tells its password.
    except Problem as problem:
        if problem.facts.get("status") not in PASSWORD_UNKNOWN:
            return None
    ctx.progress(f"Looking whether {prepared.role} may log in on {source.name}.")
    try:
        return _refused(client, project, source, prepared, prepared.password)
    except Problem:
        return None


def branch_now(client: NeonClient, project: Project, prepared: Prepared) -> Branch | None:
    """Give the branch that the files lead to."""
    url = read(switching.first_url(prepared.switch, lambda to: to is Leads.HERE))
    branches = {each.id: each.branch_id for each in client.endpoints(project.id)}
    found = branches.get(url.endpoint_id or "") if url else None
    return next((each for each in client.branches(project.id) if each.id == found), None)


def _refused(
    client: NeonClient, project: Project, source: Branch, prepared: Prepared, password: Secret
) -> str | None:
    from neondba.neon.connection_string import parse
    from neondba.neon.throwaway import reached
    from neondba.postgres.connect import connect

    at = reached(client, project.id, source, prepared.database)
    try:
        connect(parse(at.direct).with_role(prepared.role, password).render()).close()
        return None
    except (CredentialsProblem, NotFoundProblem):
        pass
    with connect(at.direct) as session:
        there = session.execute("select from pg_roles where rolname = %s", [prepared.role]).rowcount
    return "It has another password" if there else "There is no such role"
