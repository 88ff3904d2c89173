"""The journal as a reader sees it: filtered, verified, as a table, JSON and CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neondba import capabilities
from neondba.access.audit_log_results import AuditLog
from neondba.core.context import Clock, Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem
from neondba.core.settings import Settings, load

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Stopped(Clock):
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def filled(tmp_path: Path) -> Context:
    """Three entries: yesterday, an hour ago, now."""
    ctx = Context(settings=Settings(state_dir=tmp_path / "state"), clock=Stopped())
    add(ctx, "branch.create", Effect.WRITE, "dev", "done", NOON - timedelta(days=1))
    add(ctx, "branch.delete", Effect.DESTROY, "dev", "branch-has-children", NOON - timedelta(hours=1))
    add(ctx, "role.rotate", Effect.WRITE, "main", "done", NOON)
    return ctx


def add(ctx: Context, operation: str, effect: Effect, branch: str, outcome: str, at: datetime) -> None:
    target = Target(project="shop", branch=branch)
    ctx.journal.append(Plan(operation=operation, effect=effect, target=target, steps=("Do.",)), outcome, at)


def log(ctx: Context, **asked: Any) -> AuditLog:
    return capabilities.load()["audit.log"].call(ctx, asked)


def numbers(ctx: Context, **asked: Any) -> list[int]:
    return [entry.number for entry in log(ctx, **asked).entries]


def edit(ctx: Context, statement: str) -> None:
    with closing(sqlite3.connect(ctx.journal.path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [1, 2, 3]),
        ({"since": "2h"}, [2, 3]),
        ({"since": "2026-11-22"}, [2, 3]),
        ({"until": "1h ago"}, [1]),
        ({"since": "2026-11-22T11:30Z"}, [3]),
        ({"operation": "branch"}, [1, 2]),
        ({"operation": "branch delete"}, [2]),
        ({"operation": "bran"}, []),
        ({"branch": "main"}, [3]),
        ({"effect": "destroy"}, [2]),
        ({"failed": True}, [2]),
        ({"limit": 1}, [3]),
    ],
)
def test_each_filter_keeps_what_it_names(filled: Context, asked: dict[str, Any], found: list[int]) -> None:
    assert numbers(filled, **asked) == found


def test_the_flag_that_names_a_project_limits_the_log_to_it(filled: Context) -> None:
    state = filled.settings.state_dir
    for wanted, found in (("shop", 3), ("other", 0)):
        settings = load({"project": wanted, "state_dir": state}, environment={}, user_file=state / "none")
        assert len(log(Context(settings=settings)).entries) == found


def test_a_moment_that_is_none_is_refused(filled: Context) -> None:
    with pytest.raises(ArgumentProblem, match="the day before is no moment"):
        log(filled, since="the day before")


def test_a_whole_log_is_said_to_be_whole(filled: Context) -> None:
    found = log(filled)
    assert found.chain.whole
    assert "The log is whole: 3 entries" in found.as_text(100)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE journal SET body = replace(body, 'done', 'dome') WHERE number = 1", "Entry 1 (branch.cr"),
        ("DELETE FROM journal WHERE number = 1", "entry 1 should be stands entry 2"),
        ("UPDATE journal SET body = 'gone' WHERE number = 2", "Row 2 holds nothing"),
        ("UPDATE journal SET body = replace(body, '\"destroy\"', 'null') WHERE number = 2", "Entry 2"),
    ],
)
def test_the_first_broken_entry_is_named_and_nothing_behind_it_is_sound(
    filled: Context, statement: str, said: str
) -> None:
    edit(filled, statement)
    found = log(filled)
    assert not found.chain.whole
    assert said in found.as_text(200)
    assert not any(entry.sound for entry in found.entries if entry.number >= 2)
    assert capabilities.load()["audit.log"].findings(found) == 1


def test_a_noted_hash_shows_that_the_end_was_cut_off(filled: Context) -> None:
    noted = log(filled).chain.head
    assert log(filled, head=noted).chain.whole
    edit(filled, "DELETE FROM journal WHERE number = 3")
    assert log(filled).chain.whole
    cut = log(filled, head=noted)
    assert not cut.chain.whole
    assert "Entries were cut off" in cut.as_text(200)


def test_entries_of_the_first_releases_still_fit(tmp_path: Path) -> None:
    """They were hashed without an effect."""
    path = tmp_path / "journal.sqlite"
    body = (
        '{"number":1,"at":"2026-01-02T03:04:00Z","operation":"branch.delete","project":"shop","branch":"main",'
        '"role":"app","plan_hash":"0123456789ab","steps":["Drop it."],"outcome":"done","previous":"",'
        '"hash":"43e7"}'
    )
    old = hashlib.sha256(body.replace(',"hash":"43e7"', "").encode()).hexdigest()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE journal (number INTEGER PRIMARY KEY, body VARCHAR NOT NULL)")
        connection.execute("INSERT INTO journal VALUES (1, ?)", [body.replace("43e7", old)])
    fresh = Context(settings=Settings(state_dir=tmp_path), clock=Stopped())
    add(fresh, "role.rotate", Effect.WRITE, "main", "done", NOON)
    found = log(fresh)
    assert found.chain.whole
    assert found.entries[0].effect is Effect.DESTROY


def test_a_damaged_last_entry_does_not_stop_new_ones(filled: Context) -> None:
    edit(filled, "UPDATE journal SET body = 'gone' WHERE number = 3")
    add(filled, "role.rotate", Effect.WRITE, "main", "done", NOON)
    assert log(filled).chain.first_broken == 3


def test_a_file_that_is_no_log_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database at all, but long enough to be read as one")
    with pytest.raises(ArgumentProblem, match=r"cannot be read: file is not a database"):
        log(Context(settings=Settings(state_dir=tmp_path)))


def test_csv_has_one_line_for_each_entry_and_no_formula(filled: Context) -> None:
    add(filled, "branch.create", Effect.WRITE, "=1+1", "done", NOON)
    rows = list(csv.DictReader(io.StringIO(log(filled).as_csv())))
    assert [row["operation"] for row in rows] == [
        "branch.create",
        "branch.delete",
        "role.rotate",
        "branch.create",
    ]
    assert rows[3]["branch"] == "'=1+1"
