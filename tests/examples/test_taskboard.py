"""The example works and has the faults it is there for; its twin works and has none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import psycopg
import pytest
from expected_taskboard import EXPECTED, FIXED, FOLDER
from running_example import BetterAuth, Project, Service, served

APP = "taskboard_app"
MakeProject = Callable[[str], Project]


def board(service: Service, user: str) -> int:
    answer = service.ask(user, "POST", "/boards", json={"name": f"Plans of {user}"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def task(service: Service, user: str, title: str) -> int:
    given = {"board_id": board(service, user), "title": title, "cost": "10.25"}
    answer = service.ask(user, "POST", "/tasks", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture
def faulty(project: MakeProject, better_auth: BetterAuth, tmp_path: Path) -> Iterator[Service]:
    made = project("taskboard")
    made.migrate("upgrade", "head")
    with served(made, better_auth, "neondb_owner", tmp_path / "log") as service:
        yield service


@pytest.fixture
def fixed_project(project: MakeProject) -> Project:
    made = project("taskboard-fixed")
    made.migrate("upgrade", "head")
    return made


@pytest.fixture
def fixed(fixed_project: Project, better_auth: BetterAuth, tmp_path: Path) -> Iterator[Service]:
    with served(fixed_project, better_auth, APP, tmp_path / "log") as service:
        yield service


def test_every_expected_fault_stands_at_one_place() -> None:
    for fault in EXPECTED:
        assert (FOLDER / fault.path).read_text().count(fault.marker) == 1, fault
        twin = FIXED / fault.path
        assert not twin.exists() or fault.marker not in twin.read_text() or fault.twin_keeps_it, fault


def test_every_category_has_a_fault() -> None:
    assert {fault.category for fault in EXPECTED} == {
        "secret", "env", "connection", "pooling", "orm-bypass",
        "isolation", "auth", "schema", "migration", "production",
    }  # fmt: skip


def test_the_example_works_for_its_owner_and_leaks_to_others(faulty: Service) -> None:
    mine = task(faulty, "ada", "Buy a lantern")
    assert faulty.ask("ada", "PATCH", f"/tasks/{mine}", json={"status": "done"}).json()["status"] == "done"
    assert faulty.ask("ada", "GET", "/tasks/search?q=lantern").json()[0]["id"] == mine
    assert faulty.ask("ada", "POST", f"/tasks/{mine}/comments", json={"body": "Brass"}).status_code == 201

    assert faulty.ask("ben", "GET", f"/tasks/{mine}").json()["title"] == "Buy a lantern"
    assert len(faulty.ask("ben", "GET", "/tasks?user_id=ada").json()) == 1
    assert len(faulty.ask("ben", "GET", "/tasks/search", params={"q": "%' OR '%'='"}).json()) == 1
    assert faulty.ask(None, "GET", f"/tasks/{mine}/comments").json()[0]["body"] == "Brass"
    foreign = faulty.auth.token("ada", aud="https://another.example")
    assert faulty.bearing(foreign, "GET", f"/tasks/{mine}").status_code == 200
    assert faulty.bearing(self_signed("ada"), "GET", f"/tasks/{mine}").status_code == 200
    assert faulty.bearing(faulty.auth.forged("ada"), "GET", f"/tasks/{mine}").status_code == 401


def test_the_example_cannot_be_migrated_again_after_a_downgrade(project: MakeProject) -> None:
    made = project("taskboard")
    made.migrate("upgrade", "head")
    made.migrate("downgrade", "base")
    again = made.alembic("upgrade", "head")
    assert again.returncode != 0
    assert 'type "task_priority" already exists' in again.stderr


def test_the_example_forgets_done_tasks_and_refuses_boards_with_rows(project: MakeProject) -> None:
    made = project("taskboard")
    made.migrate("upgrade", "0003")
    seed(made)
    made.migrate("upgrade", "0004")
    assert made.run("SELECT status FROM task") == [("done",)]
    made.migrate("downgrade", "0003")
    assert made.run("SELECT done FROM task") == [(False,)]
    refused = made.alembic("upgrade", "head")
    assert 'column "color" of relation "board" contains null values' in refused.stderr


def test_the_twin_works_for_its_owner_and_tells_others_nothing(fixed: Service) -> None:
    mine = task(fixed, "ada", "Buy a lantern at 100%")
    changed = fixed.ask("ada", "PATCH", f"/tasks/{mine}", json={"status": "done"}).json()
    assert (changed["status"], changed["done"], changed["cost"]) == ("done", True, "10.25")
    assert fixed.ask("ada", "GET", "/tasks/search", params={"q": "100%"}).json()[0]["id"] == mine
    assert fixed.ask("ada", "POST", f"/tasks/{mine}/comments", json={"body": "Brass"}).status_code == 201
    assert len(fixed.ask("ada", "GET", f"/tasks/{mine}/comments").json()) == 1
    assert fixed.ask("ada", "GET", f"/boards/{changed['board_id']}/summary").json() == {"done": 1}

    for method in ("GET", "DELETE"):
        assert fixed.ask("ben", method, f"/tasks/{mine}").status_code == 404
    assert fixed.ask("ben", "PATCH", f"/tasks/{mine}", json={"title": "x"}).status_code == 404
    assert fixed.ask("ben", "GET", "/tasks?user_id=ada").json() == []
    assert fixed.ask("ben", "GET", "/tasks/search", params={"q": "%' OR '%'='"}).json() == []
    assert fixed.ask("ben", "GET", f"/tasks/{mine}/comments").json() == []
    given = {"board_id": changed["board_id"], "title": "x"}
    assert fixed.ask("ben", "POST", "/tasks", json=given).status_code == 404
    assert fixed.ask("ada", "DELETE", f"/tasks/{mine}").status_code == 204


def test_the_twin_takes_only_tokens_that_better_auth_made_for_it(fixed: Service) -> None:
    auth = fixed.auth
    for token in (
        auth.forged("ada"),
        self_signed("ada"),
        auth.token("ada", aud="https://another.example"),
        auth.token("ada", iss="https://another.example"),
        auth.token("ada", exp=1),
    ):
        assert fixed.bearing(token, "GET", "/tasks").status_code == 401
    assert fixed.ask(None, "GET", "/tasks").status_code == 401
    assert fixed.ask(None, "GET", "/readyz").status_code == 200


def test_the_twin_says_not_ready_without_saying_why(
    project: MakeProject, better_auth: BetterAuth, tmp_path: Path
) -> None:
    made = project("taskboard-fixed")
    with served(made, better_auth, "nobody_here", tmp_path / "log") as service:
        assert service.ask(None, "GET", "/livez").status_code == 200
        answer = service.ask(None, "GET", "/readyz")
    assert answer.status_code == 503
    assert "nobody_here" not in answer.text


def test_the_twin_is_protected_by_the_database_itself(fixed_project: Project) -> None:
    seed(fixed_project)
    with psycopg.connect(fixed_project.dsn(APP)) as connection:
        for user, seen in (("ada", 1), ("ben", 0), ("", 0)):
            connection.execute("SELECT set_config('app.user_id', %s, true)", [user])
            for table in ("board", "task", "comment"):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (seen,)
        connection.execute("SELECT set_config('app.user_id', 'ben', true)")
        assert connection.execute("DELETE FROM task").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("INSERT INTO board (user_id, name, created_at) VALUES ('ada', 'x', now())")


def test_the_twins_migrations_go_up_down_and_up_and_keep_the_rows(project: MakeProject) -> None:
    made = project("taskboard-fixed")
    made.migrate("upgrade", "0003")
    seed(made)
    made.run(
        "INSERT INTO task (board_id, user_id, title, done, cost, created_at) "
        "SELECT board_id, user_id, title, done, cost, created_at FROM task, generate_series(1, 2100)"
    )
    made.migrate("upgrade", "head")
    made.migrate("check")
    assert made.run("SELECT status, done, count(*) FROM task GROUP BY 1, 2") == [("done", True, 2101)]
    made.run("UPDATE task SET status = 'doing', done = false WHERE id % 2 = 0")
    made.migrate("downgrade", "0004")
    made.migrate("upgrade", "0005")
    assert made.run("SELECT status, done, count(*) FROM task GROUP BY 1, 2 ORDER BY 1") == [
        ("doing", False, 1050),
        ("done", True, 1051),
    ]
    made.migrate("downgrade", "0003")
    assert made.run("SELECT done, count(*) FROM task GROUP BY 1 ORDER BY 1") == [(False, 1050), (True, 1051)]
    made.migrate("downgrade", "base")
    assert made.run("SELECT typname FROM pg_type WHERE typname = 'task_priority'") == []
    made.migrate("upgrade", "head")


def self_signed(user: str) -> str:
    """Sign a token with the key that everyone can read in the example's settings."""
    settings = (FOLDER / "app/settings.py").read_text()
    key = settings.partition("better_auth_secret: str = ")[2].split('"')[1]
    return jwt.encode({"sub": user}, key, algorithm="HS256", headers={"kid": "k1"})


def seed(project: Project) -> None:
    """Give ada a board with a task that is done and has a comment."""
    project.run("INSERT INTO board (user_id, name, created_at) VALUES ('ada', 'Plans', now())")
    project.run(
        "INSERT INTO task (board_id, user_id, title, done, cost, created_at) "
        "SELECT id, user_id, 'Buy a lantern', true, 10.25, now() FROM board"
    )
    project.run(
        "INSERT INTO comment (task_id, user_id, body, created_at) "
        "SELECT id, user_id, 'Brass', now() FROM task"
    )
