"""Start, status and stop as somebody meets them who has never seen them: text, speed, trouble."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, ConflictProblem, RemoteProblem
from neondba.core.settings import load
from neondba.local import launch, platform
from neondba.local.operations import local_start, local_status, local_stop


def over(folder: Path) -> Context:
    return Context(settings=load({"state_dir": folder}, environment={}))


@contextmanager
def small_disk(*options: str) -> Iterator[Path]:
    """Give a file system of its own; only root can make one."""
    with tempfile.TemporaryDirectory() as name:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", name]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small file system needs root")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))


def test_each_step_says_what_is_now_and_what_to_do_next(state):
    ctx = over(state)
    before = local_status(ctx).as_text(80)
    assert before == f"No local Neon is running over {state}.\n\nNext:\n  neondba local start"
    started = local_start(ctx)
    assert f"over {state} is started (process {started.pid})" in started.as_text(80)
    again = local_start(ctx)
    assert (again.state, again.pid) == ("running already", started.pid)
    with platform.client(ctx) as client:
        client.create_project("shop")
    shown = local_status(ctx)
    assert "Projects    1; 1 compute is awake, 0 connected" in shown.as_text(80)
    assert str(shown.api) in shown.as_text(80)
    stopped = local_stop(ctx)
    assert stopped.as_text(80).startswith(f"The local Neon over {state} is stopped; its projects stay")
    assert local_stop(ctx).state == "not running"


def test_another_port_than_the_running_ones_is_refused(state):
    ctx = over(state)
    running = launch.ensure(state)
    assert local_start(ctx, port=running.api_port).state == "running already"
    with pytest.raises(ConflictProblem, match=f"runs already, with --port {running.api_port}") as refused:
        local_start(ctx, port=1)
    assert "neondba local stop" in str(refused.value.hint)


def test_a_status_imports_only_what_it_needs(state):
    launch.ensure(state)
    heavy = "alembic cryptography httpx2 mcp psycopg rich.table sqlalchemy starlette uvicorn"
    code = (
        "import sys; from neondba.surfaces.cli import run; run(sys.argv[2:])\n"
        "print('Imported:', *(name for name in sys.argv[1].split() if name in sys.modules))"
    )
    command = [sys.executable, "-c", code, heavy, "local", "status", "--state-dir", str(state)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "is running" in said
    assert said.splitlines()[-1] == "Imported:"


def _unusable(work: Callable[[], object], why: str) -> None:
    with pytest.raises(ArgumentProblem, match=why) as refused:
        work()
    assert refused.value.code == "state-dir-unusable"
    assert "--state-dir" in str(refused.value.hint)


def test_a_read_only_state_folder_is_one_clear_problem():
    with small_disk("ro") as disk:
        _unusable(lambda: local_start(over(disk / "state")), "Read-only file system")
        assert local_status(over(disk / "state")).running is False


def test_a_state_folder_that_cannot_be_made_is_one_clear_problem(tmp_path):
    (tmp_path / "file").touch()
    _unusable(lambda: local_start(over(tmp_path / "file" / "state")), "Not a directory|File exists")


def test_a_full_disk_refuses_the_start_and_the_stop_still_stops():
    with small_disk("size=3m") as disk:
        ctx = over(disk)
        _fill(disk / "filler")
        _unusable(lambda: local_start(ctx), "No space left|full")
        (disk / "filler").unlink()
        assert local_start(ctx).running
        _fill(disk / "filler")
        # What the server held in reserve makes room for the record.
        assert local_stop(ctx).state == "stopped"
        assert launch.status(disk) is None


@pytest.mark.shows("machine.full-disk")
def test_a_disk_too_small_for_a_project_says_so():
    with small_disk("size=20m") as disk:
        ctx = over(disk)
        try:
            with platform.client(ctx) as client, pytest.raises(RemoteProblem) as refused:
                client.create_project("shop")
        finally:
            launch.stop(disk)
    assert "No space left on the disk" in refused.value.message
    assert "Free some space and try again" in refused.value.message
    assert "\n" not in refused.value.message
