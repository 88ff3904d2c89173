"""What a compute that was killed leaves in the system is cleared."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from neondba.local.control import roles

SEGMENTS = Path("/proc/sysvipc/shm")


def memory(compute):
    """Give the segments that a compute's process made, and the files of its shared memory."""
    rows = [line.split() for line in SEGMENTS.read_text().splitlines()[1:]]
    maps = Path(f"/proc/{compute.process.pid}/maps")
    files = {word for word in maps.read_text().split() if word.startswith("/dev/shm/PostgreSQL.")}
    return [row[1] for row in rows if row[4] == str(compute.process.pid)], files


def kill(compute):
    os.kill(compute.process.pid, signal.SIGKILL)
    compute.process.wait(30)


@pytest.mark.skipif(not SEGMENTS.exists(), reason="only Linux tells who made which segment")
def test_shared_memory_of_a_killed_compute_goes_with_its_directory(inside):
    made = inside.project()
    compute = inside.plane.computes.start(inside.timeline(made["branch"]["id"]))
    segments, files = memory(compute)
    assert segments
    assert files
    kill(compute)
    inside.call("deleteProject", None, {"hard_delete": "true"}, project_id=made["project"]["id"])
    inside.settled(made["project"]["id"])
    left = {line.split()[1] for line in SEGMENTS.read_text().splitlines()[1:]}
    assert not left & set(segments)
    assert [file for file in files if Path(file).exists()] == []


def test_sockets_of_a_killed_compute_are_removed_and_it_wakes_again(inside):
    made = inside.project()
    name = inside.timeline(made["branch"]["id"])
    compute = inside.plane.computes.start(name)
    kill(compute)
    inside.plane.computes.bury()
    assert not compute.place.sockets.exists()
    assert name not in inside.plane.computes.awake()
    with inside.sql(made["branch"]["id"]) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_a_role_that_was_acknowledged_is_made_though_its_compute_dies_under_it(inside, monkeypatch):
    made = inside.project()
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    apply, killed = roles.apply, []

    def dying(compute, *rest):
        if not killed:
            killed.append(compute)
            kill(compute)
        apply(compute, *rest)

    monkeypatch.setattr(roles, "apply", dying)
    inside.call("createProjectBranchRole", {"role": {"name": "late"}}, **path)
    inside.settled(path["project_id"])
    assert killed
    (last, *_) = inside.call("listProjectOperations", project_id=path["project_id"])["operations"]
    assert (last["action"], last["status"], last["failures_count"]) == ("apply_config", "finished", 1)
    with inside.sql(path["branch_id"], "late") as session:
        assert session.execute("select current_user").fetchone() == ("late",)
