"""Real local Neons: one in this process for the inside, one as a process of its own for clients."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_inside import Inside
from official_cli import OfficialCli

from neondba.local import launch
from neondba.local.launch import Status


@pytest.fixture
def state(prepared: Callable[[], Path]) -> Iterator[Path]:
    """A state folder of this test; its server, if any, is stopped."""
    made = prepared()
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
def inside(prepared: Callable[[], Path]) -> Iterator[Inside]:
    """A local Neon that the tests of a module share; each makes its own project."""
    made = Inside(prepared() / "local")
    yield made
    made.plane.close()
    shutil.rmtree(made.folder.parent)


@pytest.fixture(scope="module")
def server(prepared: Callable[[], Path]) -> Iterator[Status]:
    """A local Neon as a process of its own."""
    state = prepared()
    yield launch.ensure(state)
    launch.stop(state)
    shutil.rmtree(state)


@pytest.fixture(scope="module")
def official(server: Status, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficialCli]:
    """Neon's official command line over this module's server."""
    made = OfficialCli(server, tmp_path_factory.mktemp("home"))
    yield made
    made.close()
