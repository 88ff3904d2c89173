"""Which branches a sweep chooses, and which it leaves alone."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from neondba.branches.git_branches import GitBranches, git_branches
from neondba.branches.open_pulls import OpenPulls, PullRequest, from_github, open_pulls
from neondba.branches.policy import Policy, policy_of
from neondba.branches.preview_name import preview_name
from neondba.branches.sweep import Judgement, World, judged
from neondba.core.problem import ArgumentProblem
from neondba.neon.models import Branch, Endpoint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=3)
GIT = GitBranches(frozenset({"main", "feature/new"}), "main")


def branch(name: str, **more: Any) -> Branch:
    usual = {"id": f"br-{name}", "project_id": "p", "current_state": "ready", "created_at": OLD}
    return Branch.model_validate({**usual, "name": name, **more})


def compute(of: Branch, **more: Any) -> Endpoint:
    usual = {"id": f"ep-{of.name}", "host": "h", "project_id": "p", "branch_id": of.id}
    return Endpoint.model_validate({**usual, **more})


def sweep(*branches: Branch, **more: Any) -> dict[str, Judgement]:
    usual: dict[str, Any] = {"computes": (), "policy": Policy(), "git": GIT, "pulls": OpenPulls(), "now": NOW}
    return {each.branch.name: each for each in judged(World(branches, **{**usual, **more}))}


def gone(found: dict[str, Judgement]) -> list[str]:
    return [name for name, each in found.items() if each.goes]


def test_the_preview_of_a_deleted_git_branch_goes_and_that_of_a_living_one_stays() -> None:
    found = sweep(branch("main", default=True), branch("preview/feature/old"), branch("preview/feature/new"))
    assert gone(found) == ["preview/feature/old"]
    assert found["preview/feature/old"].reasons == ("git branch feature/old is gone",)


def test_a_branch_made_by_hand_is_never_chosen_unless_it_is_named() -> None:
    hand = branch("experiment", created_at=NOW - timedelta(days=900))
    assert gone(sweep(hand)) == []
    assert gone(sweep(hand, named=frozenset({"experiment"}))) == ["experiment"]


def test_a_table_for_all_branches_does_not_make_those_made_by_hand_a_pattern_s(tmp_path: Path) -> None:
    (tmp_path / "neondba.toml").write_text('[branches."*"]\nidle = "1d"\nexpires = "1d"')
    assert gone(sweep(branch("experiment"), policy=policy_of(tmp_path))) == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"default": True}, "it is the default branch"),
        ({"protected": True}, "it is protected"),
        ({"created_at": NOW - timedelta(hours=2)}, "less than 1d ago"),
        ({"last_reset_at": NOW - timedelta(hours=2)}, "less than 1d ago"),
    ],
)
def test_guards_hold_back_what_looks_left_over(more: dict[str, Any], why: str) -> None:
    (found,) = sweep(branch("preview/x", **more)).values()
    assert not found.goes
    assert why in str(found.guard)


@pytest.mark.parametrize(
    "more", [{"current_state": "active"}, {"last_active": NOW - timedelta(hours=1)}, {"started_at": NOW}]
)
def test_a_branch_in_use_stays(more: dict[str, Any]) -> None:
    used = branch("preview/x")
    assert gone(sweep(used, computes=[compute(used, **more)])) == []


def test_the_checked_out_branch_stays() -> None:
    assert sweep(branch("preview/x"), checked_out="preview/x")["preview/x"].guard == (
        "it is checked out here (.neon)"
    )


def test_a_parent_goes_only_with_all_its_children_and_after_them() -> None:
    top, leaf = branch("preview/a"), branch("preview/z", parent_id="br-preview/a")
    assert gone(sweep(top, leaf)) == ["preview/z", "preview/a"]
    hand = branch("by-hand", parent_id="br-preview/a")
    found = sweep(top, leaf, hand)
    assert gone(found) == ["preview/z"]
    assert found["preview/a"].guard == "branches of it stay: by-hand"


def test_pull_requests_are_judged_by_the_list_of_open_ones_only() -> None:
    there = [branch("preview/pr-7-fix"), branch("preview/pr-8-fix")]
    unknown = sweep(*there)
    assert gone(unknown) == []
    assert "give the open ones with --open-pr" in unknown["preview/pr-7-fix"].unknown[0]
    assert gone(sweep(*there, pulls=open_pulls(["8"]))) == ["preview/pr-7-fix"]
    assert len(gone(sweep(*there, pulls=open_pulls(["none"])))) == 2


def test_an_open_pull_request_holds_back_an_idle_preview() -> None:
    old = branch("preview/pr-8-fix", created_at=NOW - timedelta(days=60))
    found = sweep(old, pulls=open_pulls(["7, #8"]))["preview/pr-8-fix"]
    assert (found.goes, found.guard) == (False, "pull request 8 is open")
    fork = branch("preview/from-a-fork", created_at=NOW - timedelta(days=60))
    assert not sweep(fork, pulls=open_pulls(["from-a-fork"]))["preview/from-a-fork"].goes


def test_what_a_failed_command_leaves_is_no_list_of_pull_requests() -> None:
    with pytest.raises(ArgumentProblem, match="given nothing"):
        open_pulls(["  \n"])


def test_idle_expired_and_drifted_branches_go(tmp_path: Path) -> None:
    (tmp_path / "neondba.toml").write_text(
        '[branches."dev/*"]\nexpires = "2d"\n[branches."qa/*"]\nidle = "1d"'
    )
    found = sweep(
        branch("preview/feature/new", created_at=NOW - timedelta(days=15)),
        branch("dev/a"),
        branch("qa/a"),
        branch("other", expires_at=NOW - timedelta(hours=1), created_at=NOW - timedelta(hours=3)),
        branch("neondba-run-0123abcd", created_at=NOW - timedelta(days=20)),
        policy=policy_of(tmp_path),
    )
    reasons = {name: each.reasons[0] for name, each in found.items() if each.goes}
    assert reasons == {
        "preview/feature/new": "it was last used on 2026-11-07, more than 14d ago",
        "dev/a": "the policy lets it live 2d; it is older and does not expire",
        "qa/a": "it was last used on 2026-11-19, more than 1d ago",
        "other": "it expired at 2026-11-22 11:00 UTC",
        "neondba-run-0123abcd": "it was last used on 2026-11-02, more than 14d ago",
    }


def test_patterns_may_follow_git_too_and_previews_may_not(tmp_path: Path) -> None:
    (tmp_path / "neondba.toml").write_text(
        '[branches."db-*-copy"]\nfollows-git = true\n[branches."preview/*"]\nfollows-git = false'
    )
    there = [branch("db-gone-copy"), branch("db-feature/new-copy"), branch("preview/gone")]
    assert gone(sweep(*there, policy=policy_of(tmp_path))) == ["db-gone-copy"]


@pytest.mark.parametrize("name", ["x" * 300, "näme/ß—é", "x'; drop table users; --", "a/b/c/d"])
def test_wild_names_of_living_git_branches_are_recognised(name: str) -> None:
    wild = GitBranches(frozenset({name}), "main")
    assert gone(sweep(branch(preview_name(name)), git=wild)) == []
    assert gone(sweep(branch(preview_name(name)))) == [preview_name(name)]


def test_a_clone_that_does_not_know_all_branches_condemns_none() -> None:
    there = branch("preview/gone")
    found = sweep(there, git=GitBranches(frozenset(), None, unknown="this clone is shallow"))
    assert gone(found) == []
    assert found["preview/gone"].unknown == ("whether git branch gone is there: this clone is shallow",)
    stale = GitBranches(frozenset(), None, as_of=OLD - timedelta(days=1))
    assert "older than preview/gone" in sweep(there, git=stale)["preview/gone"].unknown[0]


def run(folder: Path, *words: str) -> None:
    settings = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """A repository with two branches, to be cloned."""
    made = tmp_path / "far"
    made.mkdir()
    run(made, "init", "-b", "main")
    run(made, "commit", "--allow-empty", "-m", "first")
    run(made, "branch", "feature/ü")
    return made


def test_a_whole_clone_knows_every_branch_and_since_when(far: Path, tmp_path: Path) -> None:
    run(tmp_path, "clone", str(far), "near")
    near = tmp_path / "near"
    seen = git_branches(near)
    assert (seen.names, seen.current, seen.unknown) == ({"main", "feature/ü"}, "main", None)
    long_ago = (datetime.now(UTC) - timedelta(days=9)).timestamp()
    os.utime(near / ".git" / "refs" / "remotes" / "origin" / "HEAD", (long_ago, long_ago))
    run(near, "fetch", "origin", "main")
    assert seen.as_of is not None
    one_branch = git_branches(near).as_of
    assert one_branch is not None
    assert datetime.now(UTC) - one_branch > timedelta(days=8)
    run(near, "fetch")
    whole = git_branches(near).as_of
    assert whole is not None
    assert datetime.now(UTC) - whole < timedelta(hours=1)


def test_a_clone_of_a_part_says_what_it_does_not_know(far: Path, tmp_path: Path) -> None:
    run(tmp_path, "clone", "--depth", "1", "--no-single-branch", f"file://{far}", "shallow")
    assert "shallow" in str(git_branches(tmp_path / "shallow").unknown)
    run(tmp_path, "clone", "--single-branch", str(far), "single")
    assert git_branches(tmp_path / "single").unknown == "this clone fetches only some branches"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert git_branches(empty).unknown == "there is no git repository here"


def test_a_repository_without_a_remote_is_the_truth(far: Path) -> None:
    assert git_branches(far) == GitBranches(frozenset({"main", "feature/ü"}), "main")


def test_github_says_which_pull_request_a_workflow_runs_for(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(
        '{"pull_request": {"number": 12, "state": "open",'
        ' "head": {"ref": "fix", "repo": {"full_name": "a/b"}}, "base": {"repo": {"full_name": "a/b"}}}}'
    )
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
    found = from_github(variables)
    assert found == PullRequest(12, "fix", is_open=True, from_fork=False)
    assert open_pulls(["7"], found) == OpenPulls(frozenset({7, 12}), frozenset({"fix"}))
    event.write_text("[]")
    assert from_github(variables) is None
    assert from_github({}) is None
