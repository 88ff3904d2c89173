"""The account: keys, the organization, sharing, VPC endpoints, key sets, regions."""

from __future__ import annotations

import http.client
import json
from datetime import timedelta

import pytest

from neondba.local.api.call import Refusal
from neondba.local.api.people import MEMBER
from neondba.local.api.regions import REGIONS
from neondba.local.api.views import ORGANIZATION
from neondba.local.contract.checks import answer_fault, checker
from neondba.local.contract.table import operations

ORG = {"org_id": ORGANIZATION}


@pytest.fixture
def ask(inside):
    """Ask as over HTTP: the request is checked before, the answer after."""

    def asked(operation, body=None, query=None, **path):
        check = checker(operation)
        check.path(path)
        check.body(body)
        answer = inside.call(operation, body, check.query((query or {}).items()), **path)
        found = operations()[operation].responses
        status = next((int(status) for status in found if status.startswith("2")), 200)
        assert answer_fault(operation, status, answer) is None
        return answer

    return asked


@pytest.fixture(scope="module")
def project(inside):
    made = inside.project()
    return {"project_id": made["project"]["id"]}, made["branch"]["id"]


def refused(status, said, ask, *given, **path):
    with pytest.raises(Refusal, match=said) as raised:
        ask(*given, **path)
    assert raised.value.status == status


