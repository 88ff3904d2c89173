"""What a program needs in its environment to use a branch, and nothing it should not inherit."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, RemoteProblem
from neondba.core.secret import MASK
from neondba.neon.connection_string import parse

if TYPE_CHECKING:
    from neondba.neon.throwaway import Throwaway

DROPPED: Final = ("PGHOSTADDR", "PGSERVICE", "PGPASSFILE", "PGSSLROOTCERT")
"""They would lead libpq elsewhere, or hold another server's certificate against this one."""
LAST_LINES: Final = 20


def variables(branch: Throwaway, ctx: Context) -> dict[str, str]:
    """Give the variables by name, passwords in clear: for a child's environment only."""
    direct = parse(branch.direct)
    found = {
        "DATABASE_URL": branch.pooled.reveal(),
        "DATABASE_URL_UNPOOLED": branch.direct.reveal(),
        "PGHOST": direct.host,
        "PGPORT": str(direct.port or 5432),
        "PGUSER": branch.role,
        "PGPASSWORD": direct.password.reveal() if direct.password else "",
        "PGDATABASE": branch.database,
        "PGSSLMODE": direct.parameter("sslmode") or "require",
        "NEON_PROJECT_ID": branch.project_id,
        "NEON_BRANCH": branch.branch_name,
        "NEON_BRANCH_ID": branch.branch_id,
        **_platform(ctx),
    }
    for name, parameter in (("PGCHANNELBINDING", "channel_binding"), ("PGOPTIONS", "options")):
        if value := direct.parameter(parameter):
            found[name] = value
    return found


def _platform(ctx: Context) -> dict[str, str]:
    from neondba.local.platform import address

    host, key = address(ctx)
    return {"NEON_API_HOST": host, "NEON_API_KEY": key.reveal()}


def merged(inherited: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Give a child's whole environment; ours wins, and options that the user has set are kept."""
    kept = {name: value for name, value in inherited.items() if name not in DROPPED}
    both = {**kept, **ours}
    if inherited.get("PGOPTIONS") and ours.get("PGOPTIONS"):
        theirs = " ".join(w for w in inherited["PGOPTIONS"].split() if not w.startswith("endpoint="))
        both["PGOPTIONS"] = f"{ours['PGOPTIONS']} {theirs}".strip()
    return both


def fill(text: str, folder: Path, environment: Mapping[str, str], where: str) -> None:
    """Run a command that migrates or fills a branch; say what it said when it fails.

    Raises:
        RemoteProblem: it ended with another status than 0.
        ArgumentProblem: there is no such program.
    """
    try:
        ended = subprocess.run(
            shlex.split(text),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except (OSError, ValueError, IndexError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ArgumentProblem("command-not-found", f"{text} cannot be run: {why}.") from None
    if ended.returncode:
        said = ended.stdout
        for secret in (environment["DATABASE_URL"], environment["PGPASSWORD"]):
            said = said.replace(secret, MASK)
        last = "\n".join(said.strip().splitlines()[-LAST_LINES:])
        raise RemoteProblem(
            "migration-failed",
            f"{text} ended with status {ended.returncode} on {where}. It said last:\n{last}",
            hint="Nothing of it was kept. Repair the command, then repeat the call.",
        )


def for_migrations(branch: Throwaway, ctx: Context, inherited: Mapping[str, str]) -> dict[str, str]:
    """Give the environment for migrations: DATABASE_URL too leads past the pooler."""
    ours = variables(branch, ctx)
    return merged(inherited, {**ours, "DATABASE_URL": ours["DATABASE_URL_UNPOOLED"]})
