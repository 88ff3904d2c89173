"""An application is walked as two users: what crosses is found, and nothing else is said to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from walked_diary import EXPECTED, written
from walked_notes import NOTES

from neondba.access.application import refuse_people
from neondba.access.application_results import ApplicationProof, RouteProof, Verdict
from neondba.access.operations import isolation_prove
from neondba.access.operations_application import isolation_walk
from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.core.settings import Settings
from neondba.local import launch, platform

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def neon(prepared: Callable[[], Path]) -> Iterator[Context]:
    state = prepared()
    yield Context(settings=Settings(state_dir=state, step_limit=60))
    launch.stop(state)
    shutil.rmtree(state)


@pytest.fixture(scope="module")
def taskboard(neon: Context) -> ApplicationProof:
    shown = isolation_prove(neon, EXAMPLES / "taskboard", application=True)
    assert isinstance(shown, ApplicationProof)
    return shown


@pytest.fixture(scope="module")
def diary(neon: Context, tmp_path_factory: pytest.TempPathFactory) -> ApplicationProof:
    return isolation_walk(neon, written(tmp_path_factory.mktemp("diary")))


def route(proof: ApplicationProof, name: str) -> RouteProof:
    return next(each for each in proof.routes if each.name == name)


def test_the_examples_crossings_are_found_and_no_others(taskboard: ApplicationProof) -> None:
    assert {each.name: each.place for each in taskboard.crossed} == {
        "GET /tasks": "app/routers/tasks.py:14",
        "GET /tasks/search": "app/routers/tasks.py:19",
        "GET /tasks/{task_id}": "app/routers/tasks.py:38",
        "GET /tasks/{task_id}/comments": "app/routers/comments.py:18",
    }
    assert taskboard.found == 4
    assert taskboard.counts == {Verdict.CROSSED: 4, Verdict.BOUND: 9, Verdict.NOTHING_OWNED: 1}


def test_a_crossing_carries_its_request_and_its_statement(taskboard: ApplicationProof) -> None:
    (seen,) = route(taskboard, "GET /tasks/{task_id}").evidence
    assert seen.request.startswith("GET /tasks/")
    assert seen.status == 200
    assert "task.title" in seen.saw
    assert any(text.startswith("SELECT task.id") for text in seen.statements)


def test_what_strangers_reach_is_said_of_everyone(taskboard: ApplicationProof) -> None:
    assert route(taskboard, "GET /tasks/{task_id}/comments").why.startswith("Anyone, signed in or not")


def test_users_are_known_by_tokens_of_a_test_provider(taskboard: ApplicationProof) -> None:
    assert taskboard.signed_in == "tokens (EdDSA) of a test identity provider"


def test_the_twin_is_bound_by_policy_everywhere(neon: Context) -> None:
    shown = isolation_walk(neon, EXAMPLES / "taskboard-fixed")
    assert shown.counts == {Verdict.BY_POLICY: 13, Verdict.NOTHING_OWNED: 2}
    assert shown.role == "taskboard_app"
    assert (shown.holds, shown.found) == (True, 0)


@pytest.mark.parametrize(("name", "verdict"), EXPECTED.items(), ids=EXPECTED)
def test_each_route_of_the_diary_gets_its_verdict(diary: ApplicationProof, name: str, verdict: str) -> None:
    seen = route(diary, name)
    assert seen.verdict == verdict, seen.why


def test_users_register_and_log_in_through_the_applications_own_routes(diary: ApplicationProof) -> None:
    assert diary.signed_in == "registered and logged in through POST /login"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("POST /entries", "undeclared fields (user_id"),
        ("PUT /entries/{entry_id}", "B's row of entry was changed (text)"),
        ("DELETE /entries/{entry_id}", "B's row of entry was deleted"),
        ("POST /entries/{entry_id}/pictures", "a row of picture was added in B's name"),
        ("GET /entries/{entry_id}/count", "the very answer that B is given"),
        ("GET /admin/users", "For administrators"),
        ("GET /broken", "RuntimeError: out of order"),
    ],
)
def test_the_reason_is_named(diary: ApplicationProof, name: str, said: str) -> None:
    assert said in route(diary, name).why


def test_nothing_of_the_proof_stays(
    neon: Context, diary: ApplicationProof, taskboard: ApplicationProof
) -> None:
    with platform.client(neon) as client:
        assert client.projects() == []
    places = []
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        # Another process may end meanwhile.
        with suppress(OSError):
            places.append(cwd.readlink())
    assert not [
        place for place in places if place.name.startswith("diary0") and "neondba-application" in str(place)
    ]


def test_what_is_shown_holds_no_secret(diary: ApplicationProof, taskboard: ApplicationProof) -> None:
    for proof in (diary, taskboard):
        for text in (proof.as_text(100), proof.model_dump_json()):
            assert "Bearer" not in text
            assert "postgresql://" not in text
            assert "Aa1!" not in text


def test_a_copy_of_protected_or_production_rows_is_refused_by_name(neon: Context) -> None:
    with platform.client(neon) as client:
        made = client.create_project("shop", branch="production").project
        try:
            client.create_branch(made.id, "dev")
            with pytest.raises(Problem, match="Branch production of project shop") as refused:
                refuse_people(client, "shop", None)
            assert "--branch dev" in (refused.value.hint or "")
            refuse_people(client, "shop", "dev")
        finally:
            client.delete_project(made.id, hard=True)


def test_sessions_in_the_applications_own_table_are_opened(neon: Context, tmp_path: Path) -> None:
    (tmp_path / "notes.py").write_text(NOTES)
    shown = isolation_walk(neon, tmp_path)
    assert shown.signed_in == "session tokens and signed cookies of Better Auth"
    assert {each.name: str(each.verdict) for each in shown.routes} == {
        "GET /notes": "bound",
        "GET /notes/{note_id}": "crossed",
    }


def test_an_application_whose_database_is_elsewhere_is_told(neon: Context, tmp_path: Path) -> None:
    (tmp_path / "notes.py").write_text(NOTES.replace('os.environ["DATABASE_URL"]', '"sqlite:///notes.db"'))
    with pytest.raises(Problem, match="sent nothing to the branch") as refused:
        isolation_walk(neon, tmp_path)
    assert refused.value.code == "application-elsewhere"
    assert "DATABASE_URL" in (refused.value.hint or "")
