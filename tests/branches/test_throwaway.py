"""Throw-away branches: made, used, and gone whatever happens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from neon_world import World

from neondba.core.context import Clock, Context
from neondba.core.secret import Secret
from neondba.neon.throwaway import throwaway_branch


def names(world: World) -> list[str]:
    with world.client() as client:
        return sorted(branch.name for project in client.projects() for branch in client.branches(project.id))


def one(url: Secret) -> tuple[object, ...] | None:
    with psycopg.connect(url.reveal()) as db:
        return db.execute("select current_user, current_database()").fetchone()


def test_a_throw_away_branch_answers_and_is_gone_afterwards(world: World, shop: str) -> None:
    with (
        world.client() as client,
        throwaway_branch(client, world.context(), project=shop, purpose="test") as it,
    ):
        assert names(world) == ["main", it.branch_name]
        assert one(it.direct) == one(it.pooled) == ("neondb_owner", "neondb")
        place = (it.project_id, it.branch_id, it.database, it.role)
        assert it.pooled == client.connection_uri(*place, pooled=True)
        client.create_role(it.project_id, it.branch_id, "app")
        assert one(it.role_url("app")) == ("app", "neondb")
        branch = client.branch(it.project_id, it.branch_id)
        assert branch.expires_at is not None
        assert branch.expires_at - datetime.now(UTC) <= timedelta(hours=1)
        assert "npg_" not in repr(it)
    assert names(world) == ["main"]


def test_a_role_made_by_sql_connects_with_its_password(world: World, shop: str) -> None:
    with (
        world.client() as client,
        throwaway_branch(client, world.context(), project=shop, purpose="test") as it,
    ):
        word = "Pw" + "5" * 20
        with psycopg.connect(it.direct.reveal()) as db:
            db.execute(f"create role visitor login password '{word}'")
        assert one(it.role_url("visitor", password=Secret(word))) == ("visitor", "neondb")


def test_without_a_project_it_is_a_project_of_its_own(world: World, shop: str) -> None:
    with (
        world.client() as client,
        throwaway_branch(client, world.context(), project=None, purpose="test") as it,
    ):
        assert one(it.direct) == ("neondb_owner", "neondb")
        assert names(world) == ["main", "main"]
    assert names(world) == ["main"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_it_is_gone_after_an_exception(world: World, shop: str, error: type[BaseException]) -> None:
    with (
        world.client() as client,
        pytest.raises(error),
        throwaway_branch(client, world.context(), project=shop, purpose="test"),
    ):
        raise error
    assert names(world) == ["main"]


def test_it_is_gone_when_the_user_cancels(world: World, shop: str) -> None:
    ctx = world.context()
    ctx.listener = lambda _text, _done: setattr(ctx, "cancelled", lambda: True)
    with (
        world.client() as client,
        pytest.raises(KeyboardInterrupt),
        throwaway_branch(client, ctx, project=shop, purpose="test"),
    ):
        ctx.progress("working")
    assert names(world) == ["main"]


SCRIPT = """
import sys
from pathlib import Path
from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import platform
from neondba.neon.throwaway import throwaway_branch
ctx = Context(settings=Settings(state_dir=Path(sys.argv[1])))
with platform.client(ctx) as client, throwaway_branch(client, ctx, project=sys.argv[2], purpose="test"):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_removes_it(world: World, shop: str, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(world.state), shop],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert len(names(world)) == 2
        os.kill(child.pid, number)
        assert child.wait(60) != 0
    assert names(world) == ["main"]


def test_sigterm_is_handled_as_before_afterwards(world: World, shop: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with world.client() as client, throwaway_branch(client, world.context(), project=shop, purpose="test"):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


class LaterClock(Clock):
    """Two hours ahead."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(hours=2)


def test_old_left_overs_go_and_everything_else_stays(world: World, shop: str) -> None:
    with world.client() as client:
        project = client.find_project(shop)
        soon = datetime.now(UTC) + timedelta(hours=1)
        for name, expires in [("neondba-test-0123abcd", soon), ("neondba-test-kept0000", soon)]:
            client.create_branch(project.id, name, expires_at=expires, compute=False)
        client.create_branch(project.id, "neondba-test-89abcdef", compute=False)
        client.create_project("neondba-test-0123abcd")
        later = Context(settings=world.context().settings, clock=LaterClock(), chance=random.Random(1))
        with throwaway_branch(client, later, project=shop, purpose="test"):
            pass
        with throwaway_branch(client, world.context(), project=None, purpose="test"):
            assert "neondba-test-0123abcd" in [each.name for each in client.projects()]
        with throwaway_branch(client, later, project=None, purpose="test"):
            pass
    assert names(world) == ["main", "neondba-test-89abcdef", "neondba-test-kept0000"]
