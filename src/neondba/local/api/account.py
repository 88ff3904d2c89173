"""The user, the organization, and how a call was let in."""

from __future__ import annotations

from typing import Any

from neondba.local.api import views
from neondba.local.api.call import Call, answers
from neondba.local.api.people import EMAIL, PLAN, PROJECTS_LIMIT, SINCE, USER, the_organization


def _organization() -> dict[str, Any]:
    return {
        "id": views.ORGANIZATION,
        "name": "Local",
        "handle": "local",
        "plan": PLAN,
        "created_at": SINCE,
        "managed_by": "console",
        "updated_at": SINCE,
    }


@answers("GET", "/users/me", "getCurrentUserInfo", says="Shows the user.", differs="One made-up user.")
def me(_call: Call) -> dict[str, Any]:
    """Show the user."""
    return {
        "active_seconds_limit": 0,
        "auth_accounts": [],
        "email": EMAIL,
        "id": USER,
        "image": "",
        "login": "local",
        "name": "Local",
        "last_name": "User",
        "projects_limit": PROJECTS_LIMIT,
        "branches_limit": 5000,
        "max_autoscaling_limit": 16,
        "plan": PLAN,
        "billing_account": _billing_account(),
    }


def _billing_account() -> dict[str, Any]:
    """Give what the document no longer has and neon-api for Python still requires."""
    address = ("city", "country", "line1", "line2", "postal_code", "state")
    return {
        "state": "active",
        "payment_source": {"type": "none"},
        "subscription_type": PLAN,
        "payment_method": "none",
        "quota_reset_at_last": SINCE,
        "name": "Local",
        "email": EMAIL,
        **{f"address_{part}": "" for part in address},
    }


@answers(
    "GET",
    "/users/me/organizations",
    "getCurrentUserOrganizations",
    says="Lists organizations.",
    differs="One made-up organization.",
)
def organizations(_call: Call) -> dict[str, Any]:
    """List the user's organizations."""
    return {"organizations": [_organization()]}


@answers(
    "GET",
    "/organizations/{org_id}",
    "getOrganization",
    says="Shows an organization.",
    differs="One made-up organization.",
)
def organization(call: Call) -> dict[str, Any]:
    """Show an organization."""
    the_organization(call.path["org_id"])
    return _organization()


@answers("GET", "/auth", "getAuthDetails", says="Says how the call was let in.")
def auth(call: Call) -> dict[str, Any]:
    """Say how the call was let in."""
    if call.organization_key:
        return {"account_id": views.ORGANIZATION, "auth_method": "api_key_org", "auth_data": "local"}
    return {"account_id": USER, "auth_method": "api_key_user", "auth_data": "local"}
