"""Rows as the API shows them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from neondba.local.api.call import Refusal
from neondba.local.control.plane import Plane
from neondba.local.control.roles import SEALED
from neondba.local.control.upkeep import recoverable_until
from neondba.local.control.worker import stamp
from neondba.local.metering.hours import period
from neondba.local.metering.usage import totals
from neondba.local.state.tables import (
    BranchRow,
    DatabaseRow,
    EndpointRow,
    OperationRow,
    ProjectRow,
    RoleRow,
)

OWNER: Final = "local-user"
ORGANIZATION: Final = "org-local-00000000"
REGION: Final = "aws-us-east-2"
PLATFORM: Final = "aws"
PROVISIONER: Final = "k8s-neonvm"
SIZE_LIMIT: Final = 1 << 44


def project(plane: Plane, row: ProjectRow, *, listed: bool = False) -> dict[str, Any]:
    """Show a project."""
    shown: dict[str, Any] = {
        "id": row.id,
        "platform_id": PLATFORM,
        "region_id": row.region_id,
        "name": row.name,
        "provisioner": PROVISIONER,
        "default_endpoint_settings": json.loads(row.endpoint_defaults),
        "settings": json.loads(row.settings),
        "pg_version": row.pg_version,
        "proxy_host": plane.addresses.proxy_host,
        "branch_logical_size_limit": SIZE_LIMIT >> 20,
        "branch_logical_size_limit_bytes": SIZE_LIMIT,
        "store_passwords": row.store_passwords,
        "creation_source": "console",
        "history_retention_seconds": row.history_retention_seconds,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "owner_id": ORGANIZATION,
        "org_id": ORGANIZATION,
    }
    if row.deleted_at is not None:
        shown |= _deleted(row.deleted_at)
    start, end = period(plane.clock.now())
    used = _used(plane, project_id=row.id)
    shown["cpu_used_sec"] = used["compute_time_seconds"]
    if listed:
        return {**shown, "active_time": used["active_time_seconds"]}
    size = used.pop("logical_size")
    return {
        **shown,
        **used,
        "synthetic_storage_size": size,
        "consumption_period_start": start,
        "consumption_period_end": end,
    }


def _deleted(at: str) -> dict[str, str]:
    return {"deleted_at": at, "recoverable_until": stamp(recoverable_until(at))}


def _used(plane: Plane, **equals: str) -> dict[str, int]:
    """Give the figures of this consumption period."""
    start, _ = period(plane.clock.now())
    with plane.state.read() as rows:
        return asdict(totals(rows, start, **equals))


def branch(row: BranchRow, plane: Plane | None = None) -> dict[str, Any]:
    """Show a branch; `cloned_by` is our own field."""
    used = _used(plane, branch_id=row.id) if plane else {}
    names = ("compute_time_seconds", "active_time_seconds", "written_data_bytes", "data_transfer_bytes")
    shown: dict[str, Any] = {
        "id": row.id,
        "project_id": row.project_id,
        "parent_id": row.parent_id,
        "parent_lsn": row.parent_lsn,
        "parent_timestamp": row.parent_timestamp,
        "name": row.name,
        "current_state": row.state,
        "pending_state": "ready" if row.state in ("init", "resetting") else None,
        "state_changed_at": row.state_changed_at,
        "creation_source": "console",
        "primary": row.is_default,
        "default": row.is_default,
        "protected": row.protected,
        "cpu_used_sec": used.get("compute_time_seconds", 0),
        "logical_size": used.get("logical_size") or None,
        **{name: used.get(name, 0) for name in names},
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "ttl_interval_seconds": row.ttl_interval_seconds,
        "expires_at": row.expires_at,
        "init_source": row.init_source,
        "last_reset_at": row.last_reset_at,
        "restore_status": row.restore_status,
        "restored_from": row.restored_from,
        "restored_as": row.restored_as,
        "cloned_by": row.cloned_by,
    }
    if row.deleted_at is not None:
        shown |= {"recovery": {**_deleted(row.deleted_at), "deletion_method": "user"}}
    return {name: value for name, value in shown.items() if value is not None}


def endpoint(plane: Plane, row: EndpointRow) -> dict[str, Any]:
    """Show an endpoint, its compute's state as it is now."""
    shown: dict[str, Any] = {
        "host": plane.addresses.host(row.id),
        "id": row.id,
        "name": row.name or None,
        "project_id": row.project_id,
        "branch_id": row.branch_id,
        "autoscaling_limit_min_cu": row.min_cu,
        "autoscaling_limit_max_cu": row.max_cu,
        "region_id": _region(plane, row),
        "type": row.type,
        "current_state": "active" if plane.computes.running(plane.compute_name(row)) else "idle",
        "settings": json.loads(row.settings),
        "pooler_enabled": False,
        "pooler_mode": "transaction",
        "disabled": row.disabled,
        "passwordless_access": False,
        "last_active": row.last_active,
        "creation_source": "console",
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "started_at": row.started_at,
        "suspended_at": row.suspended_at,
        "proxy_host": plane.addresses.proxy_host,
        "suspend_timeout_seconds": row.suspend_timeout_seconds,
        "provisioner": PROVISIONER,
        "compute_release_version": plane.binaries.release,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _region(plane: Plane, row: EndpointRow) -> str:
    with plane.state.read() as rows:
        project = rows.get(ProjectRow, row.project_id)
    return REGION if project is None else project.region_id


def role(row: RoleRow, *, password: bool = False) -> dict[str, Any]:
    """Show a role; its password only where Neon does."""
    shown: dict[str, Any] = {
        "branch_id": row.branch_id,
        "name": row.name,
        "protected": False,
        "authentication_method": "no_login" if row.no_login else "password",
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    return {**shown, "password": row.password} if password else shown


def database(row: DatabaseRow) -> dict[str, Any]:
    """Show a database."""
    return row.model_dump(include={"id", "branch_id", "name", "owner_name", "created_at", "updated_at"})


def operation(row: OperationRow) -> dict[str, Any]:
    """Show an operation."""
    shown = row.model_dump(exclude={"number", "arguments"})
    return {name: value for name, value in shown.items() if value is not None}


def connection(plane: Plane, endpoint_id: str, owner: RoleRow, base: str) -> dict[str, Any]:
    """Show how to connect."""
    password = "" if owner.password.startswith(SEALED) else owner.password
    return {
        "connection_uri": plane.addresses.uri(endpoint_id, owner.name, password, base),
        "connection_parameters": {
            "database": base,
            "password": password,
            "role": owner.name,
            "host": plane.addresses.host(endpoint_id),
            "pooler_host": plane.addresses.host(endpoint_id, pooled=True),
        },
    }


def created(
    plane: Plane, branch_id: str, operations: list[OperationRow], *, passwords: bool
) -> dict[str, Any]:
    """Show a new branch and what it comes with, as they are now."""
    with plane.state.read() as rows:
        made = rows.get(BranchRow, branch_id)
        endpoints = rows.all(EndpointRow, branch_id=branch_id, deleting=False)
        found = rows.all(RoleRow, branch_id=branch_id)
        bases = rows.all(DatabaseRow, branch_id=branch_id)
        current = [rows.get(OperationRow, row.number) or row for row in operations]
    if made is None:
        raise Refusal(404, "branch not found: it was deleted as soon as it was made")
    shown: dict[str, Any] = {
        "branch": branch(made),
        "endpoints": [endpoint(plane, row) for row in endpoints],
        "operations": [operation(row) for row in current],
        "roles": [role(row, password=passwords) for row in found],
        "databases": [database(row) for row in bases],
    }
    if endpoints and len(found) == 1 and len(bases) == 1:
        shown["connection_uris"] = [connection(plane, endpoints[0].id, found[0], bases[0].name)]
    return shown
