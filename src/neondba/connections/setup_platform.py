"""The project and branches of a set-up: what is there, what is made, and how it is taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.context_file import nearest
from neondba.core.problem import ConflictProblem, NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, parse
from neondba.neon.models import Branch, Project
from neondba.neon.throwaway import interrupts_held

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

DATABASE: Final = "neondb"
DEFAULT_BRANCH: Final = "production"
DEVELOPMENT: Final = "development"
MOST: Final = 50
"""Projects that are searched for an endpoint."""


@dataclass
class Undo:
    """What takes back what was made, the last first."""

    steps: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    def add(self, what: str, step: Callable[[], object]) -> None:
        """Note how a thing that was just made is removed."""
        self.steps.append((what, step))

    def carry_out(self) -> list[str]:
        """Take everything back; give what stands all the same."""
        stands = []
        for what, step in reversed(self.steps):
            try:
                step()
            except Problem:
                stands.append(what)
        self.steps.clear()
        return stands


@dataclass
class Platform:
    """The project as it is, or the name of the one to make."""

    client: NeonClient
    name: str
    project: Project | None
    branches: list[Branch] = field(default_factory=list)
    endpoints: dict[str, str] = field(default_factory=dict)
    """The branch of each compute."""
    why: str = ""
    """Why this project."""

    @property
    def default(self) -> Branch | None:
        """The default branch: production."""
        return next((each for each in self.branches if each.default), None)

    def branch(self, name: str) -> Branch | None:
        """Give a branch by its name or id."""
        return next((each for each in self.branches if name in (each.name, each.id)), None)

    def endpoints_of(self, branch: Branch | None) -> frozenset[str]:
        """Give the ids of a branch's computes."""
        return frozenset(e for e, b in self.endpoints.items() if branch is not None and b == branch.id)

    def owns(self, endpoint: str | None, *, linked: bool) -> bool:
        """Tell whether an address is no loss: in a linked folder, one of this project, there or gone."""
        return endpoint is not None and linked

    def branch_led_to(self, endpoints: frozenset[str]) -> str | None:
        """Give the branch, other than the default, that one of these endpoints belongs to."""
        ids = {self.endpoints[each] for each in endpoints if each in self.endpoints}
        return next((b.name for b in self.branches if b.id in ids and not b.default), None)

    def look(self) -> None:
        """Read the project's branches and computes."""
        if self.project is not None:
            self.branches = self.client.branches(self.project.id)
            self.endpoints = {e.id: e.branch_id for e in self.client.endpoints(self.project.id)}

    def make_project(self, undo: Undo) -> None:
        """Create the project with its default branch, database and owner."""
        with interrupts_held():
            made = self.client.create_project(self.name, branch=DEFAULT_BRANCH, database=DATABASE)
            project, hard = made.project, self.client.is_local
            undo.add(
                f"project {self.name}: neondba project delete {quote(self.name)}",
                lambda: self.client.delete_project(project.id, hard=hard),
            )
        self.project = project
        self.look()

    def make_branch(self, name: str, undo: Undo) -> Branch:
        """Create a child of the default branch; its owner gets a password of its own there."""
        project, parent = self.project, self.default
        assert project is not None
        assert parent is not None
        with interrupts_held():
            branch = self.client.create_branch(project.id, name, parent_id=parent.id).branch
            undo.add(
                f"branch {name}: neondba branch delete {quote(name)} --project {quote(project.name)}",
                lambda: self.client.delete_branch(project.id, branch.id),
            )
        for owner in sorted({each.owner_name for each in self.client.databases(project.id, branch.id)}):
            # A child begins with its parent's passwords: who knows one environment's would know the other's.
            self.client.reset_password(project.id, branch.id, owner)
        self.look()
        return branch

    def shares_owner(self, branch: Branch, direct: Secret) -> bool:
        """Tell whether the owner's password on a branch is that of the default branch."""
        default = self.default
        if default is None or default.id == branch.id or not self.endpoints_of(default):
            return False
        try:
            other = self.owner_urls(default)[2]
        except Problem:  # A project that stores no passwords.
            return False
        return parse(other).password == parse(direct).password

    def tells_password(self, branch: Branch | None, url: ConnectionString) -> bool:
        """Tell whether the API knows a role on a branch: its password is then not ours to set by SQL."""
        assert self.project is not None
        return branch is not None and url.role in {
            each.name for each in self.client.roles(self.project.id, branch.id)
        }

    def reset_owner(self, branch: Branch, owner: str) -> None:
        """Give an owner another password on one branch."""
        assert self.project is not None
        self.client.reset_password(self.project.id, branch.id, owner)

    def owner_urls(self, branch: Branch, database: str | None = None) -> tuple[str, str, Secret, Secret]:
        """Give the owner, its database, and the direct and pooled address of a branch."""
        from neondba.neon.throwaway import reached

        assert self.project is not None
        if not self.endpoints_of(branch):
            self.client.create_endpoint(self.project.id, branch.id)
            self.look()
        names = {each.name for each in self.client.databases(self.project.id, branch.id)}
        found = reached(self.client, self.project.id, branch, database if database in names else None)
        return found.role, found.database, found.direct, found.pooled


def platform_for(client: NeonClient, ctx: Context, name: str | None, known: frozenset[str]) -> Platform:
    """Say which project is meant: a new one of this name, the one that is set, or one named like the folder.

    `known` holds the endpoints that the folder's files lead to: they tell a project that was linked before.

    Raises:
        ConflictProblem: the name of a new project is taken.
        NotFoundProblem: the project that is set does not exist.
    """
    wanted = ctx.settings.project if name is None else None
    if wanted is not None:
        project = _set(client, ctx, wanted)
        origin = ctx.settings.origin("project")
        found = Platform(client, project.name, project, why=f"{origin} names it")
        found.look()
        return found
    new = name or name_of(ctx)
    there = client.projects()
    there.sort(key=lambda each: each.name != new)
    for project in there[:MOST] if known and name is None else ():
        found = Platform(client, project.name, project, why="the folder's file of variables leads to it")
        found.look()
        if known & set(found.endpoints):
            return found
    if any(each.name == new for each in there):
        raise _taken(new)
    return Platform(client, new, None)


def _set(client: NeonClient, ctx: Context, wanted: str) -> Project:
    try:
        return client.find_project(wanted)
    except NotFoundProblem as problem:
        where = " on the local Neon" if client.is_local else ""
        origin = ctx.settings.origin("project")
        key = " If it is in the cloud, set NEON_API_KEY." if client.is_local else ""
        context = nearest(ctx.folder)
        old = (
            f" If it is gone, remove {context.path} and run neondba setup again."
            if context is not None and str(context.path) == origin
            else f" To make a new one: neondba setup {quote(wanted)}"
        )
        raise NotFoundProblem(
            "project-not-found",
            f"There is no project {wanted}{where}; {origin} names it.",
            hint=f"{problem.hint or ''}{key}{old}".strip(),
        ) from None


def _taken(name: str) -> ConflictProblem:
    return ConflictProblem(
        "project-taken",
        f"A project called {name} is there already, and nothing here says that this folder belongs to it.",
        hint=f"To use it: neondba setup --project {quote(name)}. To make another one: neondba setup NAME",
        project=name,
    )


def name_of(ctx: Context) -> str:
    """Give the folder's name, as far as a project may be called so."""
    plain = re.sub(r"[^\w .-]", "-", ctx.folder.resolve().name).strip("-. ")
    return plain[:64] or "app"
