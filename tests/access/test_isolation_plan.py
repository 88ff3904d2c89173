"""Row-level security for the example: written, applied by its own tool, and held without any filter."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from planned_app import Service, serving, without_filters

from neondba.access.isolation import Request, prove_at
from neondba.access.plan import Asked, planned_at
from neondba.access.plan_results import IsolationPlanned
from neondba.access.results import Protection
from neondba.core.context import Context
from neondba.core.plan import PlannedOnly
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.postgres.connect import connect, trusted
from neondba.postgres.scratch import neon_like_database
from neondba.project.migrated import apply_migrations

EXAMPLE = Path(__file__).parents[2] / "examples" / "taskboard"
ROLE = "taskboard_app"
_numbers = count()


@pytest.fixture(scope="module")
def database(server: Secret) -> Callable[[], Secret]:
    """Make databases of one owner: the application's role belongs to all of them."""
    first = neon_like_database(server, "planned")

    def make() -> Secret:
        name = f"planned{next(_numbers)}"
        with connect(first) as session:
            session.execute(trusted(f"create database {name}"))
        return Secret(first.reveal().replace("/planned?", f"/{name}?"))

    return make


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("example") / "taskboard"
    shutil.copytree(EXAMPLE, made, ignore=shutil.ignore_patterns("fixed", "__pycache__", ".env*"))
    return made


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context(settings=Settings(state_dir=tmp_path_factory.mktemp("state"), step_limit=30))


@pytest.fixture(scope="module")
def planned(database: Callable[[], Secret], folder: Path, context: Context) -> IsolationPlanned:
    return plan(database(), folder, context)


def plan(url: Secret, folder: Path, context: Context) -> IsolationPlanned:
    return planned_at(context, Asked(folder, role=ROLE), url)


@pytest.fixture(scope="module")
def applied(
    database: Callable[[], Secret], folder: Path, context: Context, planned: IsolationPlanned
) -> Secret:
    """A database with the project's own migrations, the written ones among them."""
    assert planned.files
    url = database()
    with connect(url) as session:
        apply_migrations(context, folder, url, session, None, None)
    return url


def test_a_dry_run_shows_everything_and_writes_nothing(
    database: Callable[[], Secret], folder: Path, context: Context
) -> None:
    before = sorted(folder.rglob("*"))
    dry = Context(settings=context.settings, dry_run=True)
    with pytest.raises(PlannedOnly) as stopped:
        plan(database(), folder, dry)
    said = "\n".join(stopped.value.plan.steps)
    assert "public.task: owner; user_id names the user" in said
    assert "create policy isolation_update on public.task for update" in said
    assert "def get_user_session(" in said
    assert sorted(folder.rglob("*")) == before


def test_the_migration_is_the_projects_own_and_was_taken_there_and_back(
    folder: Path, planned: IsolationPlanned
) -> None:
    paths = [each.path for each in planned.files]
    assert paths == [
        "alembic/versions/0007_index_owner_columns.py",
        "alembic/versions/0008_row_level_security.py",
        "app/user_session.py",
    ]
    assert planned.left_by_way_back == ()
    assert planned.holds is True
    text = (folder / paths[1]).read_text()
    assert "nobypassrls" in text
    assert "force row level security" in text
    assert "password" not in text
    assert "concurrently=True" in (folder / paths[0]).read_text()


def test_what_the_projects_own_tool_applied_closes_every_crossing(
    context: Context, applied: Secret, tmp_path: Path
) -> None:
    proof = prove_at(context, tmp_path, applied, Request(role=ROLE))
    assert {t.table: t.protection for t in proof.tables} == {
        "public.board": Protection.POLICY,
        "public.comment": Protection.POLICY,
        "public.task": Protection.POLICY,
    }
    assert not any(t.without_user or t.truncate_granted for t in proof.tables)


def test_a_second_plan_has_nothing_to_add_and_a_later_table_only_itself(
    database: Callable[[], Secret], folder: Path, context: Context, applied: Secret, tmp_path: Path
) -> None:
    again = plan(database(), folder, context)
    assert (again.added, again.files) == ((), ())
    later = tmp_path / "later"
    shutil.copytree(folder, later)
    (later / "alembic" / "versions" / "0009_notes.py").write_text(
        'from alembic import op\nrevision = "0009"\ndown_revision = "0008"\n'
        'def upgrade():\n    op.execute("create table note (id serial primary key, user_id text not null)")\n'
        'def downgrade():\n    op.execute("drop table note")\n'
    )
    more = plan(database(), later, context)
    assert [f.path.rpartition("/")[2][:4] for f in more.files] == ["0010", "0011"]
    assert all("note" in title for title in more.added)
    assert len([title for title in more.added if title.startswith("policy ")]) == 4


@pytest.fixture(scope="module")
def service(folder: Path, applied: Secret, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The example with every filter taken out, wired as the steps say, as the application's role."""
    bare = tmp_path_factory.mktemp("bare") / "taskboard"
    shutil.copytree(folder, bare)
    without_filters(bare)
    owner = applied.reveal().partition("//")[2].partition("@")[0]
    with serving(bare, Secret(applied.reveal().replace(f"//{owner}@", f"//{ROLE}@"))) as started:
        yield started


def test_with_every_filter_taken_out_the_database_still_keeps_two_users_apart(service: Service) -> None:
    ann, bob = service.token("ann"), service.token("bob")
    board = service.call("POST", "/boards", bob, {"name": "Bob's"})[1]
    task = service.call("POST", "/tasks", bob, {"board_id": board["id"], "title": "Bob's"})[1]
    comment = service.call("POST", f"/tasks/{task['id']}/comments", bob, {"body": "Bob's"})[1]
    crossings = {
        "list": service.call("GET", "/boards", ann),
        "tasks of bob": service.call("GET", "/tasks?user_id=bob", ann),
        "search": service.call("GET", "/tasks/search?q=Bob", ann),
        "comments": service.call("GET", f"/tasks/{task['id']}/comments", ann),
        "own comments": service.call("GET", "/comments", ann),
    }
    assert crossings == dict.fromkeys(crossings, (200, []))
    refused = [
        service.call("GET", f"/boards/{board['id']}/summary", ann)[0],
        service.call("GET", f"/tasks/{task['id']}", ann)[0],
        service.call("PATCH", f"/tasks/{task['id']}", ann, {"title": "Ann's"})[0],
        service.call("DELETE", f"/tasks/{task['id']}", ann)[0],
        service.call("DELETE", f"/comments/{comment['id']}", ann)[0],
        service.call("POST", "/tasks", ann, {"board_id": board["id"], "title": "x"})[0],
        service.call("POST", f"/tasks/{task['id']}/comments", ann, {"body": "x"})[0],
    ]
    assert refused == [404] * 7
    assert service.call("GET", f"/tasks/{task['id']}", bob)[1]["title"] == "Bob's"
    assert [c["body"] for c in service.call("GET", "/comments", bob)[1]] == ["Bob's"]


@pytest.mark.parametrize(
    "claims", [{"iss": "http://other"}, {"aud": "http://other"}, {"exp": 1}, {"sub": ""}, {"alg": "HS256"}]
)
def test_a_token_that_is_not_better_auths_is_refused(service: Service, claims: dict[str, object]) -> None:
    assert service.call("GET", "/boards", service.token("ann", **claims))[0] == 401
