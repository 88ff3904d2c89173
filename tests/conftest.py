"""What all tests share: temporary files in memory, and one template of all local Neons."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
SELDOM = (200_000, 50, 50)
"""When garbage is looked for: what thousands of tests keep makes each look long, an eighth of the run."""
ROOM = 3 << 30
_made: list[Path] = []


def pytest_configure() -> None:
    """Put temporary files into memory where there is plenty: they are many, small, and synced.

    Workers inherit the folder from the process that starts them. Reviews keep nothing among the user's own.
    """
    gc.set_threshold(*SELDOM)
    if "XDG_CACHE_HOME" not in os.environ:
        _made.append(Path(tempfile.mkdtemp(prefix="ndb-cache-")))
        os.environ["XDG_CACHE_HOME"] = str(_made[-1])
    if "TMPDIR" in os.environ or not _is_roomy():
        return
    folder = Path(tempfile.mkdtemp(prefix="ndb-", dir=MEMORY))
    folder.chmod(0o711)
    _made.append(folder)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None


def pytest_unconfigure() -> None:
    """Remove the folder; only the process that made it does."""
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)


def _is_roomy() -> bool:
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize > ROOM and os.access(MEMORY, os.W_OK)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the directory that projects are cloned from: made once, for all workers."""
    from neondba.local.storage import template
    from neondba.local.storage.directories import Directories
    from neondba.postgres import binaries

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "templates.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = binaries.find()
        template.ensure(found, Directories(shared / "templates", found.owner))
    return shared / "templates"


@pytest.fixture(scope="session")
def prepared(templates: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make new state folders that share the template."""

    def make() -> Path:
        state = tmp_path_factory.mktemp("over") / "state"
        (state / "local").mkdir(mode=0o700, parents=True)
        (state / "local" / "templates").symlink_to(templates)
        return state

    return make
