"""One PostgreSQL and one proxy for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from proxied import Running, postgres, running


@pytest.fixture(scope="session")
def sockets() -> Iterator[Path]:
    with postgres() as folder:
        yield folder


@pytest.fixture(scope="session")
def proxy(sockets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(sockets, tmp_path_factory.mktemp("certificates")) as made:
        yield made
