"""A short attack with schemathesis; `bench/contract.py` has the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "bench" / "contract.py"


@pytest.mark.timeout(900)
def test_no_request_brings_a_server_error_or_an_answer_that_the_document_does_not_foresee(prepared):
    command = [sys.executable, BENCH, "--cases", "60", "--clients", "2", "--seed", "7"]
    done = subprocess.run(
        [*command, "--state-dir", prepared()], capture_output=True, text=True, timeout=880, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "server errors: 0; undocumented answers: 0 kinds; server alive: True" in done.stdout
