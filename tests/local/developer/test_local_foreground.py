"""The local Neon as the one program of a container, and as a step of a build."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem
from neondba.core.settings import load
from neondba.local import launch
from neondba.local.operations import local_start


def command(state, *words: str) -> list[str]:
    return [sys.executable, "-m", "neondba", "local", "start", "--state-dir", str(state), *words]


def test_in_the_foreground_it_runs_until_it_is_told_to_stop(state):
    running = subprocess.Popen(command(state, "--foreground"), stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    with running.stdout as said:
        assert "is started" in said.readline()
        found = launch.status(state)
        assert found is not None
        running.send_signal(signal.SIGTERM)
        assert "is stopped" in said.read()
    assert running.wait(60) == 0
    assert launch.status(state) is None


def test_in_the_foreground_it_leaves_a_running_one_alone(state):
    launch.ensure(state)
    said = subprocess.run(command(state, "--foreground"), capture_output=True, text=True, check=False)
    assert said.returncode == 5
    assert "runs already, in the background" in said.stderr
    assert launch.status(state) is not None


def test_a_call_without_a_terminal_cannot_stay(tmp_path):
    ctx = Context(settings=load({"state_dir": tmp_path}, environment={}))
    with pytest.raises(ArgumentProblem, match="Only the command line"):
        local_start(ctx, foreground=True)
    assert launch.status(tmp_path) is None


def test_a_build_takes_the_addresses_as_environment_lines(state):
    words = command(state, "--format", "env", "--port", "0")
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = launch.status(state)
    assert found is not None
    assert said == f"NEON_API_HOST=http://127.0.0.1:{found.api_port}/api/v2\nNEON_API_KEY=local\n"
