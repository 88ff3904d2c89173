"""What our branch commands do, Neon's own command line shows, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from official_cli import OfficialCli

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.problem import ConfirmationNeeded
from neondba.core.settings import load
from neondba.local import launch
from neondba.project.env_file import read

Call = Callable[..., Any]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder below a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


@pytest.fixture
def ours(state: Path, app: Path) -> Call:
    """Run one of our operations from the project's folder, with consent."""

    def run(name: str, /, **arguments: Any) -> Any:
        settings = load({"state_dir": str(state)}, environment={}, folder=app, user_file=app / "none.toml")
        ctx = Context(settings=settings, folder=app)
        operation = capabilities.load()[name]
        try:
            return operation.call(ctx, arguments)
        except ConfirmationNeeded as needed:
            ctx.confirmation = needed.facts["hash"]
            return operation.call(ctx, arguments)

    return run


@pytest.fixture
def theirs(state: Path, app: Path) -> Iterator[Call]:
    """Run the official command line there; give its JSON."""
    official = OfficialCli(launch.ensure(state), app.parent)
    yield partial(official.answer, folder=app)
    official.close()


def seen(found: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Give what both tools say of branches."""
    return {
        each["name"]: (each["id"], each.get("default", False), each.get("protected", False),
                       (each.get("expires_at") or "")[:16])
        for each in found
    }  # fmt: skip


def compared(ours: Call, theirs: Call) -> dict[str, tuple[Any, ...]]:
    listed = ours("branch.list").model_dump(mode="json")["branches"]
    branches = theirs("branches", "list")
    assert seen(branches) == seen(listed)
    return seen(listed)


def test_both_tools_agree_on_the_folder_and_on_every_change(ours: Call, theirs: Call, app: Path) -> None:
    project = ours("project.create", name="shop")
    ours("branch.create", name="dev", no_checkout=True)
    ours("branch.checkout", name="dev")
    assert json.loads((app / ".neon").read_text())["projectId"] == project.id
    # No --project-id from here on: the official tool finds the project in the file that we wrote.
    ours("branch.rename", name="dev", to='dev "2" ü')
    ours("branch.expire", name='dev "2" ü', after="2d")
    ours("branch.protect", name="main")
    assert compared(ours, theirs)["main"][1:3] == (True, True)
    assert theirs("status", "--current-branch").strip() == 'dev "2" ü'
    theirs("branches", "create", "--name", "theirs", "--no-env-pull")
    theirs("branches", "rename", "theirs", "limb")
    ours("branch.protect", name="main", off=True)
    theirs("branches", "set-default", "limb")
    assert compared(ours, theirs)["limb"][1] is True
    assert ours("branch.show", name="limb").parent == "main"


def test_what_one_checks_out_the_other_goes_on_with(ours: Call, theirs: Call, app: Path) -> None:
    project = ours("project.create", name="shop")
    ours("branch.create", name="dev")
    (app / ".env").write_text("APP=1\n")
    theirs("checkout", "dev", "--project-id", project.id)
    assert json.loads((app / ".neon").read_text())["branch"] == "dev"
    (line,) = [each for each in ours("branch.list").branches if each.current]
    assert line.name == "dev"
    by_them = read(app / ".env").value("DATABASE_URL")
    assert by_them
    ours("branch.checkout", name="dev")
    by_us = read(app / ".env").value("DATABASE_URL")
    assert by_us
    for url in (by_them, by_us):
        with psycopg.connect(url.reveal()) as db:
            assert db.execute("select current_user").fetchone() == ("neondb_owner",)
    made = ours("branch.create", name="feature")
    assert [file.path for file in made.files] == [".env"]
    assert theirs("status", "--current-branch").strip() == "feature"
    assert (app / ".env").read_text().startswith("APP=1\n")


def test_resets_restores_and_snapshots_of_one_are_the_others(ours: Call, theirs: Call) -> None:
    project = ours("project.create", name="shop")
    where = ("--project-id", project.id)
    ours("branch.create", name="dev", no_compute=True)
    ours("branch.reset", name="dev", keep_as="dev before")
    theirs("branches", "reset", "dev", "--parent", "--preserve-under-name", "dev before that", *where)
    listed = {each["name"] for each in theirs("branches", "list", *where)}
    assert listed == {each.name for each in ours("branch.list").branches}
    assert {"dev", "dev before", "dev before that"} <= listed
    ours("snapshot.create", name="one")
    theirs("snapshots", "create", "--branch", "main", "--name", "two", *where)
    snapshots = {each["name"]: each["id"] for each in theirs("snapshots", "list", *where)}
    assert snapshots == {each.name: each.id for each in ours("snapshot.list").snapshots}
    theirs("snapshots", "restore", snapshots["one"], "--name", "looked at", *where)
    assert ours("snapshot.finalise", name="looked at").kept_as == "main (old)"
