"""VPC endpoints: kept and shown. There is no private network here that they could open."""

from __future__ import annotations

from typing import Any, Final

from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.people import the_organization
from neondba.local.api.regions import known_region
from neondba.local.state.account import VpcEndpointRow
from neondba.local.state.store import Rows

PROJECTS: Final = "/projects/{project_id}/vpc_endpoints"
ALL: Final = "/organizations/{org_id}/vpc/vpc_endpoints"
REGIONS: Final = "/organizations/{org_id}/vpc/region/{region_id}/vpc_endpoints"
ONE: Final = "/{vpc_endpoint_id}"
KEPT: Final = "Kept and shown; every connection comes from this machine."
EXAMPLES: Final = 3


@answers("GET", PROJECTS, "listProjectVPCEndpoints", says="Lists a project's VPC endpoints.")
def of_project(call: Call) -> dict[str, Any]:
    """List the VPC endpoints that a project is restricted to."""
    with call.plane.state.read() as rows:
        found = rows.all(VpcEndpointRow, project_id=call.project(rows).id)
    return {"endpoints": [_shown(row) for row in found]}


@answers(
    "POST",
    PROJECTS + ONE,
    "assignProjectVPCEndpoint",
    says="Restricts a project to a VPC endpoint.",
    differs=KEPT,
)
def assign_to_project(call: Call) -> dict[str, Any]:
    """Restrict a project to a VPC endpoint, or change the label."""
    with call.plane.state.change() as rows:
        _assign(rows, call, project_id=call.project(rows).id, region=None)
    return {}


@answers("DELETE", PROJECTS + ONE, "deleteProjectVPCEndpoint", says="Lifts the restriction.")
def delete_of_project(call: Call) -> dict[str, Any]:
    """Lift a project's restriction to a VPC endpoint."""
    with call.plane.state.change() as rows:
        rows.delete(_found(rows, call, project_id=call.project(rows).id))
    return {}


@answers("GET", ALL, "listOrganizationVPCEndpointsAllRegions", says="Lists VPC endpoints with their regions.")
def of_organization(call: Call) -> dict[str, Any]:
    """List the organization's VPC endpoints."""
    the_organization(call.path["org_id"])
    with call.plane.state.read() as rows:
        found = rows.all(VpcEndpointRow, project_id=None)
    return {"endpoints": [{**_shown(row), "region_id": row.region} for row in found]}


@answers("GET", REGIONS, "listOrganizationVPCEndpoints", says="Lists a region's VPC endpoints.")
def of_region(call: Call) -> dict[str, Any]:
    """List the organization's VPC endpoints of a region."""
    region = _region(call)
    with call.plane.state.read() as rows:
        found = rows.all(VpcEndpointRow, project_id=None, region=region)
    return {"endpoints": [_shown(row) for row in found]}


@answers("GET", REGIONS + ONE, "getOrganizationVPCEndpointDetails", says="Shows a VPC endpoint.")
def show(call: Call) -> dict[str, Any]:
    """Show a VPC endpoint and the projects that are restricted to it."""
    region = _region(call)
    with call.plane.state.read() as rows:
        found = _found(rows, call, project_id=None, region=region)
        same = rows.all(VpcEndpointRow, vpc_endpoint=found.vpc_endpoint)
    projects = [row.project_id for row in same if row.project_id]
    return {
        **_shown(found),
        "state": "accepted",
        "num_restricted_projects": len(projects),
        "example_restricted_projects": projects[:EXAMPLES],
    }


@answers(
    "POST",
    REGIONS + ONE,
    "assignOrganizationVPCEndpoint",
    says="Assigns a VPC endpoint, or changes its label.",
    differs=KEPT,
)
def assign(call: Call) -> dict[str, Any]:
    """Assign a VPC endpoint to the organization, or change its label."""
    region = _region(call)
    with call.plane.state.change() as rows:
        _assign(rows, call, project_id=None, region=region)
    return {}


@answers("DELETE", REGIONS + ONE, "deleteOrganizationVPCEndpoint", says="Removes a VPC endpoint.")
def delete(call: Call) -> dict[str, Any]:
    """Remove a VPC endpoint from the organization."""
    region = _region(call)
    with call.plane.state.change() as rows:
        rows.delete(_found(rows, call, project_id=None, region=region))
    return {}


def _region(call: Call) -> str:
    the_organization(call.path["org_id"])
    return known_region(call.path["region_id"])


def _assign(rows: Rows, call: Call, *, project_id: str | None, region: str | None) -> None:
    name, label = call.path["vpc_endpoint_id"], call.body["label"]
    if found := rows.first(VpcEndpointRow, vpc_endpoint=name, project_id=project_id, region=region):
        found.label = label
    else:
        rows.add(VpcEndpointRow(vpc_endpoint=name, label=label, project_id=project_id, region=region))


def _found(rows: Rows, call: Call, **where: str | None) -> VpcEndpointRow:
    found = rows.first(VpcEndpointRow, vpc_endpoint=call.path["vpc_endpoint_id"], **where)
    if found is None:
        raise Refusal(404, "VPC endpoint not found")
    return found


def _shown(row: VpcEndpointRow) -> dict[str, Any]:
    return {"vpc_endpoint_id": row.vpc_endpoint, "label": row.label}
