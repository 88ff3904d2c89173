"""The one user of a local Neon and its one organization, as other modules refer to them."""

from __future__ import annotations

from typing import Final

from neondba.local.api import views
from neondba.local.api.call import Refusal

USER: Final = "00000000-0000-4000-8000-000000000001"
MEMBER: Final = "00000000-0000-4000-8000-000000000002"
EMAIL: Final = "local@localhost.localdomain"
SINCE: Final = "2026-01-01T00:00:00Z"
PLAN: Final = "scale"
PROJECTS_LIMIT: Final = 1000


def the_organization(org_id: str) -> str:
    """Give back the organization's id.

    Raises:
        Refusal: it is another one's.
    """
    if org_id != views.ORGANIZATION:
        raise Refusal(404, "organization not found")
    return org_id
