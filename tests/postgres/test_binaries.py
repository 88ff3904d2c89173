"""PostgreSQL's programs can be run by the user they run as, wherever they were installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from neondba.postgres import binaries

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its programs to another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_copy_is_readable_for_its_user_whatever_the_umask(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "PLACES", (open_folder,))
    monkeypatch.setattr(binaries, "_reachable", lambda path: path == open_folder / "neondba")
    before = os.umask(0o077)
    try:
        found = binaries.find()
    finally:
        os.umask(before)
    assert found.folder.is_relative_to(open_folder)
    said = subprocess.run(
        [found.program("postgres"), "--version"], capture_output=True, check=True, **found.spawn
    )
    assert b"(PostgreSQL) 18" in said.stdout
