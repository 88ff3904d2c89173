"""A state folder whose sockets and temporary files are in a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_checks import Place

from neondba.local import launch


@pytest.fixture
def place(prepared: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Give the folders; the server is stopped and must leave nothing."""
    temporary = Path(tempfile.mkdtemp(prefix="ndbc-", dir="/tmp"))
    temporary.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    made = Place(prepared(), temporary)
    yield made
    launch.stop(made.state)
    left = list(temporary.iterdir())
    shutil.rmtree(temporary)
    shutil.rmtree(made.state)
    assert left == []
