"""Neon's regions by name: a project keeps the one it asked for, and runs on this machine."""

from __future__ import annotations

from typing import Any, Final

from neondba.local.api import views
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.people import the_organization
from neondba.local.requirement import DOCS

REGIONS: Final = {
    "aws-us-east-1": ("AWS US East 1 (N. Virginia)", "38.13", "-78.45"),
    "aws-us-east-2": ("AWS US East 2 (Ohio)", "39.96", "-83.00"),
    "aws-us-west-2": ("AWS US West 2 (Oregon)", "46.15", "-123.88"),
    "aws-eu-central-1": ("AWS Europe Central 1 (Frankfurt)", "50.11", "8.68"),
    "aws-eu-west-2": ("AWS Europe West 2 (London)", "51.51", "-0.13"),
    "aws-ap-southeast-1": ("AWS Asia Pacific 1 (Singapore)", "1.37", "103.80"),
    "aws-ap-southeast-2": ("AWS Asia Pacific 2 (Sydney)", "-33.87", "151.21"),
    "aws-sa-east-1": ("AWS South America East 1 (São Paulo)", "-23.55", "-46.63"),
    "azure-eastus2": ("Azure East US 2 (Virginia)", "36.67", "-78.39"),
    "azure-westus3": ("Azure West US 3 (Arizona)", "33.45", "-112.07"),
    "azure-gwc": ("Azure Germany West Central (Frankfurt)", "50.11", "8.68"),
}


def known_region(region_id: str) -> str:
    """Give back the id of a region that there is.

    Raises:
        Refusal: there is no such region.
    """
    if region_id not in REGIONS:
        raise Refusal(400, "region_id must be one of " + ", ".join(REGIONS))
    return region_id


@answers(
    "GET",
    "/regions",
    "getActiveRegions",
    says="Lists regions.",
    differs="All of Neon's, so that `region_id` is kept and shown; every one of them is this machine.",
    source=DOCS,
)
def regions(call: Call) -> dict[str, Any]:
    """List regions."""
    if "org_id" in call.query:
        the_organization(call.query["org_id"])
    shown = [
        {
            "region_id": region_id,
            "name": name,
            "default": region_id == views.REGION,
            "geo_lat": latitude,
            "geo_long": longitude,
        }
        for region_id, (name, latitude, longitude) in REGIONS.items()
    ]
    return {"regions": shown}
