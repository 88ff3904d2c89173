"""The proofs show what the example does wrong on a database, and that its twin does not."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from expected_taskboard import FIXED, FOLDER

from neondba.access.proofs import prove_isolation
from neondba.core.context import Context
from neondba.core.proof import Line, Proof, Shown
from neondba.core.settings import Settings
from neondba.local import launch
from neondba.migrations.proofs import prove_migrations


@pytest.fixture(scope="session")
def ctx() -> Iterator[Context]:
    folder = Path(tempfile.mkdtemp(prefix="ndb-"))
    try:
        yield Context(settings=Settings(state_dir=folder, step_limit=30))
    finally:
        launch.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def rehearsed(ctx: Context) -> Proof:
    return prove_migrations(ctx, FOLDER)


@pytest.fixture(scope="session")
def isolated(ctx: Context) -> Proof:
    return prove_isolation(ctx, FOLDER)


@pytest.fixture(scope="session")
def rehearsed_twin(ctx: Context) -> Proof:
    return prove_migrations(ctx, FIXED)


@pytest.fixture(scope="session")
def isolated_twin(ctx: Context) -> Proof:
    return prove_isolation(ctx, FIXED)


def line(proof: Proof, subject: str) -> Line:
    found = [one for one in proof.lines if one.subject == subject or one.subject.startswith(f"{subject} ")]
    assert len(found) == 1, [one.subject for one in proof.lines]
    return found[0]


def test_the_first_three_revisions_are_shown_to_come_back(rehearsed: Proof) -> None:
    assert [line(rehearsed, r).shown for r in ("0001", "0002", "0003")] == [Shown.HOLDS] * 3
    assert "writes wait until the index is built" in line(rehearsed, "0003").text


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("0004", r"Loses data.*values of public\.task\.done"),
        ("0005", r'Irreversible.*type "task_priority" already exists'),
        ("0006", r'Fails.*column "color" of relation "board" contains null values'),
    ],
)
def test_a_faulty_revision_is_shown_to_fail(rehearsed: Proof, revision: str, said: str) -> None:
    seen = line(rehearsed, revision)
    assert seen.shown is Shown.FAILS
    assert re.search(said, seen.text), seen.text
    assert rehearsed.shown is Shown.FAILS


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("public.board", "Nothing in the database stops it"),
        ("public.task", "Nothing in the database stops it"),
        ("public.comment", "comment_author exists but does not apply to neondb_owner: it carries BYPASSRLS"),
    ],
)
def test_a_table_is_shown_to_be_open_to_other_users(isolated: Proof, table: str, said: str) -> None:
    seen = line(isolated, table)
    assert seen.shown is Shown.FAILS
    assert re.search(said, seen.text), seen.text
    assert "User A could read" in seen.text
    assert isolated.shown is Shown.FAILS


def test_the_twins_revisions_all_come_back_with_every_row(rehearsed_twin: Proof) -> None:
    assert [(one.subject, one.shown) for one in rehearsed_twin.lines if one.shown is not Shown.HOLDS] == []
    assert rehearsed_twin.summary == "8 revisions rehearsed: 8 reversible."
    assert rehearsed_twin.shown is Shown.HOLDS


def test_the_twin_keeps_users_apart_as_the_role_that_its_environment_names(isolated_twin: Proof) -> None:
    assert [one.subject for one in isolated_twin.lines] == [
        "public.board",
        "public.comment",
        "public.task",
        "role taskboard_app",
    ]
    assert {one.shown for one in isolated_twin.lines} == {Shown.HOLDS}
    assert isolated_twin.shown is Shown.HOLDS
    assert isolated_twin.summary.startswith("As taskboard_app, ")
