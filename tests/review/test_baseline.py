"""Baselines: today's findings, accepted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from repositories import context, write

from neondba.core.context import Context
from neondba.core.operation import find
from neondba.core.problem import Problem
from neondba.review.operations import baseline_write, review

MONEY = "create table orders (id bigint primary key, price float8);\n"


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    write(tmp_path / "shop", {"a.sql": MONEY})
    return context(tmp_path / "shop", tmp_path / "state")


def findings(ctx: Context, **arguments: object) -> list[tuple[str, str]]:
    result = find("review").call(ctx, {"path": ".", **arguments})
    return [(finding.rule, finding.path) for finding in result.findings]


def test_accepted_findings_are_left_out_and_counted(ctx: Context) -> None:
    every = findings(ctx)
    written = baseline_write(ctx)
    assert (written.file, written.accepted, written.added) == (
        "neondba-baseline.json",
        len(every),
        len(every),
    )
    assert findings(ctx) == []
    compared = review(ctx, Path()).compared
    assert compared is not None
    assert compared.accepted == len(every)


def test_a_moved_line_stays_accepted_and_a_new_fault_is_reported(ctx: Context) -> None:
    baseline_write(ctx)
    write(
        ctx.folder,
        {"a.sql": "\n\n-- moved\n" + MONEY + "create table bills (id bigint primary key, price float8);\n"},
    )
    assert findings(ctx) == [("NDB704", "a.sql")]


def test_another_file_and_none_can_be_named(ctx: Context) -> None:
    every = findings(ctx)
    baseline_write(ctx, file=Path("accepted.json"))
    assert findings(ctx) == every
    assert findings(ctx, baseline="accepted.json") == []
    (ctx.folder / "accepted.json").rename(ctx.folder / "neondba-baseline.json")
    assert findings(ctx) == []
    assert findings(ctx, baseline="none") == every


def test_an_entry_that_answers_nothing_is_told_and_dropped_when_written_anew(ctx: Context) -> None:
    baseline_write(ctx)
    write(ctx.folder, {"a.sql": MONEY.replace("float8", "numeric(12, 2)")})
    compared = review(ctx, Path()).compared
    assert compared is not None
    assert [entry.split(":")[0] for entry in compared.stale] == ["NDB704 a.sql"]
    assert "answers nothing any more" in review(ctx, Path()).as_text(100)
    assert baseline_write(ctx).dropped == 1


def test_writing_the_same_baseline_again_changes_no_byte(ctx: Context) -> None:
    baseline_write(ctx)
    before = (ctx.folder / "neondba-baseline.json").read_bytes()
    assert baseline_write(ctx).added == 0
    assert (ctx.folder / "neondba-baseline.json").read_bytes() == before


def test_a_clean_project_gets_no_baseline(ctx: Context) -> None:
    write(ctx.folder, {"a.sql": "select 1;\n"})
    assert baseline_write(ctx).accepted == 0
    assert not (ctx.folder / "neondba-baseline.json").exists()


def test_a_dry_run_writes_nothing(ctx: Context) -> None:
    ctx.dry_run = True
    plan = find("baseline.write").call(ctx, {"path": "."})
    assert "Accept" in plan.steps[0]
    assert not (ctx.folder / "neondba-baseline.json").exists()


def test_a_baseline_holds_no_secret(ctx: Context) -> None:
    password = "Wq7rTz2K" + "pX9v"
    url = f"postgresql://shop:{password}@ep-old-lake-a4k7x2bq.eu-central-1.aws.neon.tech/shop"
    write(ctx.folder, {"app.py": f"engine = create_engine('{url}')\nSECRET_KEY = '{password}'\n"})
    assert baseline_write(ctx).accepted > 1
    assert password not in (ctx.folder / "neondba-baseline.json").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"version": 2, "findings": []}',
        '{"version": 1, "findings": [{"rule": "x"}]}',
        "[" * 9999,
    ],
)
def test_what_is_no_baseline_is_refused(ctx: Context, text: str) -> None:
    write(ctx.folder, {"neondba-baseline.json": text})
    with pytest.raises(Problem) as caught:
        review(ctx, Path())
    assert caught.value.code == "baseline-unreadable"
    assert "--write-baseline" in (caught.value.hint or "")


def test_a_baseline_reads_well_in_a_difference(ctx: Context) -> None:
    baseline_write(ctx)
    text = (ctx.folder / "neondba-baseline.json").read_text()
    entries = json.loads(text)["findings"]
    assert entries == sorted(entries, key=lambda entry: (entry["rule"], entry["path"]))
    assert '\n   "message": ' in text
