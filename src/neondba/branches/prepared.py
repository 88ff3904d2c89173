"""A switch of environment files, ready to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from neondba.branches.logins import Line, Login
from neondba.branches.switching import Switch
from neondba.branches.values import Address
from neondba.core.problem import Problem
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project

PASSWORD_UNKNOWN: Final = (404, 412)
"""A role that SQL made, or a project that stores no passwords."""


@dataclass(frozen=True)
class Prepared:
    """A switch, with who the lines log in as."""

    switch: Switch
    usual: Login
    """The login of the first address, and of every line that has none of its own."""
    lines: Mapping[Line, Login] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """Give the role of the first address."""
        return self.usual.role

    @property
    def database(self) -> str:
        """Give the database of the first address."""
        return self.usual.database

    @property
    def logins(self) -> tuple[Login, ...]:
        """Give every login once, the usual one first."""
        return tuple(dict.fromkeys((self.usual, *self.lines.values())))

    @property
    def others(self) -> dict[str, str]:
        """Give the lines that log in as another role than the usual one, and that role."""
        return {name: login.role for (_, name), login in self.lines.items() if login.role != self.role}

    def with_password(self, role: str, password: Secret) -> Prepared:
        """Give the same with one password for a role in all lines."""

        def changed(login: Login) -> Login:
            return replace(login, password=password) if login.role == role else login

        lines = {line: changed(login) for line, login in self.lines.items()}
        return replace(self, usual=changed(self.usual), lines=lines)

    def steps(self, branch: str) -> list[str]:
        """Say what will be written."""
        return self.switch.steps(branch, self.usual, self.lines)

    def carry_out(self, client: NeonClient, project: Project, branch: Branch, git_branch: str | None) -> None:
        """Write the files."""
        made = {login: _address(client, project, branch, login) for login in self.logins}
        lines = {line: made[login] for line, login in self.lines.items()}
        self.switch.write(made[self.usual], lines, project.org_id, git_branch)


def _address(client: NeonClient, project: Project, branch: Branch, login: Login) -> Address:
    try:
        direct, pooled = (
            client.connection_uri(project.id, branch.id, login.database, login.role, pooled=each)
            for each in (False, True)
        )
    except Problem as problem:
        if login.password is None or problem.facts.get("status") not in PASSWORD_UNKNOWN:
            raise
        direct, pooled = _with_the_files_password(client, project, branch, login)
    return Address(project.id, branch.name, branch.id, login.role, login.database, direct, pooled)


def _with_the_files_password(
    client: NeonClient, project: Project, branch: Branch, login: Login
) -> tuple[Secret, Secret]:
    from neondba.neon.connection_string import parse
    from neondba.neon.throwaway import reached

    found = reached(client, project.id, branch, login.database)
    return (
        parse(found.direct).with_role(login.role, login.password).render(),
        parse(found.pooled).with_role(login.role, login.password).render(),
    )
