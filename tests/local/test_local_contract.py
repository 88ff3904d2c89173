"""The API's shapes and refusals."""

from __future__ import annotations

import http.client
import json

import pytest

from neondba.local.api.call import Refusal


def ask(server, method, path, *, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=30)
    try:
        connection.request(method, path, body=body, headers={"Authorization": "Bearer any", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


@pytest.mark.shows("api.unknown-route")
def test_an_unknown_route_is_refused_in_neons_words(server):
    status, answer = ask(server, "GET", "/api/v2/projects/x/auth/keys")
    assert (status, answer["message"], answer["code"]) == (404, "this route does not exist", "")
    assert set(answer) == {"request_id", "code", "message"}


@pytest.mark.shows("api.error-shape")
def test_an_unknown_project_is_refused_in_neons_shape(server):
    status, answer = ask(server, "GET", "/api/v2/projects/none", **{"X-Request-ID": "mine"})
    assert (status, answer) == (404, {"request_id": "mine", "code": "", "message": "project not found"})


@pytest.mark.shows("api.bearer-token")
def test_a_call_without_a_token_is_refused(server):
    assert ask(server, "GET", "/api/v2/projects", Authorization="")[0] == 401


@pytest.mark.shows("api.bearer-token")
def test_a_call_under_a_foreign_host_name_is_refused(server):
    for path in ("/api/v2/projects", "/api/v2/nothing", "/local/status"):
        status, answer = ask(server, "GET", path, Host="evil.example:80")
        assert status == 403, path
        assert "evil.example" in answer["message"]


WRONG = (
    "{",
    "[]",
    '{"project": 1}',
    '{"project": {"branch": "main"}}',
    '{"project": {"name": 5}}',
    '{"project": {"default_endpoint_settings": {"suspend_timeout_seconds": 5}}}',
    '{"project": {"history_retention_seconds": "long"}}',
)


@pytest.mark.parametrize("body", WRONG)
def test_a_body_of_the_wrong_shape_is_refused(server, body):
    assert ask(server, "POST", "/api/v2/projects", body=body)[0] == 400


def test_another_postgres_version_is_refused(server):
    body = json.dumps({"project": {"pg_version": 16}})
    status, answer = ask(server, "POST", "/api/v2/projects", body=body)
    assert status == 400
    assert "16" in answer["message"]


@pytest.mark.shows("api.locked")
def test_a_project_with_an_operation_in_flight_answers_423(inside):
    made = inside.project()
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    inside.plane.lock_wait = 0
    with inside.plane.computes.held(branch_id):
        endpoint_id = made["endpoints"][0]["id"]
        inside.call("suspendProjectEndpoint", project_id=project_id, endpoint_id=endpoint_id)
        with pytest.raises(Refusal) as refused:
            inside.call("createProjectBranch", {"branch": {"name": "dev"}}, project_id=project_id)
    assert refused.value.status == 423
    assert "running conflicting operations" in refused.value.message
    inside.settled(project_id)


@pytest.mark.shows("branch.kept")
def test_what_must_stay_is_not_deleted(inside):
    made = inside.project()
    project_id, root = made["project"]["id"], made["branch"]["id"]
    child = inside.branch(project_id, "child", compute=False)["branch"]["id"]
    inside.branch(project_id, "grandchild", compute=False, parent_id=child)
    for branch_id, reason in [(root, "default"), (child, "children")]:
        with pytest.raises(Refusal, match=reason) as refused:
            inside.call("deleteProjectBranch", project_id=project_id, branch_id=branch_id)
        assert refused.value.status == 422
    assert inside.call("deleteProjectBranch", project_id=project_id, branch_id="br-none") is None


@pytest.mark.parametrize("name", ["setDefaultProjectBranch", "setPrimaryProjectBranch"])
@pytest.mark.shows("setDefaultProjectBranch", "setPrimaryProjectBranch")
def test_another_branch_becomes_the_default_by_both_names(inside, name):
    project_id = inside.project()["project"]["id"]
    made = inside.branch(project_id, "next", compute=False)["branch"]["id"]
    assert inside.call(name, project_id=project_id, branch_id=made)["branch"]["default"] is True
    listed = inside.call("listProjectBranches", project_id=project_id)["branches"]
    assert [each["name"] for each in listed if each["default"]] == ["next"]


@pytest.mark.parametrize("when", ["yesterday", "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2030-01-01"])
def test_an_unusable_expiry_is_refused(inside, when):
    project_id = inside.project()["project"]["id"]
    with pytest.raises(Refusal) as refused:
        inside.call("createProjectBranch", {"branch": {"expires_at": when}}, project_id=project_id)
    assert refused.value.status == 400
