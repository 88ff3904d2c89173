"""What a project file may say about its branches, and which table counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from neondba.branches.policy import Policy, policy_of
from neondba.core.problem import ArgumentProblem


def written(folder: Path, text: str) -> Policy:
    (folder / "neondba.toml").write_text(text)
    return policy_of(folder)


def test_without_a_project_file_nothing_is_wanted(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    policy = policy_of(tmp_path)
    assert policy.tables == ()
    assert policy.for_branch("main", default=True).model_fields_set == set()


def test_a_pattern_speaks_of_every_branch_that_fits(tmp_path: Path) -> None:
    policy = written(tmp_path, '[branches."preview/*"]\nexpires = "7d"\nsuspend = "5m"\nparent = "main"')
    rule = policy.for_branch("preview/feature/x")
    assert (rule.expires, rule.suspend_seconds, rule.parent) == (timedelta(days=7), 300, "main")
    assert policy.for_branch("previews").expires is None


def test_each_setting_comes_from_the_first_table_that_has_it(tmp_path: Path) -> None:
    policy = written(
        tmp_path,
        """
[branches."*"]
max-cu = 1
suspend = "never"
[branches."dev/*"]
max-cu = 2
idle = "14d"
[branches."dev/big"]
max-cu = 8
""",
    )
    assert policy.for_branch("dev/big").max_cu == 8
    small = policy.for_branch("dev/small")
    assert (small.max_cu, small.suspend_seconds, small.idle) == (1, -1, timedelta(days=14))


def test_the_default_branch_has_a_table_whatever_it_is_called(tmp_path: Path) -> None:
    policy = written(tmp_path, '[branches."@default"]\nprotected = true')
    assert policy.for_branch("production", default=True).protected is True
    assert policy.for_branch("production").protected is None


def test_a_branch_with_brackets_in_its_name_has_its_own_table(tmp_path: Path) -> None:
    policy = written(tmp_path, """[branches."it's [odd]; drop table x"]\nprotected = true""")
    assert policy.for_branch("it's [odd]; drop table x").protected is True


def test_the_own_file_replaces_a_table_of_the_shared_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.neondba.branches.dev]\nidle = "1d"\n[tool.neondba.branches.qa]\nidle = "2d"'
    )
    policy = written(tmp_path, '[branches.dev]\nidle = "9d"')
    assert [policy.for_branch(name).idle for name in ("dev", "qa")] == [timedelta(days=9), timedelta(days=2)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("expire = '7d'", "Did you mean expires"),
        ("max_cpu = 2", "Did you mean max-cu"),
        ("colour = 'red'", "There are: expires, protected, min-cu"),
        ("expires = '90d'", "expires takes a length of time up to 30d"),
        ("expires = 7", "expires takes a length of time"),
        ("suspend = '5s'", 'suspend takes "never" or a length of time'),
        ("protected = 'yes'", "protected takes true or false"),
        ("max-cu = 'big'", "max-cu takes a number of compute units"),
        ("min-cu = 2\nmax-cu = 1", "min-cu is above max-cu"),
        ("expires = '7d'\nprotected = true", "a protected or default branch cannot expire"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_can(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        written(tmp_path, f"[branches.'dev/*']\n{line}")
    assert said in f"{caught.value.message} {caught.value.hint}"
    assert "dev/*" in caught.value.message


def test_a_value_in_the_place_of_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentProblem, match=r"dev under branches in .* is no table"):
        written(tmp_path, "[branches]\ndev = 3")
