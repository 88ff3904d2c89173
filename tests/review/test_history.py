"""`--history`: secrets that only an earlier commit holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import commit, context, git

from neondba.core.context import Context
from neondba.review.finding import Reported
from neondba.review.operations import review

PASSWORD = "Wq7rTz2" + "KpX9v"
ADDRESS = f"postgresql://shop:{PASSWORD}@ep-old-lake-a4k7x2bq.eu.aws." + "neon.tech/shop"
HELD = f'URL = "{ADDRESS}"\n'
READS = 'import os\n\nURL = os.environ["DATABASE_URL"]\n'


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    folder = tmp_path / "shop"
    folder.mkdir()
    commit(folder, {"app/db.py": READS, "README.md": "Shop\n"})
    return context(folder, tmp_path / "state")


def found(ctx: Context, path: str = ".") -> list[Reported]:
    return [f for f in review(ctx, Path(path), history=True).findings if f.rule == "NDB107"]


def test_a_secret_that_was_taken_out_is_reported_at_the_commit_that_brought_it(ctx: Context) -> None:
    brought = commit(ctx.folder, {"app/db.py": HELD})
    commit(ctx.folder, {"app/db.py": HELD + "# note\n"})
    commit(ctx.folder, {"app/db.py": READS})
    (finding,) = found(ctx)
    assert finding.path == f"{brought[:7]}:app/db.py"
    assert PASSWORD not in finding.model_dump_json()
    assert ADDRESS in git(ctx.folder, "show", finding.path)


def test_a_file_that_was_removed_and_a_merged_branch_are_read(ctx: Context) -> None:
    git(ctx.folder, "checkout", "-qb", "side")
    commit(ctx.folder, {".env": f"DATABASE_URL={ADDRESS}\n"})
    git(ctx.folder, "rm", "-q", ".env")
    git(ctx.folder, "commit", "-qm", "remove")
    git(ctx.folder, "checkout", "-q", "main")
    git(ctx.folder, "merge", "-q", "--no-ff", "-m", "merge", "side")
    assert [f.path.partition(":")[2] for f in found(ctx)] == [".env"]


def test_what_a_file_of_today_holds_is_reported_there_only(ctx: Context) -> None:
    commit(ctx.folder, {"app/db.py": HELD})
    commit(ctx.folder, {"app/db.py": READS, "app/other.py": HELD})
    assert found(ctx) == []


def test_a_secret_amid_unchanged_lines_is_found(ctx: Context) -> None:
    lines = "".join(f"# line {n}\n" for n in range(200))
    commit(ctx.folder, {"app/db.py": lines + lines})
    commit(ctx.folder, {"app/db.py": lines + HELD + lines})
    commit(ctx.folder, {"app/db.py": lines + lines + READS})
    assert len(found(ctx)) == 1


def test_a_folder_of_a_repository_has_its_own_part_of_the_history(ctx: Context) -> None:
    commit(ctx.folder, {"app/db.py": HELD, "api/main.py": "x = 1\n"})
    commit(ctx.folder, {"app/db.py": READS})
    assert found(ctx, "api") == []
    assert len(found(ctx, "app")) == 1


def test_only_what_came_after_the_base_is_read(ctx: Context) -> None:
    commit(ctx.folder, {"app/db.py": HELD})
    commit(ctx.folder, {"app/db.py": READS})
    git(ctx.folder, "branch", "before")
    commit(ctx.folder, {"app/other.py": READS})
    given = review(ctx, Path(), base="before", history=True)
    assert [f for f in given.findings if f.rule == "NDB107"] == []


def test_history_that_was_not_asked_for_is_listed_as_not_checked(ctx: Context) -> None:
    assert any("--history" in gap.missing for gap in review(ctx, Path()).not_checked)


def test_a_shallow_clone_says_that_it_is_one(ctx: Context, tmp_path: Path) -> None:
    commit(ctx.folder, {"app/db.py": HELD})
    commit(ctx.folder, {"app/db.py": READS})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{ctx.folder}", "shallow")
    given = review(context(tmp_path / "shallow", tmp_path / "state"), Path(), history=True)
    assert any("shallow" in gap.reason for gap in given.unparsed)
