"""The chained record: it grows, it survives, and tampering shows."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.journal import Journal
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem
from neondba.core.settings import Settings

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def plan(step: str = "Drop it.") -> Plan:
    target = Target(project="shop", branch="main", role="app")
    return Plan(operation="cup.break", effect=Effect.WRITE, target=target, steps=(step,))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.sqlite")


def tamper(journal: Journal, statement: str) -> None:
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.execute(statement)


def test_without_a_log_there_are_no_entries(journal: Journal) -> None:
    assert list(journal.entries()) == []
    assert journal.first_broken() is None
    assert not journal.path.exists()


def test_an_entry_holds_what_the_plan_named(journal: Journal) -> None:
    stored = journal.append(plan(), "done", NOW)
    assert list(journal.entries()) == [stored]
    assert (stored.number, stored.project, stored.branch, stored.role) == (1, "shop", "main", "app")
    assert (stored.plan_hash, stored.steps, stored.at) == (plan().hash, ("Drop it.",), NOW)


def test_each_entry_carries_the_hash_of_the_one_before(journal: Journal) -> None:
    first, second = journal.append(plan(), "done", NOW), journal.append(plan("Sweep."), "done", NOW)
    assert (second.number, second.previous) == (2, first.hash)
    assert journal.first_broken() is None


def test_only_the_owner_can_read_the_log(journal: Journal) -> None:
    journal.append(plan(), "done", NOW)
    assert journal.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE journal SET body = replace(body, 'Sweep', 'Sleep') WHERE number = 2", 2),
        ("DELETE FROM journal WHERE number = 2", 2),
        ("DELETE FROM journal WHERE number = 1", 1),
    ],
)
def test_an_edited_or_removed_entry_shows(journal: Journal, statement: str, broken: int) -> None:
    for step in ("Drop it.", "Sweep.", "Buy one."):
        journal.append(plan(step), "done", NOW)
    tamper(journal, statement)
    assert journal.first_broken() == broken


def test_writers_at_the_same_time_keep_the_chain(journal: Journal) -> None:
    journal.append(plan(), "done", NOW)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: journal.append(plan(f"Step {n}."), "done", NOW), range(12)))
    assert [entry.number for entry in journal.entries()] == list(range(1, 14))
    assert journal.first_broken() is None


@pytest.mark.parametrize("broken", ["garbage", "folder"])
def test_nothing_is_begun_that_could_not_be_recorded(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "journal.sqlite"
    path.mkdir() if broken == "folder" else path.write_text("no database " * 100)
    ctx = Context(settings=Settings(state_dir=tmp_path))
    begun = False
    with pytest.raises(ArgumentProblem, match="Nothing was done") as caught, ctx.carry_out(plan()):
        begun = True
    assert not begun
    assert caught.value.code == "state-dir-unusable"
    assert "move it away" in (caught.value.hint or "")
