"""Which role stands for the application."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neondba.access.audit_env import uses
from neondba.core.problem import NotFoundProblem
from neondba.postgres.connect import Connection
from neondba.postgres.roles import Role, roles

_ADDRESS_ROLE: Final = re.compile(r"postgres(?:ql)?(?:\+\w+)?://([A-Za-z_]\w*)[:@]")
_EXAMPLES: Final = ("*.env.example", ".env.example", ".env.sample", ".env.template")


@dataclass(frozen=True)
class Login:
    """The role the application logs in with, as far as can be known."""

    role: Role
    because: str
    is_session: bool
    """True when our own session is already this role's."""


def application_role(session: Connection, folder: Path, wanted: str | None, before: set[str]) -> Login:
    """Choose the role: asked for, named in an example, made by a migration, in the folder's .env, owner.

    Raises:
        NotFoundProblem: the role asked for does not exist on the branch.
    """
    there = roles(session)
    own = session.info.user
    if wanted is not None:
        if wanted not in there:
            raise NotFoundProblem(
                "role-not-found",
                f"The branch has no role {wanted}, and no migration makes it.",
                hint=f"There are: {', '.join(there)}.",
            )
        return Login(there[wanted], "chosen with --role", wanted == own)
    made = [name for name in there if name not in before and there[name].can_login]
    for file, name in sorted(_examples(folder), key=lambda one: one[1] == own):
        if name in there:
            by = " and made by a migration" if name in made else ""
            return Login(there[name], f"named in {file}{by}", name == own)
    if len(made) == 1:
        return Login(there[made[0]], "the only login role that the migrations make", False)
    for file, name in logins(folder):
        if name in there and name != own:
            return Login(there[name], f"{file} logs in with it", False)
    return Login(
        there[own], "the branch's owner role, because the project names no other; choose with --role", True
    )


def logins(folder: Path) -> list[tuple[str, str]]:
    """Give the roles of the folder's own files of variables; what the application reads comes first."""
    found = [use for use in uses(folder) if "/" not in use.file]
    found.sort(key=lambda use: (use.name != "DATABASE_URL", use.file))
    return [(use.file, use.role) for use in found]


def _examples(folder: Path) -> list[tuple[str, str]]:
    """Give files and the roles they name; what the application itself reads comes first."""
    found = [
        (path.name, line.partition("=")[0].removeprefix("export ").strip(), name)
        for pattern in _EXAMPLES
        for path in sorted(folder.glob(pattern))
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        for name in _ADDRESS_ROLE.findall(line)
    ]
    found.sort(key=lambda one: one[1] != "DATABASE_URL")
    return [(file, name) for file, _, name in found]
