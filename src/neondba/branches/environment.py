"""What a program needs in its environment to use a branch, and nothing it should not inherit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.neon.connection_string import parse

if TYPE_CHECKING:
    from neondba.neon.throwaway import Throwaway

DROPPED: Final = ("PGHOSTADDR", "PGSERVICE", "PGPASSFILE", "PGSSLROOTCERT")
"""They would lead libpq elsewhere, or hold another server's certificate against this one."""


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
