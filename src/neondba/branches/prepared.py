"""A switch of environment files, ready to be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
    """A switch, with the role and the database it is for."""

    switch: Switch
    role: str
    database: str
    password: Secret | None
    """Password of this role in the file, for a role whose password Neon does not know."""

    def steps(self, branch: str) -> list[str]:
        """Say what will be written."""
        return self.switch.steps(branch, self.role, self.database)

    def carry_out(self, client: NeonClient, project: Project, branch: Branch, git_branch: str | None) -> None:
        """Write the files."""
        address = self._address(client, project, branch)
        self.switch.write(address, project.org_id, git_branch)

    def _address(self, client: NeonClient, project: Project, branch: Branch) -> Address:
        try:
            direct, pooled = (
                client.connection_uri(project.id, branch.id, self.database, self.role, pooled=each)
                for each in (False, True)
            )
        except Problem as problem:
            if self.password is None or problem.facts.get("status") not in PASSWORD_UNKNOWN:
                raise
            direct, pooled = self._with_the_files_password(client, project, branch, self.password)
        return Address(project.id, branch.name, branch.id, self.role, self.database, direct, pooled)

    def _with_the_files_password(
        self, client: NeonClient, project: Project, branch: Branch, password: Secret
    ) -> tuple[Secret, Secret]:
        from neondba.neon.connection_string import parse
        from neondba.neon.throwaway import reached

        found = reached(client, project.id, branch, self.database)
        return (
            parse(found.direct).with_role(self.role, password).render(),
            parse(found.pooled).with_role(self.role, password).render(),
        )
