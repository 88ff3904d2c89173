"""The review as an operation: what it takes, refuses and gives."""

from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.operation import find
from neondba.core.problem import Problem
from neondba.core.settings import load
from neondba.review.model import Review
from neondba.review.operations import review, rule_list, rule_show


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=load(environment={}, folder=tmp_path), folder=tmp_path)


def refused(ctx: Context, **arguments: object) -> Problem:
    with pytest.raises(Problem) as caught:
        find("review").call(ctx, arguments)
    return caught.value


def test_an_empty_folder_is_refused_with_the_next_step(ctx: Context) -> None:
    problem = refused(ctx, path=".")
    assert (problem.code, problem.exit_status) == ("nothing-to-review", 2)
    assert "is empty" in problem.message
    assert "neondba review" in (problem.hint or "")


def test_a_tree_of_binaries_is_refused(ctx: Context) -> None:
    (ctx.folder / "a.bin").write_bytes(b"\0" * 100)
    assert refused(ctx, path=".").code == "nothing-to-review"


def test_what_may_not_be_read_is_told(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path, mode: str = "r") -> object:
        raise PermissionError(13, "Permission denied", str(path))

    (ctx.folder / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(Path, "open", closed)
    assert "that you may read: a.py is closed to you" in refused(ctx, path=".").message


def test_the_next_commands_can_be_pasted(ctx: Context) -> None:
    (ctx.folder / "my shop").mkdir()
    (ctx.folder / "my shop" / "a.py").write_text("x = 1\n")
    result = review(ctx, Path("my shop"))
    assert "neondba review 'my shop' --prove" in result.next


def test_a_path_that_is_missing_or_a_file_is_refused(ctx: Context) -> None:
    (ctx.folder / "a.py").write_text("x = 1\n")
    assert refused(ctx, path="none").code == "path-not-found"
    assert refused(ctx, path="a.py").code == "path-not-a-folder"
    assert refused(ctx, path=".", revision="HEAD").code == "revision-not-found"


def test_a_revision_is_not_proven_by_the_folder_it_is_not(ctx: Context) -> None:
    (ctx.folder / "a.py").write_text("x = 1\n")
    problem = refused(ctx, path=".", prove=True, revision="v1")
    assert problem.code == "revision-not-provable"
    assert "git worktree add" in (problem.hint or "")


def test_a_file_that_cannot_be_parsed_is_listed_and_the_others_are_reviewed(ctx: Context) -> None:
    (ctx.folder / "broken.py").write_text("def f(:\n")
    (ctx.folder / "broken.sql").write_text("create tabel x (;\n")
    (ctx.folder / "money.sql").write_text("create table t (price float8);\n")
    found = review(ctx, Path())
    assert {"broken.py", "broken.sql"} <= {file.path for file in found.unparsed}
    assert "money.sql" in {finding.path for finding in found.findings}


def test_a_severity_leaves_out_what_matters_less(ctx: Context) -> None:
    (ctx.folder / "a.sql").write_text("create table t (price float8);\n")
    every, high = review(ctx, Path()), find("review").call(ctx, {"path": ".", "severity": "critical"})
    assert every.findings
    assert high.findings == []
    assert high.verdicts == every.verdicts


def test_a_project_without_a_database_is_not_proven_rather_than_met(ctx: Context) -> None:
    (ctx.folder / "a.py").write_text("x = 1\n")
    assert {verdict.standing for verdict in review(ctx, Path()).verdicts} == {"not proven"}


def test_json_holds_the_fields_that_tools_read(ctx: Context) -> None:
    (ctx.folder / "a.sql").write_text("create table t (price float8);\n")
    dumped = find("review").dump(review(ctx, Path()))
    assert {"findings", "verdicts", "not_checked", "unparsed"} <= set(dumped)
    fields = {
        "rule",
        "name",
        "category",
        "severity",
        "path",
        "line",
        "message",
        "steps",
        "snippet",
        "evidence",
        "way",
        "repair",
        "ignore",
        "fingerprint",
    }
    assert set(dumped["findings"][0]) == fields
    assert dumped["findings"][0]["evidence"]["kind"] == "read"
    assert Review.model_validate(dumped).findings


def test_every_listed_rule_has_a_page(ctx: Context) -> None:
    listed = rule_list(ctx)
    assert len(listed) >= 20
    for one in listed:
        assert rule_show(ctx, one.code).page.startswith(one.title)
    assert rule_show(ctx, listed[0].name).code == listed[0].code
