"""Branches that are gone when a change of them is carried out, and points out of reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_api import NOW, MovedClock, Script, branch, project

from neondba.branches import life
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, NotFoundProblem, RemoteProblem
from neondba.core.settings import Settings
from neondba.neon.client import NeonClient
from neondba.neon.models import Project

P = "/projects/calm-sun-12345678"
SHOP = Project.model_validate(project(history_retention_seconds=3600))
DEV = branch("dev", "br-dev-1", parent_id="br-calm-sun-1", expires_at="2026-11-21T00:00:01Z")


@pytest.fixture
def ctx(clock: MovedClock, tmp_path: Path) -> Context:
    return Context(
        settings=Settings(state_dir=tmp_path), folder=tmp_path, clock=clock, ask=lambda _plan: True
    )


def test_a_branch_that_expired_while_one_decided_is_said_so(
    client: NeonClient, script: Script, ctx: Context, clock: MovedClock
) -> None:
    script.answer(f"GET {P}/branches", {"branches": [branch(), DEV]})
    script.answer(f"GET {P}/branches", {"branches": [branch()]})
    script.answer(f"POST {P}/branches/br-dev-1/restore", {"message": "branch not found"}, 404)
    clock.seconds = 60
    with pytest.raises(NotFoundProblem, match="dev of project shop is gone: it expired at 2026-11-21 00:00"):
        life.reset(client, ctx, SHOP, "dev", None)
    (entry,) = ctx.journal.entries()
    assert entry.outcome == "branch-gone"


def test_a_parent_that_is_no_longer_there_is_named(client: NeonClient, script: Script, ctx: Context) -> None:
    script.answer(f"GET {P}/branches", {"branches": [DEV]})
    with pytest.raises(NotFoundProblem, match=r"parent of dev \(br-calm-sun-1\) is no longer"):
        life.reset(client, ctx, SHOP, "dev", None)


def test_an_lsn_that_neon_does_not_reach_names_the_window(
    client: NeonClient, script: Script, ctx: Context
) -> None:
    script.answer(f"GET {P}/branches", {"branches": [branch()]})
    refusal = {"message": "requested LSN is older than the history retention window"}
    script.answer(f"POST {P}/branches/br-calm-sun-1/restore", refusal, 400)
    with pytest.raises(ArgumentProblem, match=r"at LSN 0/1: project shop keeps 1h of history") as caught:
        life.restore(client, ctx, SHOP, "main", life.Wanted("0/1", None, None))
    assert caught.value.code == "point-outside-history"


def test_another_refusal_stays_what_it_is(client: NeonClient, script: Script, ctx: Context) -> None:
    script.answer(f"GET {P}/branches", {"branches": [branch()]})
    script.answer(f"POST {P}/branches/br-calm-sun-1/restore", {"message": "no room left"}, 507)
    with pytest.raises(RemoteProblem, match="no room left"):
        life.restore(client, ctx, SHOP, "main", life.Wanted(f"{NOW[:-1]}+00:00", None, None))
    (sent,) = [body for call, body in script.asked if call.startswith("POST")]
    assert sent["source_timestamp"] == NOW
    assert sent["preserve_under_name"] == "main_old_2026-11-21"
