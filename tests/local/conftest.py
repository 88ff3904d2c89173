"""Real local Neons: one in this process for the inside, one as a process of its own for clients."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neondba.core.context import Clock
from neondba.local import launch
from neondba.local.addresses import Addresses
from neondba.local.api import app
from neondba.local.api.call import ROUTES, Call
from neondba.local.control.plane import Plane
from neondba.local.launch import Status

assert app


class MovedClock(Clock):
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Give the moved moment."""
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        """Give seconds that move along."""
        return super().monotonic() + self.ahead.total_seconds()


class Inside:
    """A control plane in this process, asked without HTTP."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovedClock()
        self.folder = folder
        self.open()

    def open(self) -> None:
        """Begin, as a server does."""
        self.plane = Plane(self.folder, self.clock, Addresses(5432))
        self.plane.begin()

    def call(self, operation_id: str, body: Any = None, query: Any = None, **path: str) -> Any:
        """Answer one operation of the API."""
        route = next(each for each in ROUTES if each.operation_id == operation_id)
        return route.handler(Call(self.plane, path, query or {}, body or {}))

    def settled(self, project_id: str) -> None:
        """Wait until the project has no operation in flight."""
        assert self.plane.worker.wait(60, project_id=project_id)

    def project(self, **first: Any) -> dict[str, Any]:
        """Create a project and wait for it."""
        made: dict[str, Any] = self.call("createProject", {"project": {"name": "shop", "branch": first}})
        self.settled(made["project"]["id"])
        return made

    def branch(self, project_id: str, name: str, *, compute: bool = True, **more: Any) -> dict[str, Any]:
        """Create a branch and wait for it."""
        endpoints = [{"type": "read_write"}] if compute else []
        body = {"branch": {"name": name, **more}, "endpoints": endpoints}
        made: dict[str, Any] = self.call("createProjectBranch", body, project_id=project_id)
        self.settled(project_id)
        return made

    def sql(self, branch_id: str, role: str = "neondb_owner") -> psycopg.Connection[Any]:
        """Connect to a branch past the proxy."""
        compute = self.plane.computes.start(branch_id)
        return psycopg.connect(host=str(compute.place.sockets), user=role, dbname="neondb", autocommit=True)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local Neon's folder in which the template of all projects is made already."""
    folder = tmp_path_factory.mktemp("template") / "local"
    inside = Inside(folder)
    inside.project()
    inside.plane.close()
    return folder / "templates"


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Iterator[Callable[[], Inside]]:
    """Open local Neons that share nothing, on a folder of this test."""
    opened = []

    def make() -> Inside:
        folder = tmp_path / "local"
        if not folder.exists():
            folder.mkdir(mode=0o700)
            copy_owned(template, folder / "templates")
        opened.append(Inside(folder))
        return opened[-1]

    yield make
    for inside in opened:
        inside.plane.close()


@pytest.fixture(scope="module")
def inside(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A local Neon that the tests of a module share; each makes its own project."""
    folder = tmp_path_factory.mktemp("inside") / "local"
    folder.mkdir(mode=0o700)
    copy_owned(template, folder / "templates")
    made = Inside(folder)
    yield made
    made.plane.close()


@pytest.fixture(scope="module")
def server(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Status]:
    """A local Neon as a process of its own."""
    state = tmp_path_factory.mktemp("server")
    (state / "local").mkdir(mode=0o700)
    copy_owned(template, state / "local" / "templates")
    yield launch.ensure(state)
    launch.stop(state)


def copy_owned(source: Path, target: Path) -> None:
    """Copy a folder, owners included: under root PostgreSQL runs as another user."""
    shutil.copytree(source, target)
    for old in source.rglob("*"):
        if os.geteuid() == 0:
            os.chown(target / old.relative_to(source), old.stat().st_uid, old.stat().st_gid)
