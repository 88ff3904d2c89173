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


def test_a_fault_that_now_shows_in_an_unchanged_file_is_reported(ctx: Context) -> None:
    git(ctx.folder, "checkout", "-q", "main")
    child = "create table items (id bigint primary key, owner_id bigint references orders (id));\n"
    commit(
        ctx.folder,
        {"migrations/1_items.sql": child, "migrations/2_index.sql": "create index i on items (owner_id);\n"},
    )
    git(ctx.folder, "checkout", "-qb", "later")
    (ctx.folder / "migrations" / "2_index.sql").unlink()
    assert ("migrations/1_items.sql", 1) in found(ctx)[0]


def test_a_function_moved_to_another_file_keeps_its_old_faults(ctx: Context) -> None:
    write(ctx.folder, {"a.sql": "select 1;\n", "tables/orders.sql": "-- moved\n" + MONEY})
    assert found(ctx)[0] == []


def test_an_answer_taken_away_reports_what_it_answered(ctx: Context) -> None:
    git(ctx.folder, "checkout", "-q", "main")
    known = MONEY.replace("\n", "  -- neondba: ignore[NDB704] shown to people only\n")
    commit(ctx.folder, {"a.sql": known})
    git(ctx.folder, "checkout", "-qb", "later")
    write(ctx.folder, {"a.sql": MONEY})
    assert found(ctx)[0] == [("a.sql", 1)]


def test_a_part_of_a_repository_is_compared_with_itself(ctx: Context) -> None:
    git(ctx.folder, "checkout", "-q", "main")
    commit(ctx.folder, {"backend/b.sql": MONEY})
    git(ctx.folder, "checkout", "-qb", "later")
    write(ctx.folder, {"backend/c.sql": MONEY.replace("orders", "bills")})
    inner = context(ctx.folder / "backend", ctx.settings.state_dir)
    assert found(inner)[0] == [("c.sql", 1)]


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
