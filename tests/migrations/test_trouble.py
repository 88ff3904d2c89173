"""What can be wrong with a project's Alembic is one clear Problem, before anything runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.migrations.rehearsal import rehearse_at
from neondba.migrations.results import Rehearsal, Reversibility
from neondba.postgres.connect import Connection, connect
from neondba.postgres.scratch import neon_like_database
from neondba.project.alembic_runner.runner import Runner

Rehearse = Callable[..., Rehearsal]
CREATE = ("create table item (id int primary key, name text)", "drop table item")


def refused(rehearse: Rehearse, *revisions: tuple[str, str]) -> Problem:
    with pytest.raises(Problem) as caught:
        rehearse(*revisions)
    return caught.value


def test_two_heads_are_named_with_their_files(project, rehearse: Rehearse) -> None:
    project.add(*CREATE)
    project.add("select 1", "select 1", after="r1", name="one")
    project.add("select 1", "select 1", after="r1", name="two")
    problem = refused(rehearse)
    assert problem.code == "migration-heads"
    assert "one (migrations/versions/one.py)" in problem.message
    assert "two (migrations/versions/two.py)" in problem.message
    assert problem.hint == "Join them: alembic merge one two"


def test_a_missing_revision_is_named(project, rehearse: Rehearse) -> None:
    project.add("select 1", "select 1", after="gone", name="orphan")
    problem = refused(rehearse)
    assert problem.code == "migration-missing"
    assert "orphan (migrations/versions/orphan.py) builds on gone" in problem.message


def test_a_circle_is_named(project, rehearse: Rehearse) -> None:
    project.add("select 1", "select 1", after="b", name="a")
    project.add("select 1", "select 1", after="a", name="b")
    problem = refused(rehearse)
    assert problem.code == "migration-cycle"
    assert {"a", "b"} == set(problem.facts["revisions"])


def test_a_double_id_is_named(project, rehearse: Rehearse) -> None:
    project.add(*CREATE)
    text = (project.versions / "r1.py").read_text()
    (project.versions / "copy.py").write_text(text)
    assert refused(rehearse).code == "migration-double"


def test_a_file_that_is_no_python_is_named(project, rehearse: Rehearse) -> None:
    project.add(*CREATE)
    (project.versions / "broken.py").write_text("def upgrade(:\n")
    problem = refused(rehearse)
    assert problem.code == "migration-unloadable"
    assert "broken.py" in problem.message


def test_a_file_that_cannot_be_imported_is_named(project, rehearse: Rehearse) -> None:
    project.add(*CREATE)
    text = "import nowhere_to_be_found\nrevision = 'r1'\ndown_revision = None\n"
    (project.versions / "r1.py").write_text(text)
    problem = refused(rehearse)
    assert problem.code == "alembic-unusable"
    assert "r1.py" in problem.message
    assert "nowhere_to_be_found" in (problem.hint or "")


def test_an_address_that_is_written_down_is_not_followed(
    project, rehearse: Rehearse, server: Secret, session: Connection
) -> None:
    other = neon_like_database(server, f"other{os.getpid()}").reveal()
    project.env(repr(other.replace("postgresql://", "postgresql+psycopg://")))
    problem = refused(rehearse, CREATE)
    assert problem.code == "alembic-elsewhere"
    for database in (Secret(other), None):
        with connect(database) if database else session as looked:
            assert looked.execute("select from pg_class where relname = 'alembic_version'").rowcount == 0


def test_another_kind_of_database_is_not_followed(project, rehearse: Rehearse) -> None:
    project.env(repr(f"sqlite:///{project.folder}/other.db"))
    assert refused(rehearse, CREATE).code == "alembic-elsewhere"


def test_an_address_from_alembic_ini_is_replaced(project, rehearse: Rehearse) -> None:
    project.env('context.config.get_main_option("sqlalchemy.url")')
    assert rehearse(CREATE).sound


def test_split_settings_lead_to_the_branch(project, rehearse: Rehearse) -> None:
    project.env(
        '"postgresql+psycopg://%s@/%s?host=%s" % (os.environ["POSTGRES_USER"],'
        ' os.environ["POSTGRES_DB"], os.environ["POSTGRES_SERVER"])'
    )
    assert rehearse(CREATE).sound


def test_a_prefix_of_the_settings_is_known(project, rehearse: Rehearse) -> None:
    (project.folder / "settings.py").write_text('env_prefix="SHOP_"\ndatabase_url: str\n')
    project.env('os.environ["SHOP_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")')
    assert rehearse(CREATE).sound


def test_a_driver_that_is_missing_is_replaced_by_one_that_is_there(project, rehearse: Rehearse) -> None:
    (project.folder / ".env.example").write_text("DATABASE_URL=postgresql+psycopg2://me:x@localhost/db\n")
    project.env('os.environ["DATABASE_URL"]')
    assert rehearse(CREATE).sound


def test_several_configurations_are_listed(project, ctx: Context, url: Secret) -> None:
    project.add(*CREATE)
    (project.folder / "other").mkdir()
    (project.folder / "other" / "alembic.ini").write_text("[alembic]\n")
    with pytest.raises(Problem) as caught:
        rehearse_at(ctx, project.folder, url)
    assert caught.value.code == "alembic-ambiguous"
    assert caught.value.facts["configs"] == ["alembic.ini", "other/alembic.ini"]
    assert rehearse_at(ctx, project.folder, url, config="alembic.ini").sound


def test_no_alembic_in_the_project_is_said(tmp_path: Path, ctx: Context, url: Secret) -> None:
    with pytest.raises(Problem) as caught:
        rehearse_at(ctx, tmp_path, url)
    assert caught.value.code == "migrations-not-found"


def test_a_python_without_alembic_is_said(project, ctx: Context, url: Secret, tmp_path: Path) -> None:
    bare = tmp_path / "bare-python"
    bare.write_text('#!/bin/sh\nshift\nexec python3 -I -S -B "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(Problem) as caught:
        rehearse_at(ctx, project.folder, url, python=str(bare))
    assert caught.value.code == "alembic-not-installed"
    assert "--python" in (caught.value.hint or "")


HANGS = {
    "in a statement": ("select pg_sleep(60)", "in the statement: select pg_sleep(60)"),
    "in Python": ("py:import time; time.sleep(60)", "the migration's own Python code does not come back"),
    "behind its own lock": (
        """py:
