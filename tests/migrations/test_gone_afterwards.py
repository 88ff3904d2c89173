"""The throw-away branch is gone however the rehearsal ends, and the data it came from is as before."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.migrations.operations import migration_rehearse
from neondba.postgres.connect import connect

CREATE = ("create table item (id int primary key, name text)", "drop table item")


@pytest.fixture(scope="module")
def local(prepared: Callable[[], Path]) -> Iterator[Context]:
    folder = prepared()
    yield Context(settings=Settings(state_dir=folder, step_limit=60))
    launch.stop(folder)


def names(ctx: Context) -> list[str]:
    with platform.client(ctx) as client:
        return [project.name for project in client.projects()]


def started(project, ctx: Context) -> tuple[subprocess.Popen[str], int]:
    """Start the command on a migration that hangs; give it and the process of the project's Alembic."""
    told = project.folder / "child.pid"
    os.mkfifo(told)
    project.add(f"py:import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(90)", "")
    command = subprocess.Popen(
        [sys.executable, "-m", "neondba", "migration", "rehearse", str(project.folder)],
        env={**os.environ, "NEONDBA_STATE_DIR": str(ctx.settings.state_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with os.fdopen(os.open(told, os.O_RDONLY | os.O_NONBLOCK)) as pipe:
        assert select.select([pipe], [], [], 200)[0]
        return command, int(pipe.read())


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_command_takes_its_branch_and_its_child_along(project, local: Context, number: int) -> None:
    command, child = started(project, local)
    assert any(name.startswith("neondba-rehearse-") for name in names(local))
    command.send_signal(number)
    command.communicate(timeout=200)
    assert command.returncode != 0
    assert names(local) == []
    assert not is_running(child)


def test_a_killed_alembic_takes_its_branch_along(project, local: Context) -> None:
    command, child = started(project, local)
    os.kill(child, signal.SIGKILL)
    said, _ = command.communicate(timeout=200)
    assert command.returncode == 7
    assert "ended by signal 9" in said
    assert names(local) == []


def test_a_killed_command_is_swept_by_the_next_one(project, local: Context) -> None:
    command, child = started(project, local)
    left = names(local)
    assert len(left) == 1
    command.kill()
    command.communicate(timeout=200)
    assert names(local) == left
    (project.versions / "r1.py").unlink()
    project.add(*CREATE)
    assert migration_rehearse(local, project.folder).sound
    assert names(local) == []
    assert not list((local.settings.state_dir / "throwaways").iterdir())
    assert not is_running(child)


def test_a_project_on_neon_lends_its_data_and_keeps_it(project, local: Context) -> None:
    project.add(*CREATE)
    project.add("alter table item drop column name", "alter table item add column name text")
    with platform.client(local) as client:
        made = client.create_project("shop")
        branch, database = made.branch.id, client.databases(made.project.id, made.branch.id)[0]
        url = client.connection_uri(made.project.id, branch, database.name, database.owner_name, pooled=False)
        with connect(url) as session:
            session.execute("create table item (id int primary key, name text)")
            session.execute("insert into item select n, 'real' from generate_series(1, 7) n")
            session.execute("create table alembic_version (version_num text primary key)")
            session.execute("insert into alembic_version values ('r1')")
        try:
            result = migration_rehearse(local, project.folder, project="shop")
            assert [step.revision for step in result.steps] == ["r2"]
            assert "7 of 7 values of public.item.name are gone" in " ".join(result.steps[0].sentences)
            assert result.branch is not None
            assert [b.name for b in client.branches(made.project.id)] == [made.branch.name]
            with connect(url) as session:
                kept = session.execute("select count(name) as n from item").fetchone()
                assert kept == {"n": 7}
        finally:
            client.delete_project(made.project.id)
