"""The client against a real HTTP server: patience, problems, waiting."""

from __future__ import annotations

import pytest
from scripted_api import MovedClock, Script, branch, operation, project

from neondba.core.problem import (
    ArgumentProblem,
    ConflictProblem,
    CredentialsProblem,
    NotFoundProblem,
    Problem,
    RemoteProblem,
)
from neondba.core.secret import Secret
from neondba.neon.client import NeonClient
from neondba.neon.models import Project

P = "/projects/calm-sun-12345678"


@pytest.mark.parametrize("status", [423, 429, 503])
def test_a_busy_platform_is_asked_again(
    client: NeonClient, script: Script, clock: MovedClock, status: int
) -> None:
    script.answer(f"DELETE {P}", {"message": "busy"}, status)
    script.answer(f"DELETE {P}", {"message": "busy"}, status)
    script.answer(f"DELETE {P}", {"project": project()})
    client.delete_project("calm-sun-12345678")
    assert len(script.asked) == 3
    assert 0 <= clock.slept[0] <= 0.25
    assert 0 <= clock.slept[1] <= 0.5


def test_retry_after_outranks_our_own_wait(client: NeonClient, script: Script, clock: MovedClock) -> None:
    script.answer("GET /projects", {"message": "slow down"}, 429, retry_after="7")
    script.answer("GET /projects", {"message": "x"}, 503, retry_after="Sat, 21 Nov 2026 00:00:20 GMT")
    script.answer("GET /projects", {"projects": []})
    assert client.projects() == []
    assert clock.slept == [7.0, 13.0]


def test_patience_ends_with_the_reason(client: NeonClient, script: Script, clock: MovedClock) -> None:
    script.answer(f"DELETE {P}", {"message": "project already has running operations"}, 423)
    with pytest.raises(ConflictProblem) as caught:
        client.delete_project("calm-sun-12345678")
    assert caught.value.code == "neon-busy"
    assert "running operations" in caught.value.message
    assert clock.seconds <= 60


def test_a_wait_longer_than_our_patience_is_not_begun(
    client: NeonClient, script: Script, clock: MovedClock
) -> None:
    script.answer("GET /projects", {"message": "later"}, 429, retry_after="3600")
    with pytest.raises(RemoteProblem) as caught:
        client.projects()
    assert clock.slept == []
    assert caught.value.hint == "Try again in 1h."


def test_a_host_that_takes_no_connections_is_given_up_early(clock: MovedClock) -> None:
    nobody = "http://127.0.0.1:9/api/v2"
    with NeonClient(nobody, Secret("k"), clock=clock) as client, pytest.raises(RemoteProblem) as caught:
        client.projects()
    assert caught.value.code == "neon-unreachable"
    assert clock.seconds <= 10


def test_a_key_that_no_header_takes_is_refused(clock: MovedClock) -> None:
    for key in ("napi\n", "clé", "two words"):
        with pytest.raises(CredentialsProblem) as caught:
            NeonClient("http://127.0.0.1:9/api/v2", Secret(key), clock=clock)
        assert caught.value.code == "neon-key-unusable"


def test_the_word_local_is_not_masked_away(script: Script) -> None:
    script.answer("GET /projects", {"message": "no room on /state/local/branches"}, 507)
    with NeonClient(script.url, Secret("local")) as client, pytest.raises(RemoteProblem) as caught:
        client.projects()
    assert "/state/local/branches" in caught.value.message


def test_a_broken_connection_repeats_no_change(client: NeonClient, script: Script) -> None:
    script.answer(f"POST {P}/branches", {}, 0)
    with pytest.raises(RemoteProblem, match="may have been done or not") as caught:
        client.create_branch("calm-sun-12345678", "dev")
    assert caught.value.code == "neon-connection-lost"
    assert len(script.asked) == 1


def test_a_broken_connection_repeats_a_get(client: NeonClient, script: Script) -> None:
    script.answer("GET /projects", {}, 0)
    script.answer("GET /projects", {"projects": []})
    assert client.projects() == []


def test_nobody_there_is_one_sentence(clock: MovedClock) -> None:
    with (
        NeonClient("http://127.0.0.1:9/api/v2", Secret("k"), clock=clock) as client,
        pytest.raises(RemoteProblem) as caught,
    ):
        client.projects()
    assert caught.value.code == "neon-unreachable"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, CredentialsProblem, "neon-key-refused"),
        (403, CredentialsProblem, "neon-key-refused"),
        (404, NotFoundProblem, "project-not-found"),
        (409, ConflictProblem, "neon-conflict"),
        (400, RemoteProblem, "neon-refused"),
        (500, RemoteProblem, "neon-failed"),
    ],
)
def test_a_refusal_becomes_a_problem_with_neons_words(
    client: NeonClient, script: Script, status: int, kind: type[Problem], code: str
) -> None:
    script.answer(f"GET {P}", {"message": "because so", "request_id": "r-1"}, status)
    with pytest.raises(kind) as caught:
        client.project("calm-sun-12345678")
    assert (caught.value.code, "because so" in caught.value.message) == (code, True)
    assert caught.value.facts["request_id"] == "r-1"


