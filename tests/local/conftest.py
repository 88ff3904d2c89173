"""Real local Neons: one in this process for the inside, one as a process of its own for clients."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_inside import Inside

from neondba.local import launch
from neondba.local.launch import Status
from neondba.local.storage import template


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for data directories: in memory where there is plenty, since they are many files."""
    memory = Path("/dev/shm")
    try:
        free = os.statvfs(memory)
        roomy = free.f_bavail * free.f_frsize > 3 << 30 and os.access(memory, os.W_OK)
    except OSError:
        roomy = False
    base = tmp_path_factory.mktemp("ground")
    if not roomy:
        yield base
        return
    made = Path(tempfile.mkdtemp(prefix="neondba-test-", dir=memory))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def templates(ground: Path) -> Path:
    """The folder with the template of all projects, made once."""
    inside = Inside(ground / "first" / "local")
    template.ensure(inside.plane.binaries, inside.plane.templates)
    inside.plane.close()
    return inside.folder / "templates"


def prepared(templates: Path, ground: Path) -> Path:
    """Give a new state folder that shares the template."""
    state = Path(tempfile.mkdtemp(dir=ground))
    (state / "local").mkdir(mode=0o700)
    (state / "local" / "templates").symlink_to(templates)
    return state


@pytest.fixture
def state(templates: Path, ground: Path) -> Iterator[Path]:
    """A state folder of this test; its server, if any, is stopped."""
    made = prepared(templates, ground)
    yield made
    launch.stop(made)
    shutil.rmtree(made)


@pytest.fixture
def fresh(state: Path) -> Iterator[Callable[[], Inside]]:
    """Open local Neons that share nothing, on a folder of this test."""
    opened = []

    def make() -> Inside:
        opened.append(Inside(state / "local"))
        return opened[-1]

    yield make
    for inside in opened:
        inside.plane.close()


@pytest.fixture(scope="module")
def inside(templates: Path, ground: Path) -> Iterator[Inside]:
    """A local Neon that the tests of a module share; each makes its own project."""
    made = Inside(prepared(templates, ground) / "local")
    yield made
    made.plane.close()
    shutil.rmtree(made.folder.parent)


@pytest.fixture(scope="module")
def server(templates: Path, ground: Path) -> Iterator[Status]:
    """A local Neon as a process of its own."""
    state = prepared(templates, ground)
    yield launch.ensure(state)
    launch.stop(state)
    shutil.rmtree(state)
