"""Which files are read, and from where."""

import os
import subprocess
from pathlib import Path

import pytest

from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.project import tree
from neondba.project.tree import FolderTree, RevisionTree


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    for name, text in {
        "a.py": "one\n", "new.py": "n", ".gitignore": ".env\nbuilt/\n", ".env": "SECRET", "built/b.py": "b",
        "node_modules/x/i.js": "x", "sub/c.py": "c",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "add", "a.py", ".gitignore", "sub")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_folder_in_git_gives_what_git_tracks_or_would_track(repository: Path) -> None:
    assert FolderTree(repository).paths == [".gitignore", "a.py", "new.py", "sub/c.py"]


def test_a_part_of_a_repository_gives_paths_relative_to_itself(repository: Path) -> None:
    assert FolderTree(repository / "sub").paths == ["c.py"]


def test_a_file_knows_whether_git_tracks_it(repository: Path) -> None:
    files = FolderTree(repository)
    assert files.is_tracked("a.py")
    assert not files.is_tracked("new.py")


def test_a_deleted_file_is_passed_by(repository: Path) -> None:
    (repository / "a.py").unlink()
    assert "a.py" not in FolderTree(repository).paths


def test_a_folder_outside_git_gives_all_but_generated_folders(tmp_path: Path) -> None:
    for name in ("a.py", ".venv/lib/x.py", "node_modules/y.js", ".env"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    files = FolderTree(tmp_path)
    assert files.paths == [".env", "a.py"]
    assert files.tracked is None


def test_a_revision_is_read_without_touching_the_work_tree(repository: Path) -> None:
    (repository / "a.py").write_text("two\n")
    files = RevisionTree(repository, "HEAD")
    assert files.paths == [".gitignore", "a.py", "sub/c.py"]
    assert files.text("a.py") == "one\n"
    assert (repository / "a.py").read_text() == "two\n"


def test_an_unknown_revision_is_refused(repository: Path) -> None:
    with pytest.raises(NotFoundProblem, match="no git revision --help"):
        RevisionTree(repository, "--help")


def test_a_missing_folder_and_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundProblem, match="There is no folder"):
        FolderTree(tmp_path / "none")
    (tmp_path / "f").write_text("x")
    with pytest.raises(ArgumentProblem, match="is a file"):
        FolderTree(tmp_path / "f")


def test_a_binary_and_a_huge_file_have_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "LARGEST", 100)
    (tmp_path / "b.bin").write_bytes(b"\0\1\2")
    (tmp_path / "h.sql").write_text("x" * 101)
    (tmp_path / "latin.py").write_bytes("é".encode("latin-1"))
    files = FolderTree(tmp_path)
    assert files.text("b.bin") is None
    assert files.text("h.sql") is None
    assert files.too_large == ["h.sql"]
    assert files.text("latin.py") == "\N{REPLACEMENT CHARACTER}"


def test_a_link_that_leads_nowhere_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    assert FolderTree(tmp_path).paths == []


@pytest.mark.parametrize("in_git", [True, False])
def test_a_file_whose_name_is_no_unicode_is_read(tmp_path: Path, in_git: bool) -> None:
    if in_git:
        git(tmp_path, "init", "-q")
        (tmp_path / "a.py").write_text("x")
        git(tmp_path, "add", "a.py")
    (tmp_path / os.fsdecode(b"\xff.py")).write_text("one")
    files = FolderTree(tmp_path)
    assert "\N{REPLACEMENT CHARACTER}.py" in files.paths
    assert files.text("\N{REPLACEMENT CHARACTER}.py") == "one"


def test_a_file_in_utf_16_is_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("A=é\n".encode("utf-16"))
    assert FolderTree(tmp_path).text(".env") == "A=é\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_listed(tmp_path: Path) -> None:
    for name in ("shut/a.py", "listed/b.py", "c.py", "open.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    modes = {"shut": 0, "listed": 0o600, "c.py": 0}
    for name, mode in modes.items():
        (tmp_path / name).chmod(mode)
    files = FolderTree(tmp_path)
    assert files.paths == ["c.py", "open.py"]
    assert files.text("c.py") is None
    assert files.closed == {"shut", "listed/b.py", "c.py"}
    for name in modes:
        (tmp_path / name).chmod(0o700)
