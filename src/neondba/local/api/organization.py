"""The organization's members, invitations, spending limit and projects."""

from __future__ import annotations

import uuid
from typing import Any, Final

from neondba.local.api import views
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.people import EMAIL, MEMBER, SINCE, USER, the_organization
from neondba.local.state.account import InvitationRow, SpendingLimitRow
from neondba.local.state.tables import ProjectRow

ORGANIZATION: Final = "/organizations/{org_id}"
MEMBERS: Final = ORGANIZATION + "/members"
INVITATIONS: Final = ORGANIZATION + "/invitations"
LIMIT: Final = ORGANIZATION + "/billing/spending_limit"


def _member() -> dict[str, Any]:
    return {"id": MEMBER, "user_id": USER, "org_id": views.ORGANIZATION, "role": "admin", "joined_at": SINCE}


@answers("GET", MEMBERS, "getOrganizationMembers", says="Lists members.", differs="The one user.")
def members(call: Call) -> dict[str, Any]:
    """List members: there is one."""
    the_organization(call.path["org_id"])
    past = call.query.get("cursor") == MEMBER
    shown = [] if past else [{"member": _member(), "user": {"email": EMAIL, "has_mfa": False}}]
    order = {
        "sort_by": call.query.get("sort_by", "joined_at"),
        "sort_order": call.query.get("sort_order", "desc"),
    }
    return {"members": shown, "pagination": order}


@answers("GET", MEMBERS + "/{member_id}", "getOrganizationMember", says="Shows a member.")
def member(call: Call) -> dict[str, Any]:
    """Show a member."""
    the_organization(call.path["org_id"])
    if call.path["member_id"] != MEMBER:
        raise Refusal(404, "organization member not found")
    return _member()


@answers(
    "PATCH",
    MEMBERS + "/{member_id}",
    "updateOrganizationMember",
    says="Gives a member another role.",
    differs="The one member stays admin: another role answers 422.",
)
def update_member(call: Call) -> dict[str, Any]:
    """Give a member another role; the last admin keeps its own."""
    found = member(call)
    if call.body["role"] != found["role"]:
        raise Refusal(422, "cannot change the role of the last admin of the organization")
    return found


@answers(
    "DELETE",
    MEMBERS + "/{member_id}",
    "removeOrganizationMember",
    says="Removes a member.",
    differs="The one member stays: 422.",
)
def remove_member(call: Call) -> dict[str, Any]:
    """Refuse to remove the last member."""
    member(call)
    raise Refusal(422, "cannot remove the last admin of the organization")


@answers("GET", INVITATIONS, "getOrganizationInvitations", says="Lists invitations.")
def invitations(call: Call) -> dict[str, Any]:
    """List invitations."""
    the_organization(call.path["org_id"])
    with call.plane.state.read() as rows:
        return {"invitations": [_invitation(row) for row in rows.all(InvitationRow)]}


@answers(
    "POST",
    INVITATIONS,
    "createOrganizationInvitations",
    says="Creates invitations.",
    differs="They are kept and shown; nobody is written to and nobody can accept.",
)
def invite(call: Call) -> dict[str, Any]:
    """Create invitations; an address that has one keeps it, with the new role."""
    the_organization(call.path["org_id"])
    made = []
    with call.plane.state.change() as rows:
        for wanted in call.body["invitations"]:
            if wanted["email"] == EMAIL:
                raise Refusal(409, f"{EMAIL} is a member of the organization already")
            row = rows.first(InvitationRow, email=wanted["email"])
            if row is None:
                row = InvitationRow(
                    id=str(uuid.uuid4()), email=wanted["email"], role=wanted["role"], created_at=call.now
                )
                rows.add(row)
            row.role = wanted["role"]
            made.append(_invitation(row))
    return {"invitations": made}


def _invitation(row: InvitationRow) -> dict[str, Any]:
    shown = row.model_dump(include={"id", "email", "role"})
    return {**shown, "org_id": views.ORGANIZATION, "invited_by": USER, "invited_at": row.created_at}


@answers("GET", LIMIT, "getOrganizationSpendingLimit", says="Shows the spending limit.")
def spending_limit(call: Call) -> dict[str, Any]:
    """Show the spending limit, null if there is none."""
    the_organization(call.path["org_id"])
    with call.plane.state.read() as rows:
        found = rows.get(SpendingLimitRow, 1)
    return {"spending_limit_cents": found and found.cents}


@answers(
    "PUT",
    LIMIT,
    "setOrganizationSpendingLimit",
    says="Sets the spending limit.",
    differs="Kept and shown; nobody is notified, since nothing costs anything here.",
)
def set_spending_limit(call: Call) -> dict[str, Any]:
    """Set the spending limit."""
    the_organization(call.path["org_id"])
    cents = call.body["spending_limit_cents"]
    with call.plane.state.change() as rows:
        if found := rows.get(SpendingLimitRow, 1):
            found.cents = cents
        else:
            rows.add(SpendingLimitRow(cents=cents))
    return {"spending_limit_cents": cents}


@answers("DELETE", LIMIT, "deleteOrganizationSpendingLimit", says="Removes the spending limit.")
def delete_spending_limit(call: Call) -> dict[str, Any]:
    """Remove the spending limit."""
    the_organization(call.path["org_id"])
    with call.plane.state.change() as rows:
        if found := rows.get(SpendingLimitRow, 1):
            rows.delete(found)
    return {}


@answers(
    "POST",
    "/organizations/{source_org_id}/projects/transfer",
    "transferProjectsFromOrgToOrg",
    says="Hands projects to another organization.",
    differs="There is one organization, so there is none to hand them to: 404, or 400 for the same one.",
)
def transfer_between(call: Call) -> dict[str, Any]:
    """Refuse to hand projects to the organization that has them."""
    source = the_organization(call.path["source_org_id"])
    if the_organization(call.body["destination_org_id"]) == source:
        raise Refusal(400, "destination_org_id must be another organization than the source")
    return {}


@answers(
    "POST",
    "/users/me/projects/transfer",
    "transferProjectsFromUserToOrg",
    says="Hands the user's projects to an organization.",
    differs="All projects are the one organization's already, so nothing changes.",
)
def transfer_to_organization(call: Call) -> dict[str, Any]:
    """Answer that the organization has the projects, which it had before."""
    the_organization(call.body["destination_org_id"])
    with call.plane.state.read() as rows:
        for project_id in call.body["project_ids"]:
            found = rows.get(ProjectRow, project_id)
            if found is None or found.deleting:
                raise Refusal(404, f"project {project_id} not found")
    return {}
