"""What is inside the window can be reached; what is older is dropped, and missed by nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from past import Counter, moment, place, point

from neondba.core.problem import ArgumentProblem
from neondba.local.control.history import LEAST, Keeper, spacing
from neondba.local.storage import wal
from neondba.local.storage.archive import Archive, base_name, write_base
from neondba.local.storage.point import Point


@pytest.mark.shows("storage.history")
def test_points_outside_the_window_are_refused_with_its_bounds(inside):
    counter = Counter(inside, inside.project())
    mark = counter.count(1, 3)[-1]
    for asked in (
        {"parent_lsn": "FF/0"},
        {"parent_lsn": "0/1"},
        {"parent_timestamp": (mark.at - timedelta(days=2)).isoformat()},
        {"parent_timestamp": (mark.at - timedelta(hours=2)).isoformat()},
    ):
        assert "is outside the history window: it reaches from 20" in counter.refusal(**asked)
    assert "future" in counter.refusal(parent_timestamp=(mark.at + timedelta(hours=1)).isoformat())
    assert counter.refusal(parent_lsn="nonsense")
    assert counter.refusal(parent_lsn="0/1", parent_timestamp=mark.at.isoformat())
    names = [
        row["name"] for row in inside.call("listProjectBranches", project_id=counter.project)["branches"]
    ]
    assert names == ["main"]


@pytest.mark.shows("storage.history-window")
def test_the_window_begins_with_the_project_and_ends_now(inside):
    counter = Counter(inside, inside.project())
    mark = counter.count(1, 1)[0]
    window = inside.plane.history.window(counter.timeline)
    assert window.oldest < mark.at < window.newest
    assert wal.number(window.oldest_lsn) < wal.number(mark.lsn) <= wal.number(window.newest_lsn)


@pytest.mark.shows("storage.history-window")
def test_a_project_without_history_refuses_the_past_and_archives_nothing(inside):
    body = {"project": {"name": "none", "history_retention_seconds": 0}}
    made = inside.call("createProject", body)
    inside.settled(made["project"]["id"])
    counter = Counter(inside, made)
    mark = counter.count(1, 1)[0]
    assert "keeps no history" in counter.refusal(**place(mark))
    assert inside.plane.history.window(counter.timeline) is None
    assert not inside.plane.history.archive(counter.timeline).kept
    assert Counter(inside, inside.branch(counter.project, "child")).numbers() == (1, 1)


def test_a_base_bounds_what_is_replayed(inside):
    counter = Counter(inside, inside.project())
    first = counter.count(1, 5)
    assert inside.plane.history.take_base(counter.timeline)
    second = counter.count(6, 10)
    newest = inside.plane.history.archive(counter.timeline).usable()[-1]
    found = inside.plane.history.locate(counter.timeline, point(second[0]))
    assert found.base == newest
    assert inside.plane.history.locate(counter.timeline, point(first[-1])).base.stop < newest.stop
    assert counter.at("on-base", **moment(second[2])).numbers() == (8, 8)
    assert counter.at("before-base", **moment(first[2])).numbers() == (3, 3)


def test_bases_are_spaced_by_what_was_written():
    assert spacing(0, "ficlone") == spacing(10 << 30, "ficlone") == spacing(0, "copy") == LEAST
    assert spacing(10 << 30, "copy") == 5 << 30


def test_a_base_is_taken_when_enough_was_written_and_not_before(fresh):
    inside = fresh()
    counter = Counter(inside, inside.project())
    counter.count(1, 1)
    keeper = Keeper(inside.plane.state, inside.plane.computes, inside.plane.history, inside.clock.now)
    inside.plane.keeper.close()
    assert keeper.take_due() == []
    with inside.sql(counter.branch) as session:
        session.execute("create table filler as select repeat('x', 900) from generate_series(1, 75000)")
    assert keeper.take_due() == [counter.timeline]
    assert keeper.take_due() == []


def test_bases_that_are_near_each_other_are_thinned_out_later(tmp_path):
    archive, now = Archive(tmp_path), datetime(2026, 11, 22, tzinfo=UTC)
    for number, position in enumerate((1, 2, 3, 9, 10, 20, 21)):
        folder = archive.bases_folder / base_name(position)
        folder.mkdir(parents=True)
        write_base(folder, position, position, now + timedelta(minutes=number), 0)
    archive.thin(now + timedelta(minutes=3, seconds=1), 5)
    assert [base.redo for base in archive.bases()] == [1, 3, 9, 10, 20, 21]
    archive.thin(now + timedelta(hours=1), 5)
    assert [base.redo for base in archive.bases()] == [1, 3, 9, 10, 20, 21]
    archive.thin(now + timedelta(hours=1), 11)
    assert [base.redo for base in archive.bases()] == [1, 10, 21]


def test_old_history_is_dropped_and_children_keep_theirs(fresh):
    inside = fresh()
    counter, history = Counter(inside, inside.project()), inside.plane.history
    inside.plane.keeper.close()
    old = counter.count(1, 10)
    child = counter.at("child", **place(old[4]))
    own = child.count(101, 110)
    assert history.take_base(counter.timeline)
    inside.clock.ahead = timedelta(days=1, seconds=5)
    counter.count(11, 12)
    inside.plane.keeper.drop()
    bases = history.archive(counter.timeline).usable()
    assert len(bases) == 1
    archived = history.archive(counter.timeline).wal.iterdir()
    assert all(wal.segment_number(file.name) >= bases[0].redo // wal.SEGMENT for file in archived)
    with pytest.raises(ArgumentProblem, match="outside the history window"):
        history.locate(counter.timeline, point(old[3]))
    with pytest.raises(ArgumentProblem, match="outside the history window"):
        history.locate(child.timeline, Point(timestamp=own[0].at))
    assert child.at("still", **place(own[6])).numbers() == (12, 107)


def test_no_retention_drops_everything_while_the_compute_runs_on(fresh):
    inside = fresh()
    inside.plane.keeper.close()
    counter = Counter(inside, inside.project())
    mark = counter.count(1, 10)[4]
    none, day = ({"project": {"history_retention_seconds": n}} for n in (0, 86400))
    inside.call("updateProject", none, project_id=counter.project)
    inside.plane.keeper.drop()
    archive = inside.plane.history.archive(counter.timeline)
    assert archive.bases() == []
    assert list(archive.wal.iterdir()) == []
    counter.count(11, 12)
    inside.call("updateProject", day, project_id=counter.project)
    assert "outside the history window" in counter.refusal(**place(mark))
    inside.plane.computes.stop(counter.timeline)
    counter.count(13, 13)
    assert inside.plane.history.take_base(counter.timeline)
    mark = counter.count(14, 20)[2]
    assert counter.at("again", **moment(mark)).numbers() == (16, 16)


def test_a_base_that_a_crash_left_half_made_is_swept(fresh, state):
    inside = fresh()
    counter = Counter(inside, inside.project())
    counter.count(1, 2)
    archive = inside.plane.history.archive(counter.timeline)
    whole = archive.bases()
    part = archive.bases_folder / "taking.part"
    (part / "data").mkdir(parents=True)
    inside.plane.close()
    inside.open()
    assert not part.exists()
    assert archive.bases() == whole


def test_deleting_a_branch_deletes_its_history(inside):
    counter = Counter(inside, inside.project())
    mark = counter.count(1, 3)[1]
    child = counter.at("child", **place(mark))
    timeline = child.timeline
    assert inside.plane.history.archive(timeline).usable()
    path = {"project_id": counter.project, "branch_id": child.branch}
    inside.call("deleteProjectBranch", query={"hard_delete": "true"}, **path)
    inside.settled(counter.project)
    assert not (inside.plane.branches.folder / timeline).exists()
    assert counter.at("parent-lives", **place(mark)).numbers() == (2, 2)
