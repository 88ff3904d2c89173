"""The roles of a branch, and what each is for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from neondba.access.role_results import RoleLine, RoleList

if TYPE_CHECKING:
    from neondba.access.role_place import Place

_OURS: Final = re.compile(r"neondba: (?P<profile>.*?)(?:; .*)?", re.DOTALL)


def listed(place: Place) -> RoleList:
    """Read them from the database: those made by SQL and those made over the API."""
    from neondba.postgres.connect import ask

    lines = tuple(_line(row) for row in ask(place.session, "role_list"))
    return RoleList(project=place.project.name, branch=place.branch.name, roles=lines)


def _line(row: dict[str, Any]) -> RoleLine:
    ours = _OURS.fullmatch(str(row["comment"] or ""))
    made = "made over Neon's API or its Console" if "neon_superuser" in row["member_of"] else "made by SQL"
    return RoleLine(
        name=row["name"],
        use=ours["profile"] if ours else made,
        logs_in=row["can_login"],
        bypasses_row_security=row["bypasses"] or row["superuser"],
        sessions=row["sessions"],
    )
