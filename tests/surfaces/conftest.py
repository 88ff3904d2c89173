"""What the tests of all surfaces share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from surfaces_under_test import REPOSITORY
from toys import registered

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.settings import Settings
from neondba.surfaces import index


@pytest.fixture(autouse=True)
def _nobody_s_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [one for one in os.environ if one.startswith(("NEON", "NO_COLOR", "COLUMNS", "FORCE_COLOR"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-configuration"))
    monkeypatch.setenv("NEONDBA_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(REPOSITORY)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path / "state"), folder=REPOSITORY)


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Operation]]:
    """Register the toys the way another package's operations are."""
    real = dict(capabilities.load())
    with registered() as made:
        everything = dict(sorted({**real, **made}.items()))
        outside = [index.Listed(name, one.summary, "") for name, one in made.items()]
        monkeypatch.setattr(capabilities, "load", lambda: everything)
        monkeypatch.setattr(index, "_from_other_packages", lambda: outside)
        index.listed.cache_clear()
        yield made
    index.listed.cache_clear()
