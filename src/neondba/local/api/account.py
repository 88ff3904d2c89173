"""The one user of a local Neon, its one organization and its one region."""

from __future__ import annotations

from typing import Any

from neondba.local.api import views
from neondba.local.api.call import Call, Refusal, answers

SINCE = "2026-01-01T00:00:00Z"
PLAN = "scale"


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
        "email": "local@localhost.localdomain",
        "id": views.OWNER,
        "image": "",
        "login": "local",
        "name": "Local",
        "last_name": "User",
        "projects_limit": 1000,
        "branches_limit": 5000,
        "max_autoscaling_limit": 16,
        "plan": PLAN,
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
    if call.path["org_id"] != views.ORGANIZATION:
        raise Refusal(404, "organization not found")
    return _organization()


@answers("GET", "/auth", "getAuthDetails", says="Says how the call was let in.")
def auth(_call: Call) -> dict[str, Any]:
    """Say how the call was let in."""
    return {"account_id": views.OWNER, "auth_method": "api_key_user", "auth_data": "local"}


@answers(
    "GET",
    "/regions",
    "getActiveRegions",
    says="Lists regions.",
    differs="One, named as Neon names one; it is this machine.",
)
def regions(_call: Call) -> dict[str, Any]:
    """List regions: this machine, under a name that clients accept."""
    region = {
        "region_id": views.REGION,
        "name": "This machine",
        "default": True,
        "geo_lat": "0",
        "geo_long": "0",
    }
    return {"regions": [region]}


@answers(
    "GET", "/api_keys", "listApiKeys", says="Lists API keys.", differs="Always empty: any key is accepted."
)
def api_keys(_call: Call) -> list[Any]:
    """List API keys: any key is accepted here, so none is kept."""
    return []
