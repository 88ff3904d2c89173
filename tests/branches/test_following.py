"""What a git branch from elsewhere can not make the environment do."""

from __future__ import annotations

from pathlib import Path

import pytest

from neondba.branches import following
from neondba.core.context import Context
from neondba.core.settings import load


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def context(app: Path, **environment: str) -> Context:
    settings = load(environment=environment, folder=app, user_file=app / "none.toml")
    return Context(settings=settings, folder=app)


def test_where_nothing_was_checked_out_no_server_is_asked(app: Path) -> None:
    done = following.follow(context(app, NEONDBA_API_HOST="http://127.0.0.1:9/api/v2"), "topic")
    assert (done.branch, done.done.split(";")[0]) == (None, "No branch was ever checked out here")
