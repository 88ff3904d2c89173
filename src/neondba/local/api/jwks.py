"""Key sets of token issuers: kept and shown. The proxy asks for passwords, not tokens."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

from neondba.local.api.call import Call, Refusal, answers
from neondba.local.state.account import JwksRow

ALL: Final = "/projects/{project_id}/jwks"


@answers("GET", ALL, "getProjectJWKS", says="Lists key sets.")
def list_sets(call: Call) -> dict[str, Any]:
    """List a project's key sets."""
    with call.plane.state.read() as rows:
        found = rows.all(JwksRow, project_id=call.project(rows).id)
    return {"jwks": [_shown(row) for row in found]}


@answers(
    "POST",
    ALL,
    "addProjectJWKS",
    201,
    says="Adds a key set.",
    differs="Kept and shown; nothing is fetched, no role is made, and no token signed with it is accepted.",
)
def add(call: Call) -> dict[str, Any]:
    """Add a key set."""
    url, now = call.body["jwks_url"], call.now
    if not _is_web(url):
        raise Refusal(400, "jwks_url must be an http or https URL")
    with call.plane.state.change() as rows:
        project = call.project(rows)
        if branch_id := call.body.get("branch_id"):
            call.branch(rows, branch_id)
        made = JwksRow(
            id=str(uuid.uuid4()),
            project_id=project.id,
            branch_id=branch_id,
            jwks_url=url,
            provider_name=call.body["provider_name"],
            jwt_audience=call.body.get("jwt_audience"),
            role_names=json.dumps(call.body.get("role_names", [])),
            created_at=now,
            updated_at=now,
        )
        rows.add(made)
    return {"jwks": _shown(made), "operations": []}


@answers("DELETE", ALL + "/{jwks_id}", "deleteProjectJWKS", says="Removes a key set.")
def delete(call: Call) -> dict[str, Any]:
    """Remove a key set."""
    with call.plane.state.change() as rows:
        found = rows.first(JwksRow, project_id=call.project(rows).id, id=call.path["jwks_id"])
        if found is None:
            raise Refusal(404, "JWKS not found")
        rows.delete(found)
    return _shown(found)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _shown(row: JwksRow) -> dict[str, Any]:
    shown = row.model_dump(exclude={"number", "role_names"}, exclude_none=True)
    return {**shown, "role_names": json.loads(row.role_names)}
