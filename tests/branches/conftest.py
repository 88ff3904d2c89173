"""One local Neon for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neon_world import World

from neondba.local import launch


@pytest.fixture(scope="session")
def world(prepared: Callable[[], Path]) -> Iterator[World]:
    made = World(prepared())
    yield made
    launch.stop(made.state)


@pytest.fixture(scope="session")
def project(world: World) -> str:
    """The one project of this local Neon."""
    return str(world.call("project.create", name="shop").id)


@pytest.fixture
def state(prepared: Callable[[], Path]) -> Iterator[Path]:
    """A state folder of this test; its server, if any, is stopped."""
    made = prepared()
    yield made
    launch.stop(made)


@pytest.fixture
def shop(world: World, project: str) -> Iterator[str]:
    """The project, with nothing but its default branch; afterwards too."""
    world.said.clear()
    yield "shop"
    with world.client() as client:
        for other in client.projects():
            if other.id != project:
                client.delete_project(other.id)
        while rest := [branch for branch in client.branches(project) if not branch.default]:
            parents = {branch.parent_id for branch in rest}
            for branch in [branch for branch in rest if branch.id not in parents]:
                client.delete_branch(project, branch.id)


@pytest.fixture
def store(world: World) -> Iterator[str]:
    """A project of this test alone: it may be restored, renamed and protected at will."""
    name = f"store-{len(world.stores)}"
    world.stores.append(name)
    made = world.call("project.create", name=name)
    world.said.clear()
    yield name
    with world.client() as client:
        for branch in client.branches(made.id):
            if branch.protected:
                client.update_branch(made.id, branch.id, protected=False)
        client.delete_project(made.id, hard=True)
