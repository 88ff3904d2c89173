"""The PostgreSQL settings of each compute: what its size, project and endpoint ask for."""

from __future__ import annotations

import json
from typing import Any, Final

from neondba.local.computes.sizes import settings_of
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow, ProjectRow
from neondba.neon.limits import SMALLEST, Size

LIBRARIES: Final = {
    "pg_stat_statements": ("1.12", "Counts and times every statement.", True),
    "auto_explain": ("18", "Logs the plans of slow statements.", False),
    "pg_prewarm": ("1.2", "Loads relations into memory.", False),
}
"""Libraries that may be preloaded: version, what for, whether they are without asking."""
AT_LEAST_PRIMARY: Final = ("max_connections", "max_worker_processes", "max_locks_per_transaction")
"""PostgreSQL refuses reads on a standby that has less of these than its primary."""


def of(rows: Rows, name: str) -> dict[str, str]:
    """Give the settings of the compute over a directory, by its name."""
    replica = rows.get(EndpointRow, name)
    if replica is not None:
        branch = rows.get(BranchRow, replica.branch_id)
    else:
        branch = rows.first(BranchRow, timeline_id=name)
    if branch is None:
        return {}
    project = rows.get(ProjectRow, branch.project_id)
    primary = rows.first(EndpointRow, branch_id=branch.id, type="read_write")
    wanted = _endpoint(replica or primary, project)
    if replica is not None:
        floor = _endpoint(primary, project)
        for key in AT_LEAST_PRIMARY:
            wanted[key] = str(max(int(wanted[key]), int(floor[key])))
    return wanted


def _endpoint(endpoint: EndpointRow | None, project: ProjectRow | None) -> dict[str, str]:
    size = Size(SMALLEST, SMALLEST) if endpoint is None else Size(endpoint.min_cu, endpoint.max_cu)
    common = json.loads(project.settings) if project is not None else {}
    own = json.loads(endpoint.settings) if endpoint is not None else {}
    settings = {**settings_of(size), "shared_preload_libraries": ",".join(preloaded(common, own))}
    if common.get("enable_logical_replication"):
        settings["wal_level"] = "logical"
    return {**settings, **{key: str(value) for key, value in (own.get("pg_settings") or {}).items()}}


def preloaded(project: dict[str, Any], endpoint: dict[str, Any]) -> list[str]:
    """Give the libraries to preload: the endpoint's word counts before the project's."""
    chosen = endpoint.get("preload_libraries") or project.get("preload_libraries") or {}
    names = [str(name) for name in chosen.get("enabled_libraries") or []]
    if chosen.get("use_defaults", not names):
        names = [*(name for name, about in LIBRARIES.items() if about[2]), *names]
    return list(dict.fromkeys(names))
