"""One local Neon with one project, and its connection strings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from connected import Shop

from neondba.local import launch


@pytest.fixture(scope="session")
def shop(prepared: Callable[[], Path]) -> Iterator[Shop]:
    state = prepared()
    yield Shop(state, launch.ensure(state))
    launch.stop(state)
    shutil.rmtree(state)
