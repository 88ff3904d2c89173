"""Restore points where the platform refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_api import MovedClock, Script, branch, operation, project

from neondba.core.context import Context
from neondba.core.problem import RemoteProblem
from neondba.core.settings import Settings
from neondba.neon.client import NeonClient
from neondba.neon.models import Branch, Project
from neondba.neon.restore_point import PointKind, make_restore_point

P = "/projects/calm-sun-12345678"
SHOP = Project.model_validate(project(history_retention_seconds=86400))
MAIN = Branch.model_validate(branch())


@pytest.fixture
def ctx(clock: MovedClock, tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path), clock=clock)


@pytest.fixture
def without_snapshots(script: Script) -> Script:
    script.answer(f"GET {P}/snapshots", {"snapshots": []})
    script.answer(f"GET {P}/branches", {"branches": [branch()]})
    script.answer(f"GET {P}/branches", {"branches": []})
    return script


def test_a_plan_without_snapshots_gives_a_branch(
    client: NeonClient, without_snapshots: Script, ctx: Context
) -> None:
    script = without_snapshots
    script.answer(f"POST {P}/branches/br-calm-sun-1/snapshot", {"message": "snapshots limit exceeded"}, 422)
    made = {"branch": branch("held", "br-held-1"), "operations": [operation("finished")]}
    script.answer(f"POST {P}/branches", made)
    point = make_restore_point(client, ctx, SHOP, MAIN, purpose="merge")
    assert (point.kind, point.id) == (PointKind.BRANCH, "br-held-1")
    (sent,) = [body for call, body in script.asked if call == f"POST {P}/branches"]
    assert sent["branch"]["parent_id"] == MAIN.id
    assert sent["branch"]["expires_at"] == "2026-11-28T00:00:00Z"
    assert sent["endpoints"] == []


def test_a_platform_that_fails_leaves_no_doubtful_point(
    client: NeonClient, without_snapshots: Script, ctx: Context
) -> None:
    without_snapshots.answer(f"POST {P}/branches/br-calm-sun-1/snapshot", {"message": "broken"}, 500)
    with pytest.raises(RemoteProblem, match="broken"):
        make_restore_point(client, ctx, SHOP, MAIN, purpose="merge")
    assert f"POST {P}/branches" not in without_snapshots.calls()
