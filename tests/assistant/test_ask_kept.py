"""The index on disk: built once, read by the next process, and never trusted where it is not whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neondba.assistant import ask_kept
from neondba.assistant.ask_index import Index
from neondba.assistant.ask_kept import Kept
from neondba.assistant.passage import Passage

PASSAGES = (
    Passage("s", "SKILL.md", "Pools", "Pools hold connections to Neon.", ("how large is a pool",), ()),
    Passage("s", "SKILL.md", "Restore", "A branch is put back.", ("go back in time",), ()),
)
QUESTION = "can I go back in time with my branch"


def first(folder: Path) -> str:
    return Index(PASSAGES, {}, kept=Kept(folder)).search(QUESTION)[0].passage.title


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the index."""
    made = tmp_path / "ask"
    assert first(made) == "Restore"
    return made


def test_an_index_is_built_once_and_read_afterwards(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Index, "_built")
    assert first(folder) == "Restore"
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"no database at all" * 999])
def test_a_damaged_file_is_replaced(folder: Path, content: bytes) -> None:
    (file,) = folder.iterdir()
    file.write_bytes(content)
    assert Kept(folder).open() is None
    assert first(folder) == "Restore"
    assert Kept(folder).open() is not None


def test_a_file_cut_off_is_not_used(folder: Path) -> None:
    (file,) = folder.iterdir()
    os.truncate(file, file.stat().st_size // 2)
    assert Kept(folder).open() is None


@pytest.mark.parametrize("open_to_all", ["folder", "file"])
def test_what_others_can_write_is_not_used(folder: Path, open_to_all: str) -> None:
    (file,) = folder.iterdir()
    (folder if open_to_all == "folder" else file).chmod(0o777)
    assert Kept(folder).open() is None
    assert first(folder) == "Restore"


def test_where_nothing_can_be_kept_it_is_built_each_time(tmp_path: Path) -> None:
    (tmp_path / "ask").write_text("in the way")
    assert first(tmp_path / "ask") == first(tmp_path / "ask" / "below") == "Restore"


def test_without_a_home_nothing_is_kept_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert first(Path("~/.cache")) == first(Path("~/.cache")) == "Restore"
    assert list(tmp_path.iterdir()) == []


def test_another_version_keeps_its_own_and_the_oldest_go(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1", "2", "3", "4"):
        monkeypatch.setattr(ask_kept, "VERSION", version)
        assert Kept(folder).open() is None
        assert first(folder) == "Restore"
    assert len(list(folder.iterdir())) == ask_kept.KEPT
