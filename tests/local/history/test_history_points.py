"""A branch at a point holds what was committed by then, and nothing later."""

from __future__ import annotations

import os
import random
import signal

import pytest
from past import Counter, moment, place

from neondba.local.storage.point import Point


@pytest.mark.shows("storage.history")
def test_random_places_and_moments_are_exact_to_the_commit(inside):
    counter, chance = Counter(inside, inside.project()), random.Random(20261122)
    marks = counter.count(1, 300, filler=2000)
    for number, mark in enumerate(chance.sample(marks, 4)):
        asked = place(mark) if number % 2 else moment(mark)
        assert counter.at(f"point-{number}", **asked).numbers() == (mark.number, mark.number)


def test_a_branch_at_a_point_says_which(inside):
    counter = Counter(inside, inside.project())
    marks = counter.count(1, 3)
    made = inside.branch(counter.project, "then", parent_lsn=marks[1].lsn)["branch"]
    assert made["parent_lsn"] == marks[1].lsn
    made = inside.branch(counter.project, "at", parent_timestamp=marks[1].at.isoformat())["branch"]
    assert made["parent_timestamp"] == marks[1].at.strftime("%Y-%m-%dT%H:%M:%SZ")
    with inside.sql(made["id"]) as session:
        assert session.execute("select max(number) from counted").fetchone() == (2,)


def test_a_point_between_two_records_keeps_the_first_and_inside_one_drops_it(inside):
    counter = Counter(inside, inside.project())
    last, _ = counter.count(1, 2)
    high, _, low = last.lsn.partition("/")
    inside_record = f"{high}/{int(low, 16) - 9:X}"
    assert counter.at("between", parent_lsn=last.lsn).numbers() == (1, 1)
    assert counter.at("inside", parent_lsn=inside_record).numbers() == (0, None)


@pytest.mark.shows("storage.branch-of-branch")
def test_branches_of_branches_follow_their_timeline(inside):
    root = Counter(inside, inside.project())
    first = root.count(1, 20)
    child = root.at("child", **place(first[9]))
    second = child.count(101, 120)
    grandchild = child.at("grandchild", **moment(second[4]))
    third = grandchild.count(201, 210)
    assert grandchild.numbers() == (25, 210)
    assert grandchild.at("late", **place(third[2])).numbers() == (18, 203)
    assert grandchild.at("in-child", **place(second[1])).numbers() == (12, 102)
    assert grandchild.at("in-root", **place(first[3])).numbers() == (4, 4)
    assert child.at("after", **moment(second[19])).numbers() == (30, 120)
    assert root.at("root-itself", **moment(first[19])).numbers() == (20, 20)


@pytest.mark.shows("storage.branch-of-branch")
def test_a_branch_of_now_is_restorable_from_its_creation_on(inside):
    root = Counter(inside, inside.project())
    root.count(1, 10)
    for awake in (True, False):
        if not awake:
            inside.plane.computes.stop(root.timeline)
        child = Counter(inside, inside.branch(root.project, f"now-{awake}"))
        marks = child.count(11, 20)
        assert child.at(f"back-{awake}", **moment(marks[3])).numbers() == (14, 14)
        assert child.at(f"begin-{awake}", parent_lsn=child_began(inside, child)).numbers() == (10, 10)


def child_began(inside, child):
    path = {"project_id": child.project, "branch_id": child.branch}
    return inside.call("getProjectBranch", **path)["branch"]["parent_lsn"]


def test_a_sleeping_parent_stays_asleep_while_its_past_is_read(inside):
    counter = Counter(inside, inside.project())
    marks = counter.count(1, 10)
    inside.plane.computes.stop(counter.timeline)
    children = [counter.at("s-place", **place(marks[4])), counter.at("s-moment", **moment(marks[9]))]
    assert inside.plane.computes.running(counter.timeline) is None
    assert [child.numbers() for child in children] == [(5, 5), (10, 10)]


def test_a_killed_parent_has_its_past_before_and_after_it_wakes(inside):
    counter = Counter(inside, inside.project())
    marks = counter.count(1, 200, filler=3000)
    for life in range(2):
        compute = inside.plane.computes.start(counter.timeline)
        os.killpg(compute.process.pid, signal.SIGKILL)
        compute.process.wait()
        mark = marks[-3]
        assert counter.at(f"asleep-{life}", **place(mark)).numbers()[1] == mark.number
        begin = marks[-1].number + 1
        marks += counter.count(begin, begin + 60, filler=3000)
        for number, mark in enumerate((marks[-61], marks[-62], marks[5])):
            assert counter.at(f"awake-{life}-{number}", **moment(mark)).numbers() == (
                mark.number,
                mark.number,
            )


def test_roles_and_databases_are_those_of_the_moment(inside):
    counter = Counter(inside, inside.project())
    path = {"project_id": counter.project, "branch_id": counter.branch}
    inside.call("createProjectBranchRole", {"role": {"name": "early"}}, **path)
    inside.settled(counter.project)
    mark = counter.count(1, 1)[0]
    inside.call("createProjectBranchRole", {"role": {"name": "late"}}, **path)
    inside.settled(counter.project)
    inside.call("deleteProjectBranchRole", role_name="early", **path)
    inside.settled(counter.project)
    child = counter.at("roles", **place(mark))
    path["branch_id"] = child.branch
    names = [each["name"] for each in inside.call("listProjectBranchRoles", **path)["roles"]]
    assert sorted(names) == ["early", "neondb_owner"]


def test_the_present_is_a_point_like_any_other(inside):
    counter = Counter(inside, inside.project())
    counter.count(1, 5)
    history = inside.plane.history
    here = history.position(counter.timeline)
    history.make(counter.timeline, Point(timestamp=here.at), "now-by-time")
    history.make(counter.timeline, Point(lsn=here.lsn), "now-by-place")
    for name in ("now-by-time", "now-by-place"):
        with inside.plane.computes.start(name).admin("neondb") as session:
            assert session.execute("select count(*) from public.counted").fetchone() == (5,)
        inside.plane.computes.stop(name)
        inside.plane.branches.replace(name)
