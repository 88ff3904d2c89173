"""Requests that do not fit the published document, and features that are not there."""

from __future__ import annotations

import http.client
import json

import pytest

from neondba.local.api.routes import everything
from neondba.local.api.unavailable import FEATURES
from neondba.local.contract.checks import Invalid, answer_fault, checker


def ask(server, method, path, *, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)
    try:
        given = {
            "Authorization": "Bearer any",
            **{key.replace("_", "-"): text for key, text in headers.items()},
        }
        connection.request(method, f"/api/v2{path}", body=body, headers=given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


@pytest.fixture(scope="module")
def project(server):
    status, made = ask(server, "POST", "/projects", body=json.dumps({"project": {"name": "shop"}}))
    assert status == 201
    return f"/projects/{made['project']['id']}", f"/branches/{made['branch']['id']}"


BODIES = [
    ("createProject", {}, "project is required"),
    ("createProject", {"project": 1}, "project must be an object"),
    ("createProject", {"project": {"name": 5}}, "project.name must be a string"),
    ("createProject", {"project": {"pg_version": 18.0}}, "project.pg_version must be a whole number"),
    (
        "createProject",
        {"project": {"history_retention_seconds": 2_592_001}},
        "project.history_retention_seconds must be between 0 and 2592000",
    ),
    ("createProjectBranch", {"endpoints": [{}]}, "endpoints.0.type is required"),
    (
        "createProjectBranch",
        {"endpoints": [{"type": "both"}]},
        "endpoints.0.type must be one of read_only, read_write",
    ),
    (
        "createProjectBranch",
        {"branch": {"expires_at": "tomorrow"}},
        "branch.expires_at must be an RFC 3339 time such as 2026-01-31T12:00:00Z",
    ),
    (
        "createProjectBranch",
        {"branch": {"parent_id": "no such name"}},
        "branch.parent_id must match ^[a-z0-9-]{1,60}$",
    ),
    ("createProjectBranch", {"annotation_value": {"note": 1}}, "annotation_value.note must be a string"),
    ("createApiKey", {"key_name": 1}, "key_name must be a string"),
    ("createApiKey", None, "key_name is required"),
]


@pytest.mark.parametrize(("operation", "body", "said"), BODIES)
@pytest.mark.shows("api.checked")
def test_a_wrong_field_is_named_with_what_it_may_be(operation, body, said):
    with pytest.raises(Invalid) as raised:
        checker(operation).body(body)
    assert str(raised.value) == said


QUERIES = [
    ("listProjects", [("limit", "0")], "parameter limit must be between 1 and 400"),
    ("listProjects", [("limit", "many")], "parameter limit must be a whole number"),
    ("listProjects", [("recoverable", "perhaps")], "parameter recoverable must be true or false"),
    ("getConnectionURI", [("role_name", "r")], "parameter database_name is required"),
    (
        "listProjectBranches",
        [("sort_order", "up")],
        "parameter sort_order must be one of asc, desc",
    ),
]


@pytest.mark.parametrize(("operation", "query", "said"), QUERIES)
def test_a_wrong_parameter_is_named_with_what_it_may_be(operation, query, said):
    with pytest.raises(Invalid) as raised:
        checker(operation).query(query)
    assert str(raised.value) == said


def test_unknown_fields_and_parameters_are_accepted():
    checker("createProject").body({"project": {"name": "shop", "colour": "red"}})
    assert checker("listProjects").query([("colour", "red")]) == {"colour": "red"}


def test_lists_and_truth_values_reach_the_handler_in_one_spelling():
    listed = checker("getConsumptionHistoryPerBranchV2").query(
        [
            ("project_ids", "a"),
            ("project_ids", "b,c"),
            ("from", "2026-01-01T00:00:00Z"),
            ("to", "2026-01-02T00:00:00Z"),
            ("granularity", "daily"),
            ("org_id", "org-x"),
            ("metrics", "m"),
        ]
    )
    assert listed["project_ids"] == "a,b,c"
    assert checker("listProjects").query([("recoverable", "True")])["recoverable"] == "true"


def test_a_path_that_no_id_has_is_refused_with_the_pattern():
    with pytest.raises(Invalid, match="parameter project_id must match"):
        checker("getProject").path({"project_id": "Robert'); drop table project;--"})


def test_an_answer_is_compared_with_the_document():
    assert answer_fault("listApiKeys", 200, []) is None
    assert answer_fault("listApiKeys", 200, {}) is not None
    assert answer_fault("listApiKeys", 201, []) == "status 201 is not foreseen"
    assert answer_fault("listApiKeys", 404, {"code": "", "message": "", "request_id": ""}) is None


@pytest.mark.shows("api.checked", "api.error-shape")
def test_a_wrong_body_is_refused_over_http_in_neons_shape(server):
    status, answer = ask(server, "POST", "/projects", body='{"project": {"name": []}}')
    assert status == 400
    assert (answer["code"], answer["message"]) == ("", "project.name must be a string")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"project": NaN}', '{"a": "\\ud800"}', b"\xff", "null"])
