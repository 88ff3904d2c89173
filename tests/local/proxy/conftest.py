"""One PostgreSQL and one proxy for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from proxied import Running, postgres, running

from neondba.local.proxy.fast import why_not


@pytest.fixture(scope="session")
def sockets() -> Iterator[Path]:
    with postgres() as folder:
        yield folder


@pytest.fixture(scope="session", params=["python", "native"])
def relay(request: pytest.FixtureRequest) -> str:
    """Both relays: whatever a test says holds for each of them."""
    if request.param == "native" and (missing := why_not()) is not None:
        pytest.skip(missing)
    return request.param


@pytest.fixture(scope="session")
def proxy(sockets: Path, tmp_path_factory: pytest.TempPathFactory, relay: str) -> Iterator[Running]:
    with running(sockets, tmp_path_factory.mktemp("certificates"), relay=relay) as made:
        yield made
