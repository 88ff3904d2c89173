"""Fixtures of the Neon client's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripted_api import MovedClock, Script, served

from neondba.core.secret import Secret
from neondba.neon.client import NeonClient


@pytest.fixture
def script() -> Iterator[Script]:
    with served() as made:
        yield made


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def client(script: Script, clock: MovedClock) -> Iterator[NeonClient]:
    with NeonClient(script.url, Secret("napi_" + "k" * 20), clock=clock) as made:
        yield made
