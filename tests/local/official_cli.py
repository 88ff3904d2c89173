"""Neon's official command line, which lies in `tests/clients`, and what points it at a local Neon."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pytest

from neondba.local.launch import Status

CLIENTS = Path(__file__).parents[1] / "clients"
PINNED = CLIENTS / "node_modules" / ".bin" / "neon"
PATIENCE = 120


def program() -> str:
    """Give the program's path; fail, not skip, where it is not installed."""
    found = shutil.which(os.environ.get("NEONDBA_TEST_NEON_CLI") or str(PINNED))
    if found is None:
        pytest.fail("the official command line is not installed: run npm ci in tests/clients")
    return found


def environment(server: Status, home: Path) -> dict[str, str]:
    """Give the variables that lead it to this server, with a home of its own."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NEON_CONFIG_DIR": str(home / "config"),
        "NEON_API_HOST": f"http://127.0.0.1:{server.api_port}/api/v2",
        "NEON_API_KEY": "any-thing",
        "CI": "1",
        "NO_UPDATE_NOTIFIER": "1",
    }


class OfficialCli:
    """Runs its commands in one process, which loads the program once; `alone`, each in its own."""

    def __init__(self, server: Status, home: Path) -> None:
        self._home = home
        self._environment = environment(server, home)
        self._program = program()
        self._asking: IO[str] | None = None
        self._answers: IO[str] | None = None
        self._ending = ExitStack()

    def close(self) -> None:
        """End the process."""
        self._ending.close()

    def run(
        self, *words: str, folder: Path | None = None, output: str | None = "json", alone: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; what it prints as the program itself would.

        `alone` is for psql: it has a program or a loop of its own, and ends the process in the middle.
        """
        shape = () if output is None else ("--output", output)
        command = ["--no-analytics", "--no-color", *shape, *words]
        if alone or os.environ.get("NEONDBA_TEST_NEON_CLI"):
            return subprocess.run(
                [self._program, *command],
                env=self._environment,
                cwd=folder or self._home,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        said = self._answer({"words": command, "folder": str(folder or self._home)})
        return subprocess.CompletedProcess(command, said["code"], said["stdout"], said["stderr"])

    def answer(
        self, *words: str, folder: Path | None = None, output: str = "json", alone: bool = False
    ) -> Any:
        """Run a command that must not fail; give its JSON, or its text where it is none.

        Raises:
            AssertionError: it failed; with what it wrote.
        """
        done = self.run(*words, folder=folder, output=output, alone=alone)
        if done.returncode:
            raise AssertionError(done.stderr)
        if output == "json" and not done.stdout.strip():
            return None
        return json.loads(done.stdout) if done.stdout.lstrip()[:1] in ("{", "[") else done.stdout

    def _answer(self, asked: dict[str, Any]) -> Any:
        if self._asking is None or self._answers is None:
            self._asking, self._answers = self._load()
        self._asking.write(json.dumps(asked) + "\n")
        self._asking.flush()
        line = self._answers.readline()
        if not line:
            raise AssertionError(f"the official command line ended at {asked['words']}")
        return json.loads(line)

    def _load(self) -> tuple[IO[str], IO[str]]:
        """Start the process; give where it is asked and where it answers: its own output is the program's."""
        (asked, asking), (answers, answered) = os.pipe(), os.pipe()
        process = subprocess.Popen(
            ["node", str(CLIENTS / "neon_commands.mjs"), str(asked), str(answered)],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=(asked, answered),
        )
        os.close(asked)
        os.close(answered)
        self._ending.callback(process.wait, PATIENCE)
        into, out = os.fdopen(asking, "w"), os.fdopen(answers)
        self._ending.callback(out.close)
        self._ending.callback(into.close)
        return into, out
