"""The control plane put together, and what it does first after a crash."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from neondba.core.context import Clock
from neondba.core.problem import ConflictProblem
from neondba.local.addresses import Addresses
from neondba.local.computes import additions, orphans, process, settings
from neondba.local.computes.manager import Computes, programs_of
from neondba.local.computes.replicas import Replicas
from neondba.local.control import actions
from neondba.local.control import history as histories
from neondba.local.control.directory import LocalDirectory
from neondba.local.control.names import compute_name
from neondba.local.control.sweeper import Sweeper
from neondba.local.control.time_travel import TimeTravel
from neondba.local.control.worker import Worker
from neondba.local.metering.meter import Meter
from neondba.local.metering.quotas import Quotas
from neondba.local.state.store import State
from neondba.local.state.tables import EndpointRow, ProjectRow, TimelineRow
from neondba.local.storage import cloner, directories, template
from neondba.local.storage.directories import Directories
from neondba.local.storage.history import History
from neondba.postgres import binaries
from neondba.postgres.binaries import Binaries

STATE_LAYOUT: Final = "2"
LOCK_WAIT: Final = 5.0
"""Seconds a request waits for the project's operations before it answers 423."""


class Plane:
    """One local Neon: its state, storage and computes."""

    def __init__(self, folder: Path, clock: Clock, addresses: Addresses) -> None:
        _check_layout(folder)
        self.clock = clock
        self.addresses = addresses
        self.lock_wait = LOCK_WAIT
        self.folder = folder
        self.binaries = binaries.find()
        self.state = State(folder / "state.sqlite")
        self.branches = Directories(folder / "branches", self.binaries.owner)
        self.templates = Directories(folder / "templates", self.binaries.owner)
        self.cloner = cloner.choose(self.branches.folder)
        self.sockets = _socket_folder(folder)
        self.computes = Computes(self.binaries, self.branches, self.sockets, self.compute_settings)
        kept = partial(histories.kept, self.state)
        self.history = History(self.branches, self.computes, self.cloner, kept, clock.now)
        self.keeper = histories.Keeper(self.state, self.computes, self.history, clock.now)
        self.replicas = Replicas(self)
        self.computes.prepare, self.computes.awakened = self.replicas.prepare, self.replicas.caught_up
        self.worker = Worker(
            self.state, partial(actions.perform, self), partial(actions.undo, self), clock.now
        )
        self.directory = LocalDirectory(self.state, self.computes, self.worker, clock)
        self.meter = Meter(self)
        self.quotas = Quotas(self)
        self.travel = TimeTravel(self, self.sockets)
        self.directory.past = self.travel.wake
        self.directory.meter, self.directory.admit = self.meter.transferred, self.quotas.admit
        self.sweeper = Sweeper(self.state, self.computes, self.directory, self.worker, clock.now)
        self.sweeper.chores.append(self.replicas.sweep)

    def begin(self) -> None:
        """Finish or undo what a crash left, remove what belongs to nobody, then work."""
        orphans.sweep(self.folder)
        with self.state.read() as rows:
            wanted = {timeline.id for timeline in rows.all(TimelineRow)}
            wanted |= {endpoint.id for endpoint in rows.all(EndpointRow, type="read_only")}
            projects = {row.project_id for row in rows.unfinished()}
        self.branches.sweep(wanted.__contains__)
        self.templates.sweep(
            {template.name_of(programs_of(major)) for major in binaries.majors()}.__contains__
        )
        for project_id in projects:
            self.worker.kick(project_id)
        self.sweeper.begin()
        self.keeper.begin()
        self.meter.begin()

    def close(self) -> None:
        """Stop working and let every compute sleep."""
        self.sweeper.close()
        self.worker.close()
        self.keeper.close()
        self.meter.close()
        self.travel.close()
        self.computes.stop_all()
        self.state.close()
        directories.remove(self.sockets)
        (self.folder / "sockets").unlink(missing_ok=True)

    def compute_name(self, endpoint: EndpointRow) -> str:
        """Give the name of an endpoint's compute."""
        with self.state.read() as rows:
            return compute_name(rows, endpoint)

    def compute_settings(self, name: str) -> dict[str, str]:
        """Give the PostgreSQL settings of a compute, by its name."""
        with self.state.read() as rows:
            asked = settings.of(rows, name)
        more = self.additions(programs_of(self.branches.major(name)))
        return {**asked, **more, **self.replicas.settings(name, asked), **self.history.settings(name)}

    def additions(self, programs: Binaries) -> Mapping[str, str]:
        """Give the settings under which a server of this release finds Neon's extensions."""
        return additions.settings(programs, self.folder / "additions")

    def template(self, project_id: str) -> Path:
        """Give the directory that a project's first branch is made from, of its release."""
        with self.state.read() as rows:
            project = rows.get(ProjectRow, project_id)
        programs = programs_of(project.pg_version) if project is not None else self.binaries
        return template.ensure(programs, self.templates)

    def projects(self) -> list[str]:
        """Give the ids of all projects."""
        with self.state.read() as rows:
            return [project.id for project in rows.all(ProjectRow, deleting=False)]


def _check_layout(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    mark = folder / "layout"
    found = mark.read_text().strip() if mark.exists() else None
    if found is None:
        mark.write_text(STATE_LAYOUT + "\n")
    elif found != STATE_LAYOUT:
        raise ConflictProblem(
            "state-layout-version",
            f"{folder} was written by another neondba: its layout is {found}, this one reads {STATE_LAYOUT}.",
            hint="Use the neondba that made it, another folder with --state-dir, or start anew: "
            "neondba local reset.",
            folder=str(folder),
        )


def _socket_folder(folder: Path) -> Path:
    """Make a private short folder; remove the one a killed server left."""
    mark = folder / "sockets"
    with suppress(OSError):
        old = Path(mark.read_text())
        if old.name.startswith("neondba-") and old.stat().st_uid == folder.stat().st_uid:
            directories.remove(old)
    made = Path(tempfile.mkdtemp(prefix="neondba-", dir=process.short_folder(process.ROOM_FOR_NAMES)))
    if folder.stat().st_uid == 0:
        made.chmod(0o711)
    mark.write_text(str(made))
    return made
