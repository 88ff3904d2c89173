"""A local Neon that the inner pytest runs share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.neon.client import NeonClient

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def neon_state(prepared: Callable[[], Path]) -> Iterator[Path]:
    """The state folder, with one project called shop."""
    state = prepared()
    with platform.client(Context(settings=Settings(state_dir=state))) as client:
        client.create_project("shop", branch="main")
    yield state
    launch.stop(state)


@pytest.fixture
def neon(
    neon_state: Path, monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> Iterator[NeonClient]:
    """A client; the inner runs find the same Neon through their environment."""
    for name in [one for one in os.environ if one.startswith(("NEON", "PG", "PYTEST_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NEONDBA_STATE_DIR", str(neon_state))
    monkeypatch.setenv("NEONDBA_PROJECT", "shop")
    # Other plugins of this environment take a second of the processor to load.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "neondba.testing.plugin,xdist.plugin")
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\nfilterwarnings = error")
    with platform.client(Context(settings=Settings(state_dir=neon_state))) as client:
        yield client


@pytest.fixture
def branches(neon: NeonClient) -> Callable[[], list[str]]:
    """Give the names of the project's branches now."""
    return lambda: sorted(each.name for each in neon.branches(neon.find_project("shop").id))
