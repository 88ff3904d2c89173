"""What is used is counted, and quotas hold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from neondba.core.problem import ConflictProblem
from neondba.local.api.call import Refusal
from neondba.local.api.views import ORGANIZATION
from neondba.local.control.worker import stamp
from neondba.local.metering import usage
from neondba.local.metering.hours import shares
from neondba.local.state.usage import UsageRow


def ask(inside, name, *metrics, since=timedelta(hours=3), granularity="hourly", **more):
    now = inside.clock.now()
    query = {
        "from": stamp(now - since),
        "to": stamp(now + timedelta(seconds=1)),
        "granularity": granularity,
        "org_id": ORGANIZATION,
        "metrics": ",".join(metrics),
        **more,
    }
    return inside.call(name, None, query)


def measured(inside):
    inside.plane.meter.tick()
    inside.plane.meter.round()


def within_an_hour(inside):
    """Go on to the middle of an hour and of a month: usage is told by both, and a test takes its time."""
    inside.clock.ahead += timedelta(minutes=(90 - inside.clock.now().minute) % 60)
    while not 3 <= inside.clock.now().day <= 25:
        inside.clock.ahead += timedelta(days=1)


@pytest.fixture(scope="module")
def inside(inside):
    within_an_hour(inside)
    return inside


def metric(frames, name):
    return [each["value"] for frame in frames for each in frame["metrics"] if each["metric_name"] == name]


def read_only(inside, branch_id, wanted):
    """Tell whether new sessions begin so; PostgreSQL reads its settings again a moment after it is told."""
    for _ in range(200):
        with inside.sql(branch_id) as session:
            if session.execute("show default_transaction_read_only").fetchone() == (wanted,):
                return True
            session.execute("select pg_sleep(0.01)")
    return False


@pytest.mark.shows("metering.time")
def test_an_awake_compute_is_counted_by_its_size_and_the_hours_it_lies_in(fresh):
    inside = fresh()
    within_an_hour(inside)
    made = inside.project()
    project_id, endpoint_id = made["project"]["id"], made["endpoints"][0]["id"]
    size = {"autoscaling_limit_min_cu": 0.5, "autoscaling_limit_max_cu": 0.5, "suspend_timeout_seconds": -1}
    inside.call("updateProjectEndpoint", {"endpoint": size}, project_id=project_id, endpoint_id=endpoint_id)
    inside.settled(project_id)
    inside.call("startProjectEndpoint", project_id=project_id, endpoint_id=endpoint_id)
    inside.settled(project_id)
    measured(inside)
    inside.clock.ahead += timedelta(hours=2)
    measured(inside)
    found = ask(inside, "getConsumptionHistoryPerProjectV2", "compute_unit_seconds")["projects"]
    (shown,) = [each for each in found if each["project_id"] == project_id]
    values = metric(shown["periods"][0]["consumption"], "compute_unit_seconds")
    assert 3600 <= sum(values) <= 3660
    assert len(values) == 3
    assert 1800 <= values[1] <= 1830
    used = inside.call("getProject", project_id=project_id)["project"]
    assert 7200 <= used["active_time_seconds"] <= 7320
    assert 3600 <= used["compute_time_seconds"] <= 3660


def test_written_bytes_and_sizes_are_read_from_the_branch(inside):
    made = inside.project()
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    inside.plane.meter.sample(inside.timeline(branch_id))
    with inside.sql(branch_id) as session:
        session.execute("create table item as select n, repeat('x', 100) from generate_series(1, 50000) n")
    inside.plane.meter.sample(inside.timeline(branch_id))
    shown = inside.call("getProjectBranch", project_id=project_id, branch_id=branch_id)["branch"]
    assert shown["written_data_bytes"] > 5_000_000
    assert shown["logical_size"] > 5_000_000


@pytest.mark.shows("metering.transfer")
def test_what_the_proxy_sends_is_counted_for_its_branch(inside):
    made = inside.project()
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    inside.plane.directory.transferred(made["endpoints"][0]["id"], 70_000, 5)
    measured(inside)
    assert inside.call("getProjectBranch", **path)["branch"]["data_transfer_bytes"] == 70_000
    query = {"project_ids": path["project_id"]}
    (shown,) = ask(inside, "getConsumptionHistoryPerProject", **query)["projects"]
    assert shown["periods"][0]["consumption"]
    assert (
        inside.call("getProject", project_id=path["project_id"])["project"]["data_transfer_bytes"] == 70_000
    )


@pytest.mark.shows("metering.storage")
def test_a_child_pays_for_what_it_wrote_and_is_counted_as_extra(inside):
    made = inside.project()
    project_id = made["project"]["id"]
    inside.branch(project_id, "child")
    names = ("root_branch_bytes_month", "child_branch_bytes_month", "extra_branches_month")
    measured(inside)
    (shown,) = ask(inside, "getConsumptionHistoryPerProjectV2", *names, project_ids=project_id)["projects"]
    frames = shown["periods"][0]["consumption"]
    root, child = (sum(metric(frames, name)) for name in names[:2])
    assert root > 10_000_000
    assert child < root / 10
    assert sum(metric(frames, "extra_branches_month")) == len(frames)


def test_storage_is_used_while_nobody_is_there(inside):
    within_an_hour(inside)
    made = inside.project()
    branch_id = made["branch"]["id"]
    inside.plane.meter.sample(inside.timeline(branch_id))
    measured(inside)
    inside.clock.ahead += timedelta(hours=30)
    measured(inside)
    with inside.plane.state.read() as rows:
        found = rows.all(UsageRow, branch_id=branch_id)
    assert len(found) == 31
    assert len({row.logical_bytes for row in found}) == 1


def test_usage_outlives_its_branch(inside):
    made = inside.project()
    project_id = made["project"]["id"]
    child = inside.branch(project_id, "child")["branch"]["id"]
    measured(inside)
    inside.call("deleteProjectBranch", project_id=project_id, branch_id=child)
    inside.settled(project_id)
    found = ask(inside, "getConsumptionHistoryPerBranchV2", "compute_unit_seconds", project_ids=project_id)
    assert child in [each["branch_id"] for each in found["branches"]]


def test_branches_come_in_pages(inside):
    project_id = inside.project()["project"]["id"]
    inside.branch(project_id, "child", compute=False)
    more = {"project_ids": project_id, "limit": "1"}
    first = ask(inside, "getConsumptionHistoryPerBranchV2", "compute_unit_seconds", **more)
    more["cursor"] = first["pagination"]["cursor"]
    second = ask(inside, "getConsumptionHistoryPerBranchV2", "compute_unit_seconds", **more)
    names = [each["branch_id"] for page in (first, second) for each in page["branches"]]
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"metrics": "kisses"}, 400),
        ({"metrics": ""}, 400),
        ({"granularity": "weekly"}, 400),
        ({"from": "yesterday"}, 400),
        ({"from": "2020-01-01T00:00:00Z"}, 406),
        ({"to": "2020-01-01T00:00:00Z"}, 406),
        ({"org_id": "org-other"}, 404),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(inside, changed, status):
    with pytest.raises(Refusal) as refused:
        ask(
            inside, "getConsumptionHistoryPerProjectV2", *[], **{"metrics": "compute_unit_seconds", **changed}
        )
    assert refused.value.status == status


def test_what_a_branch_cannot_tell_is_refused_by_name(inside):
    with pytest.raises(Refusal, match="extra_branches_month"):
        ask(inside, "getConsumptionHistoryPerBranchV2", "extra_branches_month", project_ids="p")


@pytest.mark.shows("metering.quota")
def test_a_used_up_quota_suspends_and_keeps_asleep_until_it_is_raised(fresh):
    inside = fresh()
    made = inside.project()
    project_id, endpoint_id = made["project"]["id"], made["endpoints"][0]["id"]
    quota = {"project": {"settings": {"quota": {"active_time_seconds": 60}}}}
    inside.call("updateProject", quota, project_id=project_id)
    inside.settled(project_id)
    measured(inside)
    inside.clock.ahead += timedelta(seconds=70)
    measured(inside)
    inside.plane.quotas.enforce()
    assert inside.plane.computes.awake() == []
    with pytest.raises(ConflictProblem, match="active time quota"):
        inside.plane.directory.verifier(endpoint_id, "neondb_owner")
    quota["project"]["settings"]["quota"]["active_time_seconds"] = 0
    inside.call("updateProject", quota, project_id=project_id)
    inside.plane.quotas.enforce()
    assert inside.plane.directory.verifier(endpoint_id, "neondb_owner")


@pytest.mark.shows("metering.size-quota")
def test_a_branch_over_its_size_takes_deletes_only_and_writes_again_when_smaller(inside):
    made = inside.project()
    project_id, branch_id = made["project"]["id"], made["branch"]["id"]
    timeline = inside.timeline(branch_id)
    quota = {"project": {"settings": {"quota": {"logical_size_bytes": 1_000_000}}}}
    inside.call("updateProject", quota, project_id=project_id)
    inside.settled(project_id)
    inside.plane.computes.start(timeline)
    inside.plane.meter.sample(timeline)
    inside.plane.quotas.enforce()
    assert read_only(inside, branch_id, "on")
    with inside.sql(branch_id) as session:
        session.execute("set default_transaction_read_only = off")
        session.execute("create table freed ()")
    quota["project"]["settings"]["quota"]["logical_size_bytes"] = 0
    inside.call("updateProject", quota, project_id=project_id)
    inside.plane.quotas.enforce()
    assert read_only(inside, branch_id, "off")


def test_a_span_is_split_at_the_hours():
    from datetime import UTC, datetime

    start = datetime(2026, 1, 1, 9, 59, tzinfo=UTC)
    found = dict(shares(start, start + timedelta(minutes=62)))
    assert found == {"2026-01-01T09:00:00Z": 60, "2026-01-01T10:00:00Z": 3600, "2026-01-01T11:00:00Z": 60}


def test_legacy_figures_sum_what_the_hours_hold():
    rows = [
        UsageRow(
            branch_id="b", hour=f"2026-01-01T0{n}:00:00Z", project_id="p", child=False, logical_bytes=10 + n
        )
        for n in range(3)
    ]
    shown = usage.legacy(rows)
    assert (shown["data_storage_bytes_hour"], shown["logical_size_bytes"]) == (33, 12)
