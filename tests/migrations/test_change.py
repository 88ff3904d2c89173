"""Only what was rehearsed is applied, only where nothing has moved, and the way back is known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neondba.core.context import Context
from neondba.core.operation import find
from neondba.core.plan import Plan
from neondba.core.problem import ConfirmationNeeded, Problem
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.migrations import operations, operations_change
from neondba.postgres.connect import Connection, connect

assert operations and operations_change  # noqa: PT018 - imported so that they are registered
FILES = {
    "001_first.sql": "create table item (id int primary key, name text);\n-- Down\ndrop table item;",
    "002_second.sql": "alter table item add note text;\n-- Down\nalter table item drop note;",
}
INDEX = "create index concurrently item_name on item (name);\n-- Down\ndrop index concurrently item_name;"


@pytest.fixture(scope="module")
def state(prepared: Callable[[], Path]) -> Iterator[Path]:
    folder = prepared()
    yield folder
    launch.stop(folder)


class Shop:
    """A project of one test, with a folder of migrations."""

    def __init__(self, state: Path, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.said: list[str] = []
        self.ctx = self.context(state)
        self.write(FILES)
        with platform.client(self.ctx) as client:
            made = client.create_project(name)
            self.id, self.branch = made.project.id, made.branch.id

    def context(self, state: Path) -> Context:
        settings = Settings(state_dir=state, project=self.name, step_limit=30)
        return Context(settings=settings, listener=lambda text, _: self.said.append(text))

    def write(self, files: dict[str, str]) -> None:
        (self.folder / "migrations").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.folder / "migrations" / name).write_text(text)

    def call(self, name: str, *, confirmed: bool = True, **arguments: Any) -> Any:
        operation = find(f"migration.{name}")
        ctx = self.context(self.ctx.settings.state_dir)
        try:
            return operation.call(ctx, {"path": self.folder, **arguments})
        except ConfirmationNeeded as needed:
            if not confirmed:
                raise
            ctx.confirmation = needed.facts["hash"]
            return operation.call(ctx, {"path": self.folder, **arguments})

    def refused(self, name: str, **arguments: Any) -> Problem:
        with pytest.raises(Problem) as caught:
            self.call(name, **arguments)
        return caught.value

    def url(self) -> Secret:
        with platform.client(self.ctx) as client:
            return client.connection_uri(self.id, self.branch, "neondb", "neondb_owner")

    def session(self) -> Connection:
        return connect(self.url())

    def tables(self) -> list[str]:
        with self.session() as session:
            rows = session.execute(
                "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
            )
            return sorted(str(row["relname"]) for row in rows)

    def branches(self) -> list[str]:
        with platform.client(self.ctx) as client:
            return [each.name for each in client.branches(self.id)]


@pytest.fixture
def shop(state: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = Shop(state, f"shop {request.node.name[:40]}", tmp_path / 'it\'s a "project"')
    yield made
    with platform.client(made.ctx) as client:
        client.delete_project(made.id)


def test_what_was_rehearsed_is_applied_and_taken_back(shop: Shop) -> None:
    assert shop.refused("apply").code == "not-rehearsed"
    shop.call("rehearse")
    with pytest.raises(ConfirmationNeeded) as needed:
        shop.call("apply", confirmed=False)
    assert needed.value.facts["plan"]["target"]["branch"] == "main"
    done = shop.call("apply")
    assert [s.revision for s in done.steps] == ["001", "002"]
    assert done.restore_point is not None
    assert done.restore_point.name in done.as_text(100)
    assert shop.tables() == ["item", "neondba_migrations"]
    assert shop.call("apply").steps == ()
    back = shop.call("revert")
    assert [s.revision for s in back.steps] == ["002"]
    assert shop.call("status").branches[0].newest == "001"
    assert [p.rehearsed for p in shop.call("status").branches[0].pending] == ["yes"]
    again = shop.call("apply")
    assert [s.revision for s in again.steps] == ["002"]


def test_a_plan_is_the_same_after_a_rehearsal_that_took_longer(shop: Shop) -> None:
    shop.write({"002_second.sql": "alter table item add note text; select pg_sleep(0.6 + random());"})
    plans = []
    for _ in range(2):
        shop.call("rehearse")
        with pytest.raises(ConfirmationNeeded) as needed:
            shop.call("apply", confirmed=False)
        plans.append(Plan.model_validate(needed.value.facts["plan"]))
    assert all("public.item" in plan.measured[0] and plan.measured[0].endswith(" s.") for plan in plans)
    assert plans[0].hash == plans[1].hash


def test_a_file_that_was_changed_since_is_not_applied(shop: Shop) -> None:
    shop.call("rehearse")
    shop.write({"002_second.sql": "alter table item add other text;"})
    problem = shop.refused("apply")
    assert problem.code == "not-rehearsed"
    assert "before its file was changed" in problem.message
    assert "neondba migration rehearse" in (problem.hint or "")
    assert shop.tables() == []


def test_a_target_that_moved_is_named_with_what_moved(shop: Shop) -> None:
    shop.call("rehearse")
    with shop.session() as session:
        session.execute('create table "it\'s ""ü""; drop table x" (id int)')
    problem = shop.refused("apply")
    assert problem.code == "target-moved"
    assert 'it\'s ""ü""; drop table x' in problem.message
    assert shop.call("status").branches[0].pending[0].rehearsed.startswith("no longer")
    assert shop.tables() == ['it\'s "ü"; drop table x']


def test_a_step_that_failed_in_rehearsal_is_not_applied(shop: Shop) -> None:
    shop.write({"003_third.sql": "alter table missing add x int;"})
    shop.call("rehearse")
    assert shop.refused("apply").code == "rehearsal-failed"
    assert shop.call("apply", to="002").steps[-1].revision == "002"
    assert shop.refused("apply", to="001").code == "migration-not-pending"


def test_a_way_back_that_needs_what_is_gone_is_not_taken(shop: Shop) -> None:
    shop.write({"003_third.sql": "drop table item;\n-- Down\nalter table item add x int;"})
    shop.call("rehearse")
    shop.call("apply")
    problem = shop.refused("revert")
    assert problem.code == "no-way-back"
    assert "003" in problem.message


def test_a_lock_that_is_not_had_leaves_the_target_as_it_was(shop: Shop) -> None:
    shop.call("rehearse")
    shop.call("apply", to="001")
    with shop.session() as other, other.transaction():
        other.execute("select * from item")
        problem = shop.refused("apply", lock_timeout=0.6, lock_patience=0)
    assert problem.code == "lock-not-had"
    assert "Nothing was changed" in problem.message
    assert shop.call("status").branches[0].newest == "001"


def test_a_change_in_the_middle_names_what_stands(shop: Shop) -> None:
    """Rows that the rehearsal did not see refuse the third step; the first two stand."""
    shop.write({"003_third.sql": "alter table item add check (id < 100);"})
    shop.call("rehearse")
    shop.call("apply", to="002")
    with shop.session() as session:
        session.execute("insert into item values (1000)")
    problem = shop.refused("apply")
    assert problem.code == "statement-refused"
    assert "Nothing was changed" in problem.message
    assert shop.call("status").branches[0].newest == "002"


def test_a_branch_that_is_gone_meanwhile_is_one_problem(shop: Shop) -> None:
    with platform.client(shop.ctx) as client:
        client.create_branch(shop.id, "feature")
    shop.call("rehearse", branch="feature")
    assert shop.refused("apply").code == "not-rehearsed"
    with platform.client(shop.ctx) as client:
        project = client.project(shop.id)
        client.delete_branch(shop.id, client.find_branch(project, "feature").id)
    assert shop.refused("apply", branch="feature").code == "branch-not-found"


def test_an_index_built_concurrently_is_applied_with_its_record(shop: Shop) -> None:
    shop.write({"003_third.sql": INDEX})
    shop.call("rehearse")
    shop.call("apply")
    with shop.session() as session:
        assert session.execute("select from pg_index where indexrelid = 'item_name'::regclass").rowcount == 1
    assert shop.call("revert").steps[0].revision == "003"


def test_a_killed_client_leaves_the_target_before_or_after(shop: Shop) -> None:
    """The command is killed while it waits for a lock that comes free afterwards."""
    shop.call("rehearse")
    shop.call("apply", to="001")
    with shop.session() as other, other.transaction():
        other.execute("select * from item")
        with pytest.raises(ConfirmationNeeded) as needed:
            shop.call("apply", confirmed=False)
        words = ["migration", "apply", str(shop.folder), "--project", shop.name, "--lock-timeout", "20"]
        command = subprocess.Popen(
            [sys.executable, "-m", "neondba", *words, "--confirm", needed.value.facts["hash"]],
            env={**os.environ, "NEONDBA_STATE_DIR": str(shop.ctx.settings.state_dir)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with shop.session() as looker:
            waits = "select pid from pg_locks where not granted and relation = 'item'::regclass"
            while not (found := looker.execute(waits).fetchall()):
                assert command.poll() is None
            command.send_signal(signal.SIGKILL)
            command.wait()
            pid = found[0]["pid"]
            while looker.execute("select from pg_stat_activity where pid = %s", [pid]).rowcount:
                threading.Event().wait(0.05)
    assert shop.call("status").branches[0].newest == "001"
    assert shop.call("apply").steps[0].revision == "002"
