"""Permissions of others for a project, and handing it over."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, Final

from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.people import EMAIL, MEMBER, PROJECTS_LIMIT, USER, the_organization
from neondba.local.control.worker import stamp
from neondba.local.requirement import SDK
from neondba.local.state.account import PermissionRow, TransferRequestRow
from neondba.local.state.tables import ProjectRow

PERMISSIONS: Final = "/projects/{project_id}/permissions"
MEMBERS: Final = "/projects/{project_id}/members"
REQUESTS: Final = "/projects/{project_id}/transfer_requests"
A_DAY: Final = 86_400
LONGEST: Final = 366 * A_DAY


@answers("GET", PERMISSIONS, "listProjectPermissions", says="Lists who else may use a project.")
def permissions(call: Call) -> dict[str, Any]:
    """List who else may use a project."""
    with call.plane.state.read() as rows:
        call.project(rows)
        found = rows.all(PermissionRow, project_id=call.path["project_id"], revoked_at=None)
    return {"project_permissions": [_permission(row) for row in found]}


@answers(
    "POST",
    PERMISSIONS,
    "grantPermissionToProject",
    says="Lets someone else use a project.",
    differs="Kept and shown; there is nobody else here.",
)
def grant(call: Call) -> dict[str, Any]:
    """Let someone else use a project; a second time answers with the first."""
    with call.plane.state.change() as rows:
        project = call.project(rows)
        where = {"project_id": project.id, "email": call.body["email"], "revoked_at": None}
        found = rows.first(PermissionRow, **where)
        if found is None:
            found = PermissionRow(
                id=str(uuid.uuid4()), project_id=project.id, email=call.body["email"], created_at=call.now
            )
            rows.add(found)
        return _permission(found)


@answers(
    "DELETE", PERMISSIONS + "/{permission_id}", "revokePermissionFromProject", says="Takes a permission back."
)
def revoke(call: Call) -> dict[str, Any]:
    """Take a permission back."""
    with call.plane.state.change() as rows:
        project = call.project(rows)
        found = rows.get(PermissionRow, call.path["permission_id"])
        if found is None or found.project_id != project.id or found.revoked_at:
            raise Refusal(404, "permission not found")
        found.revoked_at = call.now
        return _permission(found)


def _permission(row: PermissionRow) -> dict[str, Any]:
    shown = {"id": row.id, "granted_to_email": row.email, "granted_at": row.created_at}
    return {**shown, "revoked_at": row.revoked_at} if row.revoked_at else shown


@answers(
    "POST", REQUESTS, "createProjectTransferRequest", 201, says="Offers a project to whoever has the id."
)
def offer(call: Call) -> dict[str, Any]:
    """Offer a project; the offer ends after a day if nothing else is said."""
    lasts = call.body.get("ttl_seconds", A_DAY)
    if not 1 <= lasts <= LONGEST:
        raise Refusal(400, f"ttl_seconds must be between 1 and {LONGEST}")
    with call.plane.state.change() as rows:
        project = call.project(rows)
        made = TransferRequestRow(
            id=str(uuid.uuid4()),
            project_id=project.id,
            created_at=call.now,
            expires_at=stamp(call.plane.clock.now() + timedelta(seconds=lasts)),
        )
        rows.add(made)
    return made.model_dump()


@answers(
    "PUT",
    REQUESTS + "/{request_id}",
    "acceptProjectTransferRequest",
    204,
    says="Accepts an offered project, once and in time; 406 when there are as many as the account may have.",
    differs="The project stays where it is: there is one organization.",
)
def accept(call: Call) -> None:
    """Accept an offered project, which stays where it is."""
    if org_id := call.body.get("org_id"):
        the_organization(org_id)
    with call.plane.state.change() as rows:
        project = call.project(rows)
        found = rows.get(TransferRequestRow, call.path["request_id"])
        if found is None or found.project_id != project.id or found.expires_at <= call.now:
            raise Refusal(404, "transfer request not found")
        if len(rows.all(ProjectRow, deleting=False)) > PROJECTS_LIMIT:
            said = f"the account has {PROJECTS_LIMIT} projects, which is as many as it may have"
            raise Refusal(406, said, reasons=[{"code": "PROJECTS_LIMIT_EXCEEDED", "message": said}])
        rows.delete(found)


@answers(
    "GET",
    MEMBERS,
    "listProjectMembers",
    says="Lists a project's members.",
    differs="The one user.",
    source=SDK,
)
def members(call: Call) -> dict[str, Any]:
    """List a project's members: there is one, the organization's admin."""
    with call.plane.state.read() as rows:
        call.project(rows)
    return {"project_members": [_member()]}


@answers(
    "PUT",
    MEMBERS + "/{member_id}/role",
    "setProjectMemberRole",
    says="Gives a member a role in a project.",
    differs="The one user is the organization's admin and stays so: another role answers 422.",
    source=SDK,
)
def set_role(call: Call) -> dict[str, Any]:
    """Give a member a role; the organization's admin has every right already."""
    found = _role(call)
    if call.body.get("role") not in ("viewer", "editor", "admin"):
        raise Refusal(400, "role must be one of viewer, editor, admin")
    if call.body["role"] != "admin":
        raise Refusal(422, "an admin of the organization is an admin of its projects")
    return found


@answers(
    "DELETE",
    MEMBERS + "/{member_id}/role",
    "removeProjectMemberRole",
    says="Takes a member's role in a project back.",
    differs="Changes nothing: the one user has its rights from the organization.",
    source=SDK,
)
def remove_role(call: Call) -> dict[str, Any]:
    """Take a role back, which leaves the organization's."""
    return _role(call)


def _role(call: Call) -> dict[str, Any]:
    with call.plane.state.read() as rows:
        project_id = call.project(rows).id
    if call.path["member_id"] != MEMBER:
        raise Refusal(404, "project member not found")
    return {"project_id": project_id, **_member()}


def _member() -> dict[str, Any]:
    return {
        "member_id": MEMBER,
        "user_id": USER,
        "email": EMAIL,
        "name": "Local User",
        "org_role": "admin",
        "effective_project_permission": "ADMIN",
        "grant_source": "org_admin_override",
    }
