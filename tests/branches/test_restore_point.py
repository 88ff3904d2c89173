"""Restore points on a local Neon: what they hold, and that the way back works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from neon_world import World

from neondba.core.problem import ConflictProblem
from neondba.neon.client import NeonClient
from neondba.neon.models import Branch, Project
from neondba.neon.restore_point import PointKind, make_restore_point, planned_restore_point
from neondba.neon.throwaway import reached


def rows(client: NeonClient, project: Project, branch: Branch, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(reached(client, project.id, branch).direct.reveal(), autocommit=True) as db:
        done = db.execute(statement.encode())
        return done.fetchall() if done.description else []


def lsn(client: NeonClient, project: Project, branch: Branch) -> str:
    ((found,),) = rows(client, project, branch, "select pg_current_wal_lsn()::text")
    return str(found)


def test_a_root_branch_gets_a_snapshot_that_comes_back_in_its_place(world: World, store: str) -> None:
    with world.client() as client:
        project = client.find_project(store)
        main = client.default_branch(project)
        assert "a snapshot" in planned_restore_point(main)
        rows(client, project, main, "create table kept (n int)")
        point = make_restore_point(client, world.context(), project, main, purpose="merge")
        assert (point.kind, point.branch) == (PointKind.SNAPSHOT, "main")
        assert point.name.startswith("main_before_merge_")
        assert point.come_back == f"neondba snapshot restore {point.name} --finalise --project {store}"
        rows(client, project, main, "drop table kept")
        assert point.id is not None
        made = client.restore_snapshot(project.id, point.id, target_id=main.id, finalise=True)
        now = client.default_branch(project)
        assert (now.id, now.name) == (made.branch.id, "main")
        assert rows(client, project, now, "select count(*) from kept") == [(0,)]
        client.delete_snapshot(project.id, point.id)
        assert client.snapshots(project.id) == []


def test_a_child_gets_a_branch_that_expires_and_takes_no_connections(world: World, store: str) -> None:
    with world.client() as client:
        project = client.find_project(store)
        child = client.create_branch(project.id, 'dev "1" ü').branch
        point = make_restore_point(client, world.context(), project, child, purpose="apply")
        held = client.find_branch(project, point.name)
        assert (point.kind, held.parent_id, held.expires_at) == (PointKind.BRANCH, child.id, point.expires_at)
        assert client.endpoints(project.id, held.id) == []
        assert point.expires_at is not None
        assert timedelta(days=6) < point.expires_at - datetime.now(UTC) <= timedelta(days=7)
        assert point.come_back.startswith(
            'neondba branch restore \'dev "1" ü\' --source \'dev "1" ü_before_apply_'
        )
        again = make_restore_point(client, world.context(), project, child, purpose="apply")
        assert again.name != point.name
        protected = child.model_copy(update={"protected": True})
        last = make_restore_point(client, world.context(), project, protected, purpose="apply")
        assert "branch protect 'dev \"1\" ü' --off" in last.come_back


def test_a_branch_that_expires_comes_back_through_its_own_history(world: World, store: str) -> None:
    with world.client() as client:
        project = client.find_project(store)
        until = datetime.now(UTC) + timedelta(hours=3)
        dev = client.create_branch(project.id, "dev", expires_at=until).branch
        assert "history" in planned_restore_point(dev)
        rows(client, project, dev, "create table kept (n int)")
        at = lsn(client, project, dev)
        point = make_restore_point(client, world.context(), project, dev, purpose="apply", lsn=at)
        assert (point.kind, point.name) == (PointKind.MOMENT, at)
        rows(client, project, dev, "drop table kept")
        client.restore_branch(
            project.id, dev.id, source_id=dev.id, lsn=point.name, preserve_under_name="dev_old"
        )
        assert rows(client, project, dev, "select count(*) from kept") == [(0,)]
        forgetful = project.model_copy(update={"history_retention_seconds": 0})
        with pytest.raises(ConflictProblem, match="keeps no history"):
            make_restore_point(client, world.context(), forgetful, dev, purpose="apply")
