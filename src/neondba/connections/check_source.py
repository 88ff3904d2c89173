"""Where the connection string comes from: a variable, a file of variables, or the project."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, parse

FILES: Final = (".env.local", ".env")
"""In this order, after the environment itself."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Source:
    """A connection string, and where it was found."""

    url: ConnectionString
    found_in: str


def from_argument(ctx: Context, given: str, environment: Mapping[str, str] | None = None) -> Source:
    """Take the name of a variable, or a connection string without a password.

    Raises:
        ArgumentProblem: a password is on the command line, or the value is no connection string.
        NotFoundProblem: no such variable is set.
    """
    if "://" in given or "=" in given:
        return Source(_without_password(given), "the command line")
    if not _NAME.fullmatch(given):
        raise ArgumentProblem(
            "not-a-variable",
            f"{given[:40]} is no name of a variable.",
            hint="Give the name of the variable that holds the connection string, such as DATABASE_URL.",
        )
    around = os.environ if environment is None else environment
    if around.get(given):
        return Source(_parsed(Secret(around[given]), given), f"{given} of the environment")
    return _from_files(ctx.folder, given)


def from_project(ctx: Context, branch: str | None, role: str | None, *, pooled: bool) -> Source:
    """Ask the project for the connection string of a branch and a role.

    Raises:
        Problem: the project, branch or role does not exist, or its password is not known.
    """
    from neondba.local import platform
    from neondba.neon.answers import found
    from neondba.neon.choose import project_for
    from neondba.neon.throwaway import reached

    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        chosen = (
            found("branch", branch, there, project.name)
            if branch is not None
            else next(each for each in there if each.default)
        )
        at = reached(client, project.id, chosen)
        url = at.pooled if pooled else at.direct
        if role is not None and role != at.role:
            url = client.connection_uri(project.id, chosen.id, at.database, role, pooled=pooled)
    return Source(parse(url), f"project {project.name}, branch {chosen.name}")


def _without_password(given: str) -> ConnectionString:
    if re.search(r"(?i)passw(?:or)?d\s*=", given) or re.search(r"://[^/?#@]*:[^@]*@", given):
        raise ArgumentProblem(
            "password-on-command-line",
            "The connection string on the command line has a password: it stays in the shell's history, and "
            "every user of this machine sees it in the list of processes.",
            hint="Put it into a variable or .env, and give the name: neondba connection check DATABASE_URL. "
            "Then reset this password.",
        )
    return parse(given)


def _from_files(folder: Path, name: str) -> Source:
    from neondba.project import env_file

    known: list[str] = []
    for file in FILES:
        text = env_file.read(folder / file)
        value = text.value(name)
        if value:
            return Source(_parsed(value, name), f"{name} of {file}")
        known += [f"{each} ({file})" for each in text.names if _is_url(text.value(each))]
    hint = f"Connection strings are in: {', '.join(known)}." if known else "neondba setup writes one."
    raise NotFoundProblem(
        "variable-not-set",
        f"{name} is set neither in the environment nor in {' or '.join(FILES)}.",
        hint=hint,
    )


def _is_url(value: Secret | None) -> bool:
    return bool(value and re.match(r"postgres(?:ql)?(?:\+\w+)?://", value.reveal()))


def _parsed(value: Secret, name: str) -> ConnectionString:
    try:
        return parse(value)
    except ArgumentProblem as problem:
        raise ArgumentProblem(
            problem.code,
            f"The value of {name} is not a connection string that can be read.",
            hint=problem.hint,
        ) from None
