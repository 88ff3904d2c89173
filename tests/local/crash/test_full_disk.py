"""A disk that fills up costs the work that needed the room, and nothing else."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from local_inside import Inside

from neondba.core.problem import Problem
from neondba.local.api import space
from neondba.local.api.call import Refusal

MEGABYTE = 1 << 20
LEVELS = (200, 50, 20, 3, 0)
"""Megabytes left free."""


class Disk:
    """A local Neon on a small disk that a test fills."""

    def __init__(self, folder: Path, templates: Path) -> None:
        self.folder = folder
        (folder / "local").mkdir()
        (folder / "local" / "templates").symlink_to(templates)
        self.inside = Inside(folder / "local")
        made = self.inside.project()
        self.project, self.main = made["project"]["id"], made["branch"]["id"]
        self.written = 0
        with self.inside.sql(self.main) as session:
            session.execute("create table t (n int)")

    def leave(self, megabytes: int) -> None:
        """Fill the disk but for so much."""
        self.clear()
        free = os.statvfs(self.folder)
        size = max(free.f_bavail * free.f_frsize - megabytes * MEGABYTE, 0)
        with (self.folder / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            os.posix_fallocate(filler.fileno(), 0, size)
            while not megabytes:
                filler.seek(0, os.SEEK_END)
                filler.write(bytes(4096))

    def clear(self) -> None:
        """Free what was filled."""
        (self.folder / "filler").unlink(missing_ok=True)

    def write(self, size: int = 100) -> bool:
        """Commit a row; tell whether it was acknowledged."""
        self.written += 1
        try:
            with self.inside.sql(self.main) as session:
                session.execute("insert into t values (%s)", [self.written])
                session.execute("select pg_logical_emit_message(true, 'x', repeat('x', %s))", [size])
        except (psycopg.Error, Problem, OSError):
            return False
        return True

    def rows(self, branch_id: str, query: str) -> list[tuple[Any, ...]]:
        """Read from a branch, as soon as its compute has died or come back."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with self.inside.sql(branch_id) as session:
                    return session.execute(query).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise

    def tried(self, name: str, **given: Any) -> str:
        """Ask for something; give `done` or how it was refused."""
        try:
            self.inside.call(
                name, given.pop("body", None), given.pop("query", None), project_id=self.project, **given
            )
        except Refusal as refusal:
            return f"{refusal.status} {refusal.message}"
        except OSError as error:
            return f"{507 if error.errno == errno.ENOSPC else 500} {error}"
        return "done"

    def settle(self) -> None:
        """Wait until nothing is in flight; what stopped half-way is taken up."""
        self.inside.plane.sweeper.resume()
        self.inside.settled(self.project)

    def names(self) -> list[str]:
        """Give the directories of branches."""
        return sorted(each.name for each in self.inside.plane.branches.folder.iterdir())

    def known(self) -> list[str]:
        """Give the timelines that branches and snapshots have."""
        from neondba.local.state.tables import TimelineRow

        with self.inside.plane.state.read() as rows:
            return sorted(row.id for row in rows.all(TimelineRow))


@pytest.fixture
def disk(templates: Path, tmp_path: Path) -> Iterator[Callable[[int], Disk]]:
    """Make a small disk, where that is allowed."""
    made: list[Disk] = []

    def make(megabytes: int) -> Disk:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(tmp_path)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small file system needs root")
        made.append(Disk(tmp_path, templates))
        return made[0]

    yield make
    for each in made:
        each.inside.plane.close()
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.shows("machine.full-disk")
@pytest.mark.shows("machine.full-disk")
def test_whatever_is_asked_of_a_full_disk_is_done_or_refused_whole(disk, monkeypatch):
    # Somebody else may take the room after we have looked.
    monkeypatch.setattr(space, "SPARE", -(1 << 40))
    small = disk(420)
    acknowledged, said = set(), []
    small.inside.branch(small.project, "child", compute=False)
    child = next(
        each["id"]
        for each in small.inside.call("listProjectBranches", project_id=small.project)["branches"]
        if each["name"] == "child"
    )
    for level in LEVELS:
        small.leave(level)
        if small.write():
            acknowledged.add(small.written)
        said += [(level, *each) for each in _everything(small, child, level)]
        small.clear()
        small.settle()
        assert small.names() == small.known()
        for name in small.names():
            assert list((small.inside.plane.branches.folder / name).glob("bases/*.*")) == []
        assert small.write()
        acknowledged.add(small.written)
        _drop_all(small, child)
    assert {each[2][:3] for each in said} <= {"don", "507"}, said
    assert {"don", "507"} <= {each[2][:3] for each in said}
    assert acknowledged <= {row[0] for row in small.rows(small.main, "select n from t")}


def _everything(small: Disk, child: str, level: int) -> Iterator[tuple[str, str]]:
    """Ask for what takes room."""
    branch = {"branch": {"name": f"b{level}"}, "endpoints": [{"type": "read_write"}]}
    restore = {"source_branch_id": small.main, "preserve_under_name": f"kept{level}"}
    yield "branch", small.tried("createProjectBranch", body=branch)
    small.inside.plane.worker.wait(60, project_id=small.project)
    yield "restore", small.tried("restoreProjectBranch", body=restore, branch_id=child)
    small.inside.plane.worker.wait(60, project_id=small.project)
    yield "snapshot", small.tried("createSnapshot", branch_id=small.main)
    small.inside.plane.worker.wait(60, project_id=small.project)
    with suppress(OSError, Problem, psycopg.Error):
        small.inside.plane.history.take_base(small.main)


def _drop_all(small: Disk, child: str) -> None:
    """Delete what was made, so that the next round begins alike."""
    for each in small.inside.call("listSnapshots", project_id=small.project)["snapshots"]:
        small.inside.call("deleteSnapshot", project_id=small.project, snapshot_id=each["id"])
        small.settle()
    for each in small.inside.call("listProjectBranches", project_id=small.project)["branches"]:
        if each["id"] not in (small.main, child):
            where = {"project_id": small.project, "branch_id": each["id"]}
            small.inside.call("deleteProjectBranch", None, {"hard_delete": "true"}, **where)
            small.settle()


@pytest.mark.shows("machine.full-disk")
@pytest.mark.shows("machine.full-disk")
def test_a_parent_that_dies_of_a_full_disk_loses_nothing_and_comes_back(disk):
    small = disk(260)
    acknowledged, marks = set(), []
    for number in range(400):
        if number == 5:
            small.leave(24)
        if not small.write(MEGABYTE):
            break
        acknowledged.add(small.written)
        with suppress(psycopg.Error, Problem), small.inside.sql(small.main) as session:
            row = session.execute("select pg_current_wal_lsn()::text").fetchone()
            marks.append((small.written, row[0]))
    else:
        raise AssertionError("the disk never filled")
    assert len(acknowledged) > 5
    small.clear()
    small.settle()
    assert acknowledged <= {row[0] for row in small.rows(small.main, "select n from t")}
    number, lsn = marks[-2]
    past = small.inside.branch(small.project, "past", parent_lsn=lsn)["branch"]["id"]
    assert small.rows(past, "select max(n), count(*) from t") == [(number, number)]


@pytest.mark.shows("machine.full-disk")
def test_a_branch_can_be_deleted_on_a_full_disk_to_make_room(disk):
    small = disk(260)
    child = small.inside.branch(small.project, "child", compute=False)["branch"]["id"]
    small.leave(0)
    where = {"query": {"hard_delete": "true"}, "branch_id": child}
    assert small.tried("deleteProjectBranch", **where) == "done"
    small.settle()
    assert small.names() == small.known() == [small.main]