def over_http(server, method, path, token, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)
    try:
        given = {"Authorization": f"Bearer {token}"}
        connection.request(method, f"/api/v2{path}", json.dumps(body) if body else None, given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


@pytest.mark.shows("revokeApiKey")
def test_a_key_is_shown_once_noted_when_used_and_refused_after_it_was_revoked(server):
    status, made = over_http(server, "POST", "/api_keys", "any", {"key_name": "ci"})
    assert (status, made["name"]) == (200, "ci")
    key = made["key"]
    assert over_http(server, "GET", "/users/me", key)[0] == 200
    listed = [each for each in over_http(server, "GET", "/api_keys", "any")[1] if each["id"] == made["id"]]
    assert key not in json.dumps(listed)
    assert (listed[0]["last_used_from_addr"], listed[0]["last_used_at"] is None) == ("127.0.0.1", False)
    assert over_http(server, "DELETE", f"/api_keys/{made['id']}", "any")[1]["revoked"] is True
    assert over_http(server, "GET", "/users/me", key)[0] == 401
    assert over_http(server, "GET", "/users/me", "any")[0] == 200
    assert over_http(server, "DELETE", f"/api_keys/{made['id']}", "any")[0] == 404


@pytest.mark.shows("listOrgApiKeys", "revokeOrgApiKey")
def test_a_key_of_the_organization_says_so_and_one_of_a_project_stays_in_it(server):
    keys = f"/organizations/{ORGANIZATION}/api_keys"
    status, whole = over_http(server, "POST", keys, "any", {"key_name": "all"})
    assert status == 200
    assert over_http(server, "GET", "/auth", whole["key"])[1]["auth_method"] == "api_key_org"
    first, second = (
        over_http(server, "POST", "/projects", "any", {"project": {"name": name}})[1]["project"]["id"]
        for name in ("first", "second")
    )
    scoped = over_http(server, "POST", keys, "any", {"key_name": "one", "project_id": first})[1]
    assert scoped["project_id"] == first
    assert over_http(server, "GET", f"/projects/{first}", scoped["key"])[0] == 200
    assert over_http(server, "GET", f"/projects/{second}", scoped["key"])[0] == 404
    assert over_http(server, "DELETE", f"/projects/{first}", scoped["key"])[0] == 403
    assert over_http(server, "GET", keys, scoped["key"])[0] == 403
    assert {each["name"] for each in over_http(server, "GET", keys, "any")[1]} == {"all", "one"}
    assert over_http(server, "DELETE", f"{keys}/{scoped['id']}", "any")[0] == 200


def test_only_the_hash_of_a_key_is_kept(ask, inside):
    key = ask("createApiKey", {"key_name": "secret"})["key"]
    assert key.startswith("napi_")
    files = [path.read_bytes() for path in inside.folder.glob("state.sqlite*")]
    assert files
    assert not [each for each in files if key.encode() in each]


def test_a_key_for_a_missing_project_is_refused(ask):
    refused(404, "project not found", ask, "createOrgApiKey", {"key_name": "k", "project_id": "none"}, **ORG)


def test_the_last_admin_stays(ask):
    assert ask("getOrganizationMembers", **ORG)["members"][0]["member"]["id"] == MEMBER
    one = {**ORG, "member_id": MEMBER}
    assert ask("updateOrganizationMember", {"role": "admin"}, **one)["role"] == "admin"
    refused(422, "last admin", ask, "updateOrganizationMember", {"role": "viewer"}, **one)
    refused(422, "last admin", ask, "removeOrganizationMember", **one)
    other = {**ORG, "member_id": "00000000-0000-4000-8000-00000000000f"}
    refused(404, "member not found", ask, "getOrganizationMember", **other)


def test_a_foreign_organization_is_not_found(ask):
    for operation in ("getOrganization", "getOrganizationMembers", "listOrgApiKeys"):
        refused(404, "organization not found", ask, operation, org_id="org-foreign")


def test_an_invitation_is_kept_and_a_member_needs_none(ask):
    wanted = {"invitations": [{"email": "ann@example.org", "role": "member"}]}
    first = ask("createOrganizationInvitations", wanted, **ORG)["invitations"][0]
    wanted["invitations"][0]["role"] = "admin"
    again = ask("createOrganizationInvitations", wanted, **ORG)["invitations"][0]
    assert (again["id"], again["role"]) == (first["id"], "admin")
    assert again in ask("getOrganizationInvitations", **ORG)["invitations"]
    wanted = {"invitations": [{"email": "local@localhost.localdomain", "role": "member"}]}
    refused(409, "member of the organization already", ask, "createOrganizationInvitations", wanted, **ORG)


def test_a_spending_limit_is_set_shown_and_removed(ask):
    none = {"spending_limit_cents": None}
    assert ask("getOrganizationSpendingLimit", **ORG) == none
    for cents in (1000, 2000):
        wanted = {"spending_limit_cents": cents}
        assert ask("setOrganizationSpendingLimit", wanted, **ORG) == wanted
    assert ask("getOrganizationSpendingLimit", **ORG) == {"spending_limit_cents": 2000}
    assert ask("deleteOrganizationSpendingLimit", **ORG) == {}
    assert ask("getOrganizationSpendingLimit", **ORG) == none


def test_a_permission_is_granted_once_and_revoked_once(ask, project):
    where = project[0]
    first = ask("grantPermissionToProject", {"email": "ann@example.org"}, **where)
    assert ask("grantPermissionToProject", {"email": "ann@example.org"}, **where) == first
    assert ask("listProjectPermissions", **where)["project_permissions"] == [first]
    one = {**where, "permission_id": first["id"]}
    assert ask("revokePermissionFromProject", **one)["revoked_at"]
    assert ask("listProjectPermissions", **where)["project_permissions"] == []
    refused(404, "permission not found", ask, "revokePermissionFromProject", **one)


def test_an_offered_project_is_accepted_once_and_in_time(ask, inside, project):
    where = project[0]
    request = ask("createProjectTransferRequest", {"ttl_seconds": 60}, **where)["id"]
    one = {**where, "request_id": request}
    refused(404, "organization", ask, "acceptProjectTransferRequest", {"org_id": "org-none"}, **one)
    assert ask("acceptProjectTransferRequest", ORG, **one) is None
    refused(404, "transfer request not found", ask, "acceptProjectTransferRequest", **one)
    late = {**where, "request_id": ask("createProjectTransferRequest", {"ttl_seconds": 60}, **where)["id"]}
    inside.clock.ahead += timedelta(minutes=2)
    refused(404, "transfer request not found", ask, "acceptProjectTransferRequest", **late)
    refused(400, "ttl_seconds", ask, "createProjectTransferRequest", {"ttl_seconds": 0}, **where)


def test_projects_are_only_handed_to_the_organization_that_is_there(ask, project):
    wanted = {"destination_org_id": ORGANIZATION, "project_ids": [project[0]["project_id"]]}
    assert ask("transferProjectsFromUserToOrg", wanted) == {}
    refused(400, "another", ask, "transferProjectsFromOrgToOrg", wanted, source_org_id=ORGANIZATION)
    refused(404, "none", ask, "transferProjectsFromUserToOrg", {**wanted, "project_ids": ["none"]})
    wanted["destination_org_id"] = "org-other"
    refused(404, "organization", ask, "transferProjectsFromOrgToOrg", wanted, source_org_id=ORGANIZATION)


def test_vpc_endpoints_are_kept_and_shown(ask, project):
    region = {**ORG, "region_id": "aws-eu-central-1"}
    one = {"vpc_endpoint_id": "vpce-0123"}
    for label in ("old", "new"):
        ask("assignOrganizationVPCEndpoint", {"label": label}, **region, **one)
    ask("assignProjectVPCEndpoint", {"label": "mine"}, **project[0], **one)
    assert ask("listOrganizationVPCEndpoints", **region)["endpoints"] == [{**one, "label": "new"}]
    assert ask("listOrganizationVPCEndpointsAllRegions", **ORG)["endpoints"] == [
        {**one, "label": "new", "region_id": "aws-eu-central-1"}
    ]
    shown = ask("getOrganizationVPCEndpointDetails", **region, **one)
    assert shown["example_restricted_projects"] == [project[0]["project_id"]]
    assert ask("listProjectVPCEndpoints", **project[0])["endpoints"] == [{**one, "label": "mine"}]
    ask("deleteProjectVPCEndpoint", **project[0], **one)
    ask("deleteOrganizationVPCEndpoint", **region, **one)
    refused(404, "not found", ask, "getOrganizationVPCEndpointDetails", **region, **one)
    refused(400, "region_id must be one of", ask, "listOrganizationVPCEndpoints", **ORG, region_id="mars-1")


def test_key_sets_are_kept_and_shown(ask, project):
    where, branch_id = project
    wanted = {"jwks_url": "https://id.example.org/keys", "provider_name": "mine", "branch_id": branch_id}
    made = ask("addProjectJWKS", {**wanted, "role_names": ["anon"]}, **where)["jwks"]
    assert made["role_names"] == ["anon"]
    assert ask("getProjectJWKS", **where)["jwks"] == [made]
    assert ask("deleteProjectJWKS", **where, jwks_id=made["id"]) == made
    refused(404, "JWKS not found", ask, "deleteProjectJWKS", **where, jwks_id=made["id"])
    refused(400, "jwks_url", ask, "addProjectJWKS", {**wanted, "jwks_url": "file:///etc/passwd"}, **where)
    refused(404, "branch", ask, "addProjectJWKS", {**wanted, "branch_id": "br-none"}, **where)


def test_a_project_keeps_its_region_and_an_unknown_one_is_refused(server):
    for region, status in [("aws-eu-central-1", 201), ("mars-north-1", 400)]:
        wanted = {"project": {"region_id": region}}
        found, answer = over_http(server, "POST", "/projects", "any", wanted)
        assert found == status
        if found == 201:
            assert answer["project"]["region_id"] == region
            assert answer["endpoints"][0]["region_id"] == region


def test_every_region_is_listed_and_one_is_the_default(ask):
    listed = ask("getActiveRegions")["regions"]
    assert {each["region_id"] for each in listed} == set(REGIONS)
    assert [each["region_id"] for each in listed if each["default"]] == ["aws-us-east-2"]


def test_the_libraries_listed_are_those_that_are_there(ask, inside, project):
    listed = ask("getAvailablePreloadLibraries", **project[0])["libraries"]
    assert "pg_stat_statements" in {each["library_name"] for each in listed}
    for each in listed:
        assert list(inside.plane.binaries.folder.glob(f"lib/**/{each['library_name']}.so"))


def test_the_user_and_an_adviser_answer_as_the_document_says(ask, project):
    assert ask("getCurrentUserInfo")["plan"] == "scale"
    assert ask("getCurrentUserOrganizations")["organizations"][0]["id"] == ORGANIZATION
    assert ask("getOrganization", **ORG)["id"] == ORGANIZATION
    assert ask("listSharedProjects")["projects"] == []
    assert ask("getAuthDetails")["auth_method"] == "api_key_user"
    assert ask("getProjectAdvisorSecurityIssues", query={"branch_id": project[1]}, **project[0]) == {
        "issues": []
    }


def test_the_organizations_admin_is_the_projects_admin_and_stays_so(ask, project):
    member = {**project[0], "member_id": MEMBER}
    assert ask("listProjectMembers", **project[0])["project_members"][0]["member_id"] == MEMBER
    assert ask("setProjectMemberRole", {"role": "admin"}, **member)["org_role"] == "admin"
    assert ask("removeProjectMemberRole", **member)["project_id"] == project[0]["project_id"]
    refused(422, "admin", ask, "setProjectMemberRole", {"role": "viewer"}, **member)
    refused(400, "role must be", ask, "setProjectMemberRole", {"role": "owner"}, **member)
    stranger = {**project[0], "member_id": "someone"}
    refused(404, "member not found", ask, "removeProjectMemberRole", **stranger)
