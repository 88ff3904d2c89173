"""No surface gives out a secret, whatever the operation does."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from surfaces_under_test import REPOSITORY, SURFACES

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.surfaces import cli

KEY = "nap" + "i_" + "q7" * 24
"""Built here, so that no scanner takes this file for a leak."""

OFFLINE = ("operation.", "rule.", "toy.echo", "toy.crash", "toy.break")


@pytest.fixture
def keyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("NEON_API_KEY", KEY)
    monkeypatch.setenv("NEONDBA_API_HOST", "http://127.0.0.1:1/api/v2")
    settings = Settings(
        api_key=Secret(KEY), state_dir=tmp_path / "state", api_host="http://127.0.0.1:1/api/v2"
    )
    return Context(settings=settings, folder=REPOSITORY)


def given_out(surface: str, ctx: Context, operation: Operation, arguments: Mapping[str, Any]) -> str:
    """Call an operation and give everything that the surface showed."""
    return SURFACES[surface](ctx, operation, arguments).shown


@pytest.mark.parametrize("surface", SURFACES)
def test_the_key_is_in_no_output(
    surface: str, keyed: Context, toys: dict[str, Operation], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ""
    for name, operation in capabilities.load().items():
        if name.startswith(OFFLINE):
            for example in operation.examples:
                shown += given_out(surface, keyed, operation, example.arguments)
    assert "***" in shown
    assert KEY not in shown
    assert KEY not in caplog.text


def test_the_search_would_find_a_leak(keyed: Context, toys: dict[str, Operation]) -> None:
    assert KEY in given_out("http", keyed, toys["toy.show"], {"name": KEY})


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["toy", "echo"],
        ["toy", "echo", "--help"],
        ["toy", "show"],
        ["toy", "break", "x"],
        ["toy", "crash", KEY],
        ["operation", "show", "toy.echo"],
        ["operation", "list", "--step-limit", "x"],
    ],
)
def test_the_key_is_in_no_text_for_people(
    argv: list[str], keyed: Context, toys: dict[str, Operation], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(argv)
    shown = "".join(capsys.readouterr())
    assert shown
    assert KEY not in shown


def test_a_key_on_the_command_line_is_refused_unread(
    toys: dict[str, Operation], capsys: pytest.CaptureFixture[str]
) -> None:
    for written in (["--api-key", KEY], [f"--api-key={KEY}"]):
        assert cli.run(["toy", "echo", *written]) == 2
        shown = "".join(capsys.readouterr())
        assert KEY not in shown
        assert "NEONDBA_API_KEY" in shown


def test_the_journal_holds_no_key(keyed: Context, toys: dict[str, Operation]) -> None:
    toys["toy.make"].call(keyed, {"name": "top"})
    assert KEY.encode() not in keyed.journal.path.read_bytes()
    assert "".join(entry.model_dump_json() for entry in keyed.journal.entries())
