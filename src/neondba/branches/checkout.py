"""Check a branch out: the project's environment files and `.neon` lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import git_hook, switching
from neondba.branches.logins import Login, of_lines
from neondba.branches.meanwhile import still_there
from neondba.branches.prepared import Prepared
from neondba.branches.results import CheckedOut, FileChanged
from neondba.branches.role_there import no_way_in, settled
from neondba.branches.switching import Switch
from neondba.branches.values import Leads, read
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem
from neondba.project import git

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.connection_string import ConnectionString
    from neondba.neon.models import Branch, Project


@dataclass(frozen=True)
class Asked:
    """What the user wants of a checkout beside the branch."""

    file: Path | None = None
    role: str | None = None
    database: str | None = None
    git_hook: bool = False


def carried_out(
    client: NeonClient, ctx: Context, project: Project, branch: Branch, asked: Asked
) -> CheckedOut:
    """Plan the switch and write it.

    Raises:
        Problem: a file cannot be written, or the branch is gone meanwhile.
    """
    prepared = prepare(client, ctx, project, branch, asked)
    bare = not [each for each in client.endpoints(project.id, branch.id) if each.type == "read_write"]
    hook = git_hook.path_of(ctx.folder) if asked.git_hook else None
    steps = [f"Make a compute for {branch.name}: it has none."] if bare else []
    steps += prepared.steps(branch.name)
    if hook is not None:
        git_hook.check(hook)
        steps.append(f"Write {hook}: after git checkout it calls neondba branch follow.")
    target = Target(project=project.name, branch=branch.name, role=prepared.role)
    plan = Plan(operation="branch.checkout", effect=Effect.WRITE, target=target, steps=tuple(steps))
    prepared, out = (prepared, None) if bare else settled(client, ctx, project, branch, prepared)
    lost = [no_way_in(client, project, branch, prepared, asked.file, out)] if out else []
    with ctx.carry_out(plan), still_there(client, ctx, project, branch):
        if bare:
            client.create_endpoint(project.id, branch.id)
        prepared.carry_out(client, project, branch, followed(ctx, hook))
        if hook is not None:
            git_hook.install(hook)
    return CheckedOut(
        project=project.name,
        branch=branch.name,
        id=branch.id,
        role=prepared.role,
        other_roles=prepared.others,
        database=prepared.database,
        files=written(prepared.switch),
        care=" ".join((*_care(branch), *lost)) or None,
        git_hook=str(hook) if hook else None,
    )


def _care(branch: Branch) -> Iterator[str]:
    if branch.default or branch.protected:
        kind = "protected" if branch.protected else "the default branch"
        yield f"Take care: {branch.name} is {kind}. Programs that read these files write to it from now on."


def written(switch: Switch) -> tuple[FileChanged, ...]:
    """Give the files of a switch and the names in them."""
    return tuple(FileChanged(path=switch.shown(file.path), names=file.names) for file in switch.files)


def followed(ctx: Context, hook: Path | None = None) -> str | None:
    """Give the git branch to note beside the Neon branch, where a hook follows it."""
    found = git_branch(ctx)
    if found is None or hook is not None:
        return found
    return found if git_hook.is_ours(git_hook.path_of(ctx.folder)) else None


def prepare(
    client: NeonClient, ctx: Context, project: Project, like: Branch, asked: Asked | None = None
) -> Prepared:
    """Look at files, roles and databases; nothing is written.

    `like` is the branch itself, or the one that it will be made of.

    Raises:
        NotFoundProblem: the branch has no such role or database.
        ConflictProblem: git tracks a file that would get a password.
    """
    asked = asked or Asked()
    folder = switching.project_folder(ctx.folder) or ctx.folder
    endpoints = frozenset(each.id for each in client.endpoints(project.id))
    only = ctx.folder / asked.file if asked.file else None
    switch = switching.prepared(folder, endpoints, project_id=project.id, only=only)
    before = read(switching.first_url(switch, lambda to: to in (Leads.HERE, Leads.UNKNOWN)))
    databases = {each.name: each.owner_name for each in client.databases(project.id, like.id)}
    roles = [each.name for each in client.roles(project.id, like.id)]
    name = _database(like, databases, asked.database, before)
    usual = _login(like, roles, asked.role, before, databases[name], name)
    if asked.role is not None:
        return Prepared(switch, usual)
    return Prepared(
        switch, usual, of_lines(switch, usual, roles, {asked.database} if asked.database else databases)
    )


def pointing(
    client: NeonClient, ctx: Context, project: Project, parent: Branch
) -> tuple[Prepared | None, str | None]:
    """Give the switch for a branch that is being made, or say why the files stay as they are.

    Only files that lead to this project already are switched. Nothing is created, and what leads
    elsewhere is nobody's business but the user's.
    """
    folder = switching.project_folder(ctx.folder)
    if folder is None:
        return None, None
    endpoints = frozenset(each.id for each in client.endpoints(project.id))
    found = switching.prepared(folder, endpoints, project_id=project.id)
    ours = found.context.project == project.id
    wanted = {Leads.HERE, Leads.UNKNOWN} if ours else {Leads.HERE}
    if switching.first_url(found, lambda to: to in wanted) is None:
        other = read(switching.first_url(found, lambda to: to is not Leads.NOWHERE))
        if other is None:
            return None, None
        files = " and ".join(found.shown(file.path) for file in found.files)
        return None, f"{files} leads to {other.host}, not to project {project.name}, and stays as it is."
    prepared = prepare(client, ctx, project, parent)
    kept = tuple(file for file in prepared.switch.files if not file.new and not file.kept)
    return (replace(prepared, switch=replace(prepared.switch, files=kept)) if kept else None), None


def git_branch(ctx: Context) -> str | None:
    """Give the git branch that is checked out where one stands."""
    said = git.git(ctx.folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    return said.decode(errors="replace").strip() or None if said else None


def _database(
    like: Branch, there: Mapping[str, str], wanted: str | None, before: ConnectionString | None
) -> str:
    if wanted is not None and wanted not in there:
        raise NotFoundProblem(
            "database-not-found",
            f"Branch {like.name} has no database {wanted}.",
            hint=f"There are: {', '.join(there)}." if there else None,
        )
    if not there:
        raise NotFoundProblem("database-not-found", f"Branch {like.name} has no database at all.")
    used = before.database if before and before.database in there else None
    return wanted or used or ("neondb" if "neondb" in there else next(iter(there)))


def _login(
    like: Branch,
    there: list[str],
    wanted: str | None,
    before: ConnectionString | None,
    owner: str,
    database: str,
) -> Login:
    """Choose the role, and its password where only the file knows it.

    The role in the file stays: the owner in its place would pass every row-level policy by.
    """
    used = before.role if before else None
    if before and before.role and before.password and wanted in (None, before.role):
        return Login(before.role, database, before.password)
    name = wanted or (used if used in there else None) or owner
    if name not in there:
        raise NotFoundProblem(
            "role-not-found",
            f"Branch {like.name} has no role {name} that was made through Neon.",
            hint=f"There are: {', '.join(sorted(there))}. Leave --role out to keep the one in the file.",
        )
    return Login(name, database)


def command(branch: str, project: str) -> str:
    """Give the command that checks a branch out."""
    return f"neondba branch checkout {quote(branch)} --project {quote(project)}"
