"""What clients may ask of computes: sizes, settings, libraries, releases."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from neondba.local.api.call import Refusal, checked_sizes, inner
from neondba.local.computes import parameters
from neondba.local.computes.settings import LIBRARIES
from neondba.local.state.tables import EndpointRow, ProjectRow
from neondba.postgres.binaries import MAJOR, OLDEST, OLDEST_FOR_ROOT, majors


def release(wanted: Mapping[str, Any]) -> int:
    """Give the PostgreSQL release that a new project asks for, if this machine has it."""
    version, known = wanted.get("pg_version") or MAJOR, majors()
    if version not in known:
        have = " and ".join(str(major) for major in known)
        said = f"pg_version {version} is not available here: this machine can run PostgreSQL {have}."
        raise Refusal(400, f"{said} {_how(version)}")
    return int(version)


def _how(version: int) -> str:
    if version < OLDEST or version > MAJOR:
        return f"The local Neon knows PostgreSQL {OLDEST} to {MAJOR}."
    if os.geteuid() == 0 and version < OLDEST_FOR_ROOT:
        return f"PostgreSQL {version} needs a neondba that an ordinary user started."
    return f"Install it where the system's packages go, such as: apt-get install postgresql-{version}"


def checked(wanted: Mapping[str, Any], project: ProjectRow) -> None:
    """Refuse an endpoint's options that no compute of the project could have."""
    checked_sizes(wanted)
    region = wanted.get("region_id")
    if region not in (None, project.region_id):
        raise Refusal(400, f"region_id must be the project's: {project.region_id}")
    if "name" in wanted and not 1 <= len(str(wanted["name"] or "")) <= 64:
        raise Refusal(400, "endpoint name must have 1 to 64 characters")
    settings(inner(wanted, "settings"), project.pg_version)


def settings(wanted: Mapping[str, Any], major: int) -> None:
    """Refuse PostgreSQL settings and libraries that a compute cannot have."""
    if said := parameters.fault(major, inner(wanted, "pg_settings")):
        raise Refusal(400, said)
    libraries(inner(wanted, "preload_libraries"))


def libraries(wanted: Mapping[str, Any]) -> None:
    """Refuse libraries that are not here."""
    for name in wanted.get("enabled_libraries") or []:
        if name not in LIBRARIES:
            known = ", ".join(LIBRARIES)
            raise Refusal(400, f"preload library {name} is not available; there are {known}")


def merged(row: EndpointRow, wanted: Mapping[str, Any]) -> str:
    """Give an endpoint's settings after a change, as they are stored."""
    return json.dumps({**json.loads(row.settings), **inner(wanted, "settings")})
