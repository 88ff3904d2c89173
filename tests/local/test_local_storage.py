"""Branches are whole copies of their parents, or they are not there at all."""

from __future__ import annotations

import errno
import os
import subprocess
import threading

import psycopg
import pytest
from local_inside import Inside

from neondba.core.problem import ConflictProblem
from neondba.local.api.call import Refusal
from neondba.local.storage.cloner import FileClone, FileCopy, choose, clone_tree


@pytest.mark.shows("storage.moment")
def test_a_branch_of_a_running_parent_under_writes_is_a_moment_of_it(inside):
    made = inside.project()
    parent = made["branch"]["id"]
    with inside.sql(parent) as connection:
        connection.execute("create table pairs (side int, number int)")
        connection.execute("create table filler as select repeat('x', 1000) from generate_series(1, 5000)")
    stop, errors = threading.Event(), []

    def write() -> None:
        """Each transaction writes a pair: a clone that tears one holds an odd number."""
        with inside.sql(parent) as connection:
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    connection.execute("insert into pairs values (1, %s), (2, %s)", [number, number])
                    connection.execute("update filler set repeat = repeat('y', 1000) where ctid = '(7,1)'")
                except psycopg.Error as error:
                    errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        children = [inside.branch(made["project"]["id"], f"child-{n}")["branch"]["id"] for n in range(3)]
    finally:
        stop.set()
        writer.join()
    counts = []
    for child in children:
        with inside.sql(child) as connection:
            first, second, most = connection.execute(
                "select count(*) filter (where side = 1), count(*) filter (where side = 2), max(number)"
                " from pairs"
            ).fetchone()
            assert first == second == most
            counts.append(first)
        with inside.plane.computes.start(child).admin("neondb") as checker:
            checker.execute("create extension amcheck")
            assert checker.execute("select * from verify_heapam('public.filler')").fetchall() == []
            checker.execute("select bt_index_check(indexrelid, true) from pg_index")
    assert errors == []
    assert 0 < counts[0] < counts[1] < counts[2]


@pytest.mark.shows("storage.moment")
def test_a_branch_of_a_sleeping_parent_leaves_it_asleep(inside):
    made = inside.project()
    project_id, parent = made["project"]["id"], made["branch"]["id"]
    with inside.sql(parent) as connection:
        connection.execute("create table kept as select 7 as seven")
    inside.plane.computes.stop(parent)
    child = inside.branch(project_id, "child")["branch"]["id"]
    assert inside.plane.computes.running(parent) is None
    with inside.sql(child) as connection:
        assert connection.execute("select seven from kept").fetchone() == (7,)


def test_what_a_branch_changes_its_parent_does_not_see(inside):
    made = inside.project()
    with inside.sql(made["branch"]["id"]) as connection:
        connection.execute("create table shared as select 1 as one")
        child = inside.branch(made["project"]["id"], "child")["branch"]["id"]
        with inside.sql(child) as other:
            other.execute("delete from shared")
        assert connection.execute("select one from shared").fetchone() == (1,)


@pytest.mark.shows("storage.clone")
def test_a_branch_says_how_it_was_cloned(inside):
    made = inside.project()
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    assert inside.call("getProjectBranch", **path)["branch"]["cloned_by"] in ("ficlone", "copy")


@pytest.mark.shows("storage.clone")
def test_both_ways_to_clone_give_the_same_files(tmp_path):
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "empty").touch()
    (source / "small").write_bytes(b"small")
    (source / "deep" / "large").write_bytes(os.urandom(700_001))
    ways = [FileCopy(), FileClone()] if isinstance(choose(tmp_path), FileClone) else [FileCopy()]
    for way in ways:
        target = tmp_path / way.name
        clone_tree(way, source, target, owner=None)
        for file in ("empty", "small", "deep/large"):
            assert (target / file).read_bytes() == (source / file).read_bytes()


class NearlyFull(FileCopy):
    """Copy as long as there is room, then fail as a full disk does."""

    def __init__(self) -> None:
        self.room = 200

    def clone(self, source: int, target: int) -> None:
        """Copy one file."""
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().clone(source, target)


def test_a_disk_that_fills_up_while_cloning_leaves_nothing_half_made(fresh, monkeypatch):
    inside = fresh()
    made = inside.project()
    project_id = made["project"]["id"]
    monkeypatch.setattr(inside.plane.history, "cloner", NearlyFull())
    with pytest.raises(Refusal, match="No space left on the disk") as refused:
        inside.branch(project_id, "child")
    assert refused.value.status == 507
    inside.settled(project_id)
    operations = inside.call("listProjectOperations", project_id=project_id)["operations"]
    assert [each["status"] for each in operations[:2]] == ["cancelled", "failed"]
    names = [each["name"] for each in inside.call("listProjectBranches", project_id=project_id)["branches"]]
    assert names == ["main"]
    assert [each.name for each in inside.plane.branches.folder.iterdir()] == [made["branch"]["id"]]


@pytest.mark.shows("machine.full-disk")
def test_a_full_disk_refuses_a_branch_before_promising_it(templates, tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=190m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system needs root")
    try:
        (tmp_path / "local").mkdir()
        (tmp_path / "local" / "templates").symlink_to(templates)
        inside = Inside(tmp_path / "local")
        made = inside.project()
        project_id = made["project"]["id"]
        answers = [_try_branch(inside, project_id, f"child-{n}") for n in range(4)]
        assert answers[-1].startswith("507 no space left: the branch needs")
        kept = {each["id"] for each in inside.call("listProjectBranches", project_id=project_id)["branches"]}
        assert {each.name for each in inside.plane.branches.folder.iterdir()} == kept
        with inside.sql(made["branch"]["id"]) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        with pytest.raises(OSError, match="No space left"):
            _fill(tmp_path / "filler")
        # The state has room set aside: what frees space can always be asked for.
        _rename_often(inside, project_id)
        (tmp_path / "filler").unlink()
        inside.call("updateProject", {"project": {"name": "last"}}, project_id=project_id)
        assert inside.call("getProject", project_id=project_id)["project"]["name"] == "last"
        inside.plane.close()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def _fill(path):
    with path.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def _rename_often(inside, project_id):
    for number in range(500):
        inside.call("updateProject", {"project": {"name": f"name-{number}" * 20}}, project_id=project_id)


def _try_branch(inside, project_id, name):
    try:
        inside.branch(project_id, name, compute=False)
    except Refusal as refusal:
        return f"{refusal.status} {refusal.message}"
    return "made"


@pytest.mark.parametrize("spoiled", ["data/PG_VERSION", "layout.json"])
def test_a_directory_of_another_version_is_one_clear_problem(inside, spoiled):
    made = inside.project()
    branch_id = made["branch"]["id"]
    inside.plane.computes.stop(branch_id)
    file = inside.plane.branches.folder / branch_id / spoiled
    file.write_text('{"layout": 99}' if file.suffix else "17\n")
    with pytest.raises(ConflictProblem) as refused:
        inside.plane.computes.start(branch_id)
    assert refused.value.code == "data-directory-version"
    assert "17" in refused.value.message or "99" in refused.value.message
    assert refused.value.hint
