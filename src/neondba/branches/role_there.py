"""Whether the roles in the environment files will log in on a branch, and what lets them in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import switching
from neondba.branches.logins import Login
from neondba.branches.prepared import PASSWORD_UNKNOWN, Prepared
from neondba.branches.values import Leads, read
from neondba.core.context import Context
from neondba.core.problem import CredentialsProblem, NotFoundProblem, Problem
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project


@dataclass(frozen=True)
class ShutOut:
    """A role of the files that cannot log in, and why."""

    role: str
    why: str


def left_behind(
    client: NeonClient, ctx: Context, project: Project, source: Branch, name: str, prepared: Prepared
) -> tuple[Prepared, str | None]:
    """Say why the files stay: their role cannot log in on a branch of `source`.

    A branch has its parent's roles. One that SQL made on another branch is not among them.
    """
    now = branch_now(client, project, prepared)
    if now is not None and now.id == source.id:
        return prepared, None
    prepared, out = settled(client, ctx, project, source, prepared)
    if out is None:
        return prepared, None
    files = " and ".join(prepared.switch.shown(file.path) for file in prepared.switch.files)
    other = (
        f" A branch of {now.name} has it: --parent {quote(now.name)}" if now and not now.expires_at else ""
    )
    return prepared, (
        f"{files} stays as it is: {out.role}, with which it logs in, will not get into {name}. {out.why} on "
        f"{source.name}, and a branch has its parent's roles.{other}"
    )


def no_way_in(
    client: NeonClient, project: Project, branch: Branch, prepared: Prepared, file: Path | None, out: ShutOut
) -> str:
    """Say what lets a role in that cannot: with the password of the file, which then leads back as well."""
    said = f"Take care: {out.role} cannot log in on {branch.name}. {out.why} there."
    if branch.default:
        now = branch_now(client, project, prepared)
        back = f" Back: neondba branch checkout {quote(now.name)}." if now and now.id != branch.id else ""
        return f"{said} Its own role, in a file of its own: neondba setup --production.{back}"
    here = f" --file {quote(str(file))}" if file else ""
    return (
        f"{said} neondba setup{here} lets it in, with the password that the file has: each line works then, "
        "on the other branches too. Or log in as another one: --role."
    )


def settled(
    client: NeonClient, ctx: Context, project: Project, branch: Branch, prepared: Prepared
) -> tuple[Prepared, ShutOut | None]:
    """Give the files' roles the password that works on a branch, where one of their lines has it.

    What is not known shuts nobody out. A role that was made over the API has its password told by it.
    """
    first: ShutOut | None = None
    for role in dict.fromkeys(login.role for login in prepared.logins):
        same = [login for login in prepared.logins if login.role == role and login.password]
        if not same or _is_told(client, project, branch, same[0]):
            continue
        ctx.progress(f"Looking whether {role} may log in on {branch.name}.")
        passwords = list(dict.fromkeys(login.password for login in same if login.password))
        try:
            works, why = _tried(client, project, branch, same[0], passwords)
        except Problem:
            continue
        if works is not None:
            prepared = prepared.with_password(role, works)
        elif first is None:
            first = ShutOut(role, why)
    return prepared, first


def _is_told(client: NeonClient, project: Project, branch: Branch, login: Login) -> bool:
    try:
        client.connection_uri(project.id, branch.id, login.database, login.role)
    except Problem as problem:
        return problem.facts.get("status") not in PASSWORD_UNKNOWN
    return True


def branch_now(client: NeonClient, project: Project, prepared: Prepared) -> Branch | None:
    """Give the branch that the files lead to."""
    url = read(switching.first_url(prepared.switch, lambda to: to is Leads.HERE))
    branches = {each.id: each.branch_id for each in client.endpoints(project.id)}
    found = branches.get(url.endpoint_id or "") if url else None
    return next((each for each in client.branches(project.id) if each.id == found), None)


def _tried(
    client: NeonClient, project: Project, branch: Branch, login: Login, passwords: list[Secret]
) -> tuple[Secret | None, str]:
    from neondba.neon.connection_string import parse
    from neondba.neon.throwaway import reached
    from neondba.postgres.connect import connect

    at = reached(client, project.id, branch, login.database)
    for password in passwords:
        try:
            connect(parse(at.direct).with_role(login.role, password).render()).close()
            return password, ""
        except (CredentialsProblem, NotFoundProblem):
            continue
    with connect(at.direct) as session:
        there = session.execute("select from pg_roles where rolname = %s", [login.role]).rowcount
    return None, "It has another password" if there else "There is no such role"