def test_no_problem_repeats_a_secret(client: NeonClient, script: Script) -> None:
    key, url = "napi_" + "k" * 20, "postgresql://me:" + "hunter2" + "@h/db"
    script.answer(f"GET {P}", {"message": f"bad {key} {url}", "request_id": key}, 500)
    with pytest.raises(RemoteProblem) as caught:
        client.project("calm-sun-12345678")
    said = caught.value.report().model_dump_json()
    assert key not in said
    assert "hunter2" not in said
    assert "postgresql://me:***@h/db" in said


def test_an_unencrypted_far_host_gets_no_key() -> None:
    with pytest.raises(ArgumentProblem, match="without encryption"):
        NeonClient("http://neon.example/api/v2", Secret("k"))


def test_an_answer_that_is_not_neons_is_said_so(client: NeonClient, script: Script) -> None:
    script.answer("GET /projects", b"<html>")
    with pytest.raises(RemoteProblem, match="not a JSON object"):
        client.projects()
    script.answer(f"GET {P}", {"project": {"id": 5}})
    with pytest.raises(RemoteProblem, match="no usable Project"):
        client.project("calm-sun-12345678")


def test_pages_are_read_until_an_empty_one(client: NeonClient, script: Script) -> None:
    first = {"projects": [project()], "pagination": {"cursor": "c1"}}
    script.answer("GET /projects", first)
    script.answer("GET /projects", {"projects": [project("b", "b-b-2")], "pagination": {"cursor": "c2"}})
    script.answer("GET /projects", {"projects": [], "pagination": {"cursor": "c2"}})
    assert [each.name for each in client.projects()] == ["shop", "b"]
    assert [query for _, query in script.asked] == ["limit=400", "limit=400&cursor=c1", "limit=400&cursor=c2"]


def test_a_key_of_several_organizations_sees_all_projects(client: NeonClient, script: Script) -> None:
    script.answer("GET /projects", {"message": "org_id is required, find it in settings"}, 400)
    script.answer("GET /users/me/organizations", {"organizations": [{"id": "o1", "name": "One"}]})
    script.answer("GET /projects", {"projects": [project()]})
    assert [each.name for each in client.projects()] == ["shop"]


def test_a_change_returns_when_neon_is_done(client: NeonClient, script: Script, clock: MovedClock) -> None:
    made = {"branch": branch("dev"), "operations": [operation("running")]}
    script.answer(f"POST {P}/branches", made, 201)
    script.answer(f"GET {P}/operations/op-1", {"operation": operation("running")})
    script.answer(f"GET {P}/operations/op-1", {"operation": operation("finished")})
    assert client.create_branch("calm-sun-12345678", "dev", parent_id="br-1").branch.name == "dev"
    assert script.asked[0][1] == {
        "branch": {"name": "dev", "parent_id": "br-1"},
        "endpoints": [{"type": "read_write"}],
    }
    assert len(clock.slept) == 2


def test_a_failed_operation_names_its_action(client: NeonClient, script: Script) -> None:
    bad = {"branch": branch("dev"), "operations": [operation("failed", error="disk full")]}
    script.answer(f"POST {P}/branches", bad, 201)
    with pytest.raises(RemoteProblem, match="create_branch ended as failed: disk full"):
        client.create_branch("calm-sun-12345678", "dev")


def test_an_operation_without_end_is_left(client: NeonClient, script: Script) -> None:
    script.answer(f"POST {P}/branches", {"branch": branch(), "operations": [operation("running")]}, 201)
    script.answer(f"GET {P}/operations/op-1", {"operation": operation("running")})
    with pytest.raises(RemoteProblem) as caught:
        client.create_branch("calm-sun-12345678", "dev")
    assert caught.value.code == "operation-slow"


def test_a_delete_of_what_is_gone_is_no_fault(client: NeonClient, script: Script) -> None:
    script.answer(f"DELETE {P}/branches/br-x", b"", 204)
    client.delete_branch("calm-sun-12345678", "br-x")


def test_a_name_that_two_share_must_be_an_id(client: NeonClient, script: Script) -> None:
    script.answer("GET /projects", {"projects": [project(), project(id_="other-sun-1")]})
    assert client.find_project("other-sun-1").id == "other-sun-1"
    with pytest.raises(ArgumentProblem, match="2 projects are called shop"):
        client.find_project("shop")


def test_a_missing_branch_is_named_with_its_neighbours(client: NeonClient, script: Script) -> None:
    script.answer(f"GET {P}/branches", {"branches": [branch()], "annotations": {}})
    with pytest.raises(NotFoundProblem, match="no branch dev in project shop") as caught:
        client.find_branch(Project.model_validate(project()), "dev")
    assert caught.value.hint == "There are: main."


def test_a_connection_string_arrives_as_a_secret(client: NeonClient, script: Script) -> None:
    script.answer(f"GET {P}/connection_uri", {"uri": "postgresql://a:b@h/d"})
    uri = client.connection_uri("calm-sun-12345678", "br-1", "d", "a", pooled=True)
    assert (str(uri), uri.reveal()) == ("***", "postgresql://a:b@h/d")
    assert script.asked[0][1] == "branch_id=br-1&database_name=d&role_name=a&pooled=true"