def test_a_body_that_is_no_json_object_is_refused(server, body):
    assert ask(server, "POST", "/projects", body=body)[0] == 400


def test_a_body_of_another_kind_is_refused(server):
    status, answer = ask(server, "POST", "/projects", body="a=1", Content_Type="text/xml")
    assert (status, answer["message"]) == (415, "the content type must be application/json, not text/xml")


def test_a_body_of_ten_megabytes_is_refused_and_the_server_lives(server):
    assert ask(server, "POST", "/projects", body=b" " * (10 << 20))[0] == 413
    chunks = (b" " * 65536 for _ in range(160))
    assert ask(server, "POST", "/projects", body=chunks)[0] == 413
    assert ask(server, "GET", "/projects")[0] == 200


MISSING = [each for each in everything() if not each.checked]


@pytest.mark.shows("api.not-available")
def test_what_is_not_available_says_so_for_every_such_operation(server, project):
    assert MISSING
    where = {"project_id": project[0][10:], "branch_id": project[1][10:]}
    for route in MISSING:
        path = route.path
        for part in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            path = path.replace(f"{{{part}}}", where.get(part, "neondb"))
        status, answer = ask(server, route.method, path, body="{}")
        if status == 200:
            assert all(value == [] for value in answer.values()), route.operation_id
        else:
            assert status == 404, route.operation_id
            assert "not available" in answer["message"], route.operation_id
        assert answer_fault(route.operation_id, status, answer) is None, route.operation_id


def test_a_feature_of_a_missing_project_or_branch_is_not_found(server, project):
    assert ask(server, "GET", f"/projects/none{project[1]}/buckets")[1]["message"] == "project not found"
    assert ask(server, "GET", f"{project[0]}/branches/br-none/auth")[1]["message"] == "branch not found"


@pytest.mark.shows("api.not-available")
def test_status_questions_of_official_programs_go_on_without_the_feature(server, project):
    at = "".join(project)
    assert ask(server, "GET", f"{at}/functions") == (200, {"functions": []})
    assert ask(server, "GET", f"{at}/buckets") == (200, {"buckets": []})
    for part in ("auth", "data-api/neondb"):
        status, answer = ask(server, "GET", f"{at}/{part}")
        assert status == 404
        assert "not enabled" in answer["message"]


def test_every_missing_operation_belongs_to_a_feature_with_a_name():
    named = {route.operation_id for route in MISSING if set(route.path.split("/")) & set(FEATURES)}
    assert {route.operation_id for route in MISSING} == named


@pytest.mark.parametrize(
    "branch",
    [
        {"parent_timestamp": "2026-01-31T12:00:00Z"},
        {"parent_lsn": "0/1500000"},
        {"init_source": "schema-only"},
        {"init_source": "schema-only", "parent_timestamp": "2026-01-31T12:00:00Z"},
    ],
)
def test_a_branch_of_a_missing_project_at_any_point_is_not_found(server, branch):
    body = json.dumps({"branch": branch, "endpoints": [{"type": "read_write"}]})
    status, said = ask(server, "POST", "/projects/no-such-project/branches", body=body)
    assert (status, said["message"]) == (404, "project not found")
