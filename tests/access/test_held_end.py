"""A branch that expires is copied all the same, and expires as before afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from reached import Reached

from neondba.core.problem import ConflictProblem
from neondba.neon.client import NeonClient
from neondba.neon.throwaway import Wanted, throwaway_branch

SCHEMA = "create table note (id int primary key, user_id int not null); create role app login; "


@pytest.fixture
def fleeting(desk: Reached) -> Iterator[str]:
    """A branch that lives for three hours."""
    desk.call("branch.create", name="fleeting", expires="3h")
    yield "fleeting"
    desk.call("branch.delete", name="fleeting")


def ends(desk: Reached, client: NeonClient, name: str) -> datetime | None:
    return client.find_branch(client.project(desk.id), name).expires_at


def test_the_end_is_gone_meanwhile_and_back_after_the_last_copy(desk: Reached, fleeting: str) -> None:
    wanted = Wanted(parent=fleeting, hold_end=True)
    with desk.client() as client:
        before = ends(desk, client, fleeting)
        ctx = desk.context()
        with throwaway_branch(client, ctx, project=desk.id, purpose="one", wanted=wanted):
            assert ends(desk, client, fleeting) is None
            with throwaway_branch(client, ctx, project=desk.id, purpose="two", wanted=wanted):
                pass
            assert ends(desk, client, fleeting) is None
        assert before is not None
        assert ends(desk, client, fleeting) == before
        with (
            pytest.raises(ConflictProblem, match="expires, and Neon makes no branches"),
            throwaway_branch(client, ctx, project=desk.id, purpose="not", wanted=Wanted(parent=fleeting)),
        ):
            pass


def test_what_a_killed_run_took_away_the_next_one_puts_back(desk: Reached, fleeting: str) -> None:
    ctx = desk.context()
    with desk.client() as client:
        branch = client.find_branch(client.project(desk.id), fleeting)
        before = branch.expires_at
        note = {
            "project": desk.id,
            "branch": branch.id,
            "name": fleeting,
            "expires_at": before.isoformat() if before else "",
        }
        notes = ctx.settings.state_dir / "held-ends" / "notes"
        notes.mkdir(parents=True, exist_ok=True)
        (notes / f"{branch.id}.json").write_text(json.dumps(note))
        (notes.parent / f"{branch.id}.0badc0de").touch()
        client.update_branch(desk.id, branch.id, expires_at=None)
        with throwaway_branch(client, ctx, project=desk.id, purpose="next"):
            pass
        assert ends(desk, client, fleeting) == before
        assert not list(notes.iterdir())


def test_isolation_is_proven_on_a_branch_that_expires(desk: Reached, fleeting: str, tmp_path: Path) -> None:
    desk.sql(SCHEMA, fleeting)
    (tmp_path / ".neon").write_text(json.dumps({"projectId": desk.id, "branch": fleeting}))
    proof = desk.call("isolation.prove", folder=tmp_path)
    assert [each.table for each in proof.tables] == ["public.note"]
    with desk.client() as client:
        assert ends(desk, client, fleeting) is not None


def test_migrations_are_rehearsed_on_a_branch_that_expires_and_applied_to_it(
    desk: Reached, fleeting: str, tmp_path: Path
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_first.sql").write_text("create table board (id int primary key);")
    with desk.client() as client:
        before = ends(desk, client, fleeting)
        desk.call("migration.rehearse", path=tmp_path, project=desk.id, branch=fleeting)
        done = desk.call("migration.apply", path=tmp_path, branch=fleeting)
        assert [step.revision for step in done.steps] == ["001"]
        assert ends(desk, client, fleeting) == before
