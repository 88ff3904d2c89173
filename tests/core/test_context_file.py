"""The `.neon` file: what it says, and what of it others keep."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neondba.core.context_file import ContextFile, nearest, read
from neondba.core.problem import ArgumentProblem
from neondba.core.whole_file import put


def test_a_branch_is_noted_and_foreign_keys_stay(tmp_path: Path) -> None:
    path = tmp_path / ".neon"
    path.write_text('{"projectId": "p1", "branchId": "br-1", "git": {"follow": true}, "other": [1]}')
    found = read(path)
    assert (found.project, found.branch) == ("p1", "br-1")
    found.at("p1", "org-1", "dev ü").following("topic/a", "dev ü").write()
    assert json.loads(path.read_text()) == {
        "projectId": "p1",
        "orgId": "org-1",
        "branch": "dev ü",
        "git": {"follow": True, "map": {"topic/a": "dev ü"}},
        "other": [1],
    }
    assert read(path).follows == {"topic/a": "dev ü"}


def test_another_project_forgets_the_branches_of_the_first(tmp_path: Path) -> None:
    values = {"projectId": "p1", "orgId": "o1", "git": {"map": {"a": "b"}}, "other": 1}
    found = ContextFile(tmp_path / ".neon", values).at("p2", None, "main")
    assert found.values == {"projectId": "p2", "branch": "main", "other": 1}


def test_the_nearest_file_above_is_found_but_not_that_of_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / ".neon").write_text('{"projectId": "home"}')
    assert nearest(inner) is None
    (tmp_path / "a" / ".neon").write_text('{"projectId": "near"}')
    assert (nearest(inner) or ContextFile(inner)).project == "near"


def test_wild_content_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / ".neon"
    path.write_text('{"projectId": 5, "branch": [], "git": "x"}')
    found = read(path)
    assert (found.project, found.branch, found.follows) == (None, None, {})
    path.write_bytes(b"\xff")
    with pytest.raises(ArgumentProblem):
        read(path)


def test_a_file_is_replaced_whole_and_through_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "shared", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    put(link, b"new")
    assert link.is_symlink()
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"new", 0o640)
    put(link, b"closed", mode=0o600)
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "shared"]


def test_a_folder_that_takes_no_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArgumentProblem, match="cannot be written"):
        put(tmp_path / "missing" / "file", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArgumentProblem, match="cannot be written"):
        put(tmp_path / "folder", b"")


def test_a_user_without_a_home_has_projects_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    (tmp_path / ".neon").write_text('{"projectId": "p1"}')
    assert (nearest(tmp_path) or ContextFile(tmp_path)).project == "p1"
