"""API keys: shown once, kept as hashes, and refused after they were revoked."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from neondba.local import ids
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.people import USER, the_organization
from neondba.local.api.request import WRONG_TOKEN
from neondba.local.control.plane import Plane
from neondba.local.control.worker import stamp
from neondba.local.state.account import ApiKeyRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import ProjectRow

OWN: Final = "/api_keys"
ORGANIZATIONS: Final = "/organizations/{org_id}/api_keys"
FROM: Final = "127.0.0.1"
NOTED_EVERY: Final = timedelta(minutes=1)
"""A key's last use is written down this often at most."""


def admitted(plane: Plane, token: str, method: str, path: dict[str, str]) -> ApiKeyRow | None:
    """Look at the key of a call; one that was not created here has no row, and may everything.

    Raises:
        Refusal: it was revoked, or is for another project.
    """
    with plane.state.read() as rows:
        found = rows.first(ApiKeyRow, hash=_hash(token))
    if found is None:
        return None
    if found.revoked:
        raise Refusal(401, WRONG_TOKEN)
    if found.project_id is not None:
        _only_for(found.project_id, method, path)
    _note(plane, found)
    return found


def _only_for(project_id: str, method: str, path: dict[str, str]) -> None:
    if path.get("project_id", project_id) != project_id:
        raise Refusal(404, "project not found")
    if "org_id" in path or (method == "DELETE" and set(path) == {"project_id"}):
        raise Refusal(
            403, "this API key is for one project: it may not delete it or act for the organization"
        )


def _note(plane: Plane, key: ApiKeyRow) -> None:
    now = plane.clock.now()
    if key.last_used_at and now - datetime.fromisoformat(key.last_used_at) < NOTED_EVERY:
        return
    with plane.state.change() as rows:
        if fresh := rows.get(ApiKeyRow, key.number):
            fresh.last_used_at = stamp(now)


@answers(
    "GET",
    OWN,
    "listApiKeys",
    says="Lists API keys.",
    differs="Those created here; any other token is accepted too, since only this machine can ask.",
)
def list_keys(call: Call) -> list[Any]:
    """List the user's keys."""
    with call.plane.state.read() as rows:
        return [_listed(row) for row in rows.all(ApiKeyRow, organization=False, revoked=False)]


@answers("POST", OWN, "createApiKey", says="Creates an API key and shows it this once; its hash is kept.")
def create_key(call: Call) -> dict[str, Any]:
    """Create a key of the user."""
    return _created(call, organization=False)


@answers("DELETE", OWN + "/{key_id}", "revokeApiKey", says="Revokes an API key; it answers 401 from then on.")
def revoke_key(call: Call) -> dict[str, Any]:
    """Revoke a key of the user."""
    return _revoked(call, organization=False)


@answers("GET", ORGANIZATIONS, "listOrgApiKeys", says="Lists the organization's API keys.")
def list_organization_keys(call: Call) -> list[Any]:
    """List the organization's keys."""
    the_organization(call.path["org_id"])
    with call.plane.state.read() as rows:
        found = rows.all(ApiKeyRow, organization=True, revoked=False)
    return [{**_listed(row), **_scope(row)} for row in found]


@answers(
    "POST",
    ORGANIZATIONS,
    "createOrgApiKey",
    says="Creates a key of the organization, or of one of its projects.",
    differs="A key of the organization may ask what a key of the user may.",
)
def create_organization_key(call: Call) -> dict[str, Any]:
    """Create a key of the organization, or of one of its projects."""
    the_organization(call.path["org_id"])
    return _created(call, organization=True)


@answers("DELETE", ORGANIZATIONS + "/{key_id}", "revokeOrgApiKey", says="Revokes a key of the organization.")
def revoke_organization_key(call: Call) -> dict[str, Any]:
    """Revoke a key of the organization."""
    the_organization(call.path["org_id"])
    return _revoked(call, organization=True)


def _created(call: Call, *, organization: bool) -> dict[str, Any]:
    name = str(call.body.get("key_name", "")).strip()
    if not name:
        raise Refusal(400, "key_name must have 1 to 64 characters")
    project_id = call.body.get("project_id") if organization else None
    key = ids.api_key()
    row = ApiKeyRow(
        name=name, hash=_hash(key), organization=organization, project_id=project_id, created_at=call.now
    )
    with call.plane.state.change() as rows:
        _must_exist(rows, project_id)
        rows.add(row)
    made = {"id": row.number, "key": key, "name": name, "created_at": row.created_at, "created_by": USER}
    return {**made, **_scope(row)}


def _must_exist(rows: Rows, project_id: str | None) -> None:
    if project_id is None:
        return
    found = rows.get(ProjectRow, project_id)
    if found is None or found.deleting:
        raise Refusal(404, "project not found")


def _revoked(call: Call, *, organization: bool) -> dict[str, Any]:
    with call.plane.state.change() as rows:
        row = rows.get(ApiKeyRow, int(call.path["key_id"]))
        if row is None or row.revoked or row.organization != organization:
            raise Refusal(404, "API key not found")
        row.revoked = True
    return {**_listed(row), **_scope(row), "created_by": USER, "revoked": True}


def _listed(row: ApiKeyRow) -> dict[str, Any]:
    return {
        "id": row.number,
        "name": row.name,
        "created_at": row.created_at,
        "created_by": {"id": USER, "name": "Local User", "image": ""},
        "last_used_at": row.last_used_at,
        "last_used_from_addr": FROM if row.last_used_at else "",
    }


def _scope(row: ApiKeyRow) -> dict[str, Any]:
    return {} if row.project_id is None else {"project_id": row.project_id}


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
