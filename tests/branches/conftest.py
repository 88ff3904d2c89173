"""One local Neon for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from neon_world import World

from neondba.local import launch


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    launch.stop(made.state)


@pytest.fixture
def shop(world: World) -> Iterator[str]:
    """A project that a test has for itself."""
    name = f"shop-{datetime.now(UTC):%H%M%S%f}"
    world.call("project.create", name=name)
    world.said.clear()
    yield name
    with world.client() as client:
        for project in client.projects():
            client.delete_project(project.id)