op.execute("lock table item")
import sqlalchemy
with op.get_bind().engine.connect() as second:
    second.execute(sqlalchemy.text("select * from item"))
""",
        "it waits for a lock held by a session whose last statement was: lock table item",
    ),
}


@pytest.mark.parametrize(("up", "said"), HANGS.values(), ids=HANGS)
def test_a_migration_that_hangs_is_stopped(up: str, said: str, project, url: Secret, tmp_path: Path) -> None:
    ctx = Context(settings=Settings(state_dir=tmp_path / "state", step_limit=4))
    for texts in (CREATE, (up, "select 1"), CREATE):
        project.add(*texts)
    result = rehearse_at(ctx, project.folder, url)
    assert result.steps[1].reversibility is Reversibility.FAILS
    assert said in result.steps[1].sentences[0]
    assert "stopped after 4 s" in result.steps[1].sentences[0]
    assert result.skipped == ("r3",)
    with connect(url) as session:
        others = "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        # A server process ends a moment after its client.
        while session.execute(others).rowcount:
            threading.Event().wait(0.05)


def test_a_killed_child_is_one_problem(
    project, ctx: Context, url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add("py:import os; os.kill(os.getpid(), 9)", "select 1")
    with pytest.raises(Problem) as caught:
        rehearse_at(ctx, project.folder, url)
    assert caught.value.code == "alembic-ended"
    assert f"by signal {int(signal.SIGKILL)} while it ran revision r1 up" in caught.value.message


def test_a_migration_that_ends_our_session_is_named(project, rehearse: Rehearse) -> None:
    ends = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'neondba'"
    problem = refused(rehearse, CREATE, (ends, "select 1"))
    assert problem.code == "session-ended"
    assert "while revision r2 ran" in problem.message


def test_a_migration_that_exits_says_so(project, rehearse: Rehearse) -> None:
    result = rehearse(("py:import sys; sys.exit(0)", "select 1"))
    assert result.steps[0].sentences == ("The upgrade fails: the code calls sys.exit(0).",)


@pytest.mark.parametrize("form", ["url.password", "url.render_as_string(hide_password=False)"])
def test_no_form_of_the_password_is_shown(form: str, project, ctx: Context, url: Secret) -> None:
    bare = "pw" + "-of-the-branch"
    secret = Secret(url.reveal().replace("_owner@", f"_owner:endpoint=ep-x${bare}@"))
    project.add(f"py:url = op.get_bind().engine.url; raise RuntimeError(f'it was {{{form}}}')", "select 1")
    result = rehearse_at(ctx, project.folder, secret)
    assert bare not in result.model_dump_json()
    assert "it was" in result.steps[0].sentences[0]


def test_the_child_does_not_outlive_its_pipe(project, url: Secret) -> None:
    import sys

    runner = Runner(Path(sys.executable), project.folder / "alembic.ini", project.folder, {})
    assert runner.start()
    os.close(runner._commands)
    assert runner._process.wait(timeout=20) == 3
    runner.close()


def test_the_address_is_in_no_argument_list(project, ctx: Context, url: Secret) -> None:
    seen = project.folder / "arguments"
    project.add(f"py:open({str(seen)!r}, 'wb').write(open('/proc/self/cmdline', 'rb').read())", "select 1")
    rehearse_at(ctx, project.folder, url)
    assert b"child.py" in seen.read_bytes()
    assert b"postgresql" not in seen.read_bytes()
