"""The branch of a pull request: one, its own, and secret."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neon_world import World

from neondba import capabilities
from neondba.branches.preview_name import preview_name, pull_request_of
from neondba.core.context import Context
from neondba.core.plan import Plan
from neondba.core.problem import ArgumentProblem, ConfirmationNeeded, ConflictProblem, NotFoundProblem
from neondba.neon.connection_string import parse
from neondba.neon.throwaway import reached
from neondba.project import env_file

_GIT = st.text(min_size=1, max_size=400)


@pytest.fixture(autouse=True)
def _no_github(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "GITHUB_ENV", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)


def call(world: World, store: str, folder: Path, verb: str = "create", **arguments: Any) -> Any:
    ctx = world.context(store)
    ctx.folder = folder
    return capabilities.load()[f"preview.{verb}"].call(ctx, arguments)


def call_sql(world: World, store: str, branch: str, text: str) -> list[Any]:
    with world.client() as client:
        project = client.find_project(store)
        url = reached(client, project.id, client.find_branch(project, branch)).direct
    with psycopg.connect(url.reveal(), autocommit=True) as session:
        cursor = session.execute(text)
        return cursor.fetchall() if cursor.description else []


def names(world: World, store: str) -> list[str]:
    return sorted(each.name for each in world.call("branch.list", store).branches)


def on_github(monkeypatch: pytest.MonkeyPatch, folder: Path, *, state: str = "open") -> dict[str, Path]:
    files = {name: folder / name.lower() for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_EVENT_PATH")}
    for name, path in files.items():
        path.touch()
        monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    repository = {"full_name": "a/b"}
    event = {
        "number": 12,
        "state": state,
        "head": {"ref": "fix/ü", "repo": repository},
        "base": {"repo": repository},
    }
    files["GITHUB_EVENT_PATH"].write_text(json.dumps({"pull_request": event}))
    return files


def test_the_second_call_finds_what_the_first_has_made_and_moves_its_expiry(
    world: World, shop: str, tmp_path: Path
) -> None:
    first = call(world, shop, tmp_path, git_branch="feature/x", pr=12, expires="1d")
    assert (first.name, first.parent, first.created) == ("preview/pr-12-feature/x", "main", True)
    second = call(world, shop, tmp_path, git_branch="feature/x", pr=12, expires="9d")
    assert (second.id, second.created, second.host) == (first.id, False, first.host)
    assert second.expires_at - first.expires_at > timedelta(days=7)
    third = call(world, shop, tmp_path, git_branch="feature/x", pr=12)
    assert third.expires_at == second.expires_at


def test_addresses_go_into_a_file_for_the_owner_alone_and_lead_to_the_preview(
    world: World, shop: str, tmp_path: Path
) -> None:
    (tmp_path / ".env.preview").write_text("# mine\nDATABASE_URL=old\nOTHER=kept\n")
    made = call(world, shop, tmp_path, git_branch="x", env_file=Path(".env.preview"))
    text = (tmp_path / ".env.preview").read_text()
    assert text.startswith("# mine\n")
    assert "OTHER=kept" in text
    assert stat.S_IMODE((tmp_path / ".env.preview").stat().st_mode) == 0o600
    values = env_file.read(tmp_path / ".env.preview")
    direct, pooled = (parse(values.value(name)) for name in ("DATABASE_URL_UNPOOLED", "DATABASE_URL"))  # type: ignore[arg-type]
    assert str(direct.endpoint_id) in made.host
    assert (direct.is_pooled, pooled.is_pooled) == (False, True)
    assert direct.password is not None
    assert direct.password.reveal() not in made.model_dump_json()
    (main,) = [each for each in world.call("branch.list", shop).branches if each.default]
    assert made.host != main.host


def test_no_variable_beside_the_usual_ones_still_leads_to_the_parent(
    world: World, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.client() as client:
        project = client.find_project(shop)
        parent = reached(client, project.id, client.default_branch(project)).direct.reveal()
    (tmp_path / "urls").write_text(f"DIRECT_URL={parent}\nREDIS_URL=redis://elsewhere\n")
    files = on_github(monkeypatch, tmp_path)
    monkeypatch.setenv("POSTGRES_URL", parent)
    call(world, shop, tmp_path, env_file=Path("urls"), github=True)
    written = (tmp_path / "urls").read_text() + files["GITHUB_ENV"].read_text()
    assert str(parse(parent).endpoint_id) not in written
    assert "REDIS_URL=redis://elsewhere" in written
    assert "POSTGRES_URL<<" in written
    assert written.count("options=endpoint%3D") == 6


def test_on_github_the_addresses_are_masked_before_they_are_handed_on(
    world: World,
    shop: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    files = on_github(monkeypatch, tmp_path)
    made = call(world, shop, tmp_path, github=True)
    assert made.name == "preview/pr-12-fix/ü"
    out, err = capfd.readouterr()
    assert out == ""
    handed = dict(re.findall(r"^(\w+)<<(?:\w+)\n(.*)\n", files["GITHUB_ENV"].read_text(), re.MULTILINE))
    password = parse(handed["DATABASE_URL"]).password
    assert password is not None
    hidden = [line.removeprefix("::add-mask::").replace("%25", "%") for line in err.splitlines()]
    assert {handed["DATABASE_URL"], handed["DATABASE_URL_UNPOOLED"], password.reveal()} == set(hidden)
    outputs = files["GITHUB_OUTPUT"].read_text()
    assert "created<<" in outputs
    assert password.reveal() not in outputs


def test_a_branch_name_cannot_bring_variables_of_its_own(
    world: World, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = on_github(monkeypatch, tmp_path)
    evil = "x<<EOF%0APATH=evil"
    call(world, shop, tmp_path, git_branch=evil, github=True)
    lines = files["GITHUB_ENV"].read_text().splitlines()
    assert f"preview/{evil}" in lines
    assert [line for line in lines if line.startswith("PATH")] == []
    with pytest.raises(ArgumentProblem, match="no name of a git branch"):
        call(world, shop, tmp_path, git_branch="x\nPATH=evil", github=True)


def test_many_calls_at_once_make_one_branch(world: World, shop: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: call(world, shop, tmp_path, git_branch="race"), range(6)))
    assert len({each.id for each in made}) == 1
    assert len([each for each in made if each.created]) == 1
    assert names(world, shop) == ["main", "preview/race"]


@pytest.mark.parametrize("name", ["näme-☃/a/b", "x'; drop table users; --", "%2e%2e/../" + "l" * 400])
def test_wild_git_branches_have_previews_that_are_found_and_deleted(
    world: World, shop: str, tmp_path: Path, name: str
) -> None:
    made = call(world, shop, tmp_path, git_branch=name)
    assert made.name == preview_name(name)
    assert call(world, shop, tmp_path, git_branch=name).id == made.id
    assert call(world, shop, tmp_path, "delete", git_branch=name).names == (made.name,)
    assert call(world, shop, tmp_path, "delete", git_branch=name).names == ()
    assert names(world, shop) == ["main"]


def test_long_names_that_begin_alike_stay_apart() -> None:
    first, second = preview_name("x" * 400 + "a"), preview_name("x" * 400 + "b")
    assert len(first) == len(second) == 256
    assert first != second


@given(_GIT, _GIT, st.none() | st.integers(1, 10**10 - 1))
def test_every_git_branch_has_a_name_of_its_own_that_neon_takes(
    first: str, second: str, number: int | None
) -> None:
    try:
        one, other = preview_name(first, number), preview_name(second, number)
    except ArgumentProblem:
        assert not all(each.isprintable() and each == each.strip() for each in (first, second))
        return
    assert 1 <= len(one) <= 256
    assert (one == other) == (first == second)
    assert number is None or pull_request_of(one.removeprefix("preview/")) == number


def test_a_branch_that_only_has_the_name_is_not_handed_out(world: World, store: str, tmp_path: Path) -> None:
    world.call("branch.create", store, name="preview/x")
    world.call("branch.protect", store, name="preview/x")
    with pytest.raises(ConflictProblem, match="handed out as no preview"):
        call(world, store, tmp_path, git_branch="x", env_file=Path(".env"))
    with pytest.raises(ConflictProblem, match="cannot be deleted"):
        call(world, store, tmp_path, "delete", git_branch="x")
    assert not (tmp_path / ".env").exists()


def test_an_existing_preview_with_rows_is_no_answer_to_a_call_without(
    world: World, shop: str, tmp_path: Path
) -> None:
    call(world, shop, tmp_path, git_branch="x")
    with pytest.raises(ConflictProblem, match="with the rows of its parent"):
        call(world, shop, tmp_path, git_branch="x", schema_only=True)
    bare = call(world, shop, tmp_path, git_branch="y", schema_only=True)
    assert call(world, shop, tmp_path, git_branch="y", schema_only=True).id == bare.id


def test_an_anonymised_preview_holds_masked_rows_and_never_the_parent_s(
    world: World, shop: str, tmp_path: Path
) -> None:
    fill = (
        "create table person (id int primary key, email text); insert into person values (1, 'a@b.example')"
    )
    call_sql(world, shop, "main", fill)
    made = call(world, shop, tmp_path, git_branch="x", anonymised=True, env_file=Path("urls"))
    assert (made.created, made.expires_at is not None) == (True, True)
    ((email,),) = call_sql(world, shop, "preview/x", "select email from person")
    assert email != "a@b.example"
    assert call(world, shop, tmp_path, git_branch="x", anonymised=True).id == made.id
    call(world, shop, tmp_path, git_branch="y")
    with pytest.raises(ConflictProblem, match="with the rows of its parent"):
        call(world, shop, tmp_path, git_branch="y", anonymised=True)
    call_sql(world, shop, "main", "drop table person")


def test_a_preview_of_another_parent_is_not_taken_for_this_one(
    world: World, shop: str, tmp_path: Path
) -> None:
    world.call("branch.create", shop, name="stage", no_compute=True)
    call(world, shop, tmp_path, git_branch="x")
    with pytest.raises(ConflictProblem, match="is no branch of stage"):
        call(world, shop, tmp_path, git_branch="x", parent="stage")
    with pytest.raises(NotFoundProblem, match="no branch gone"):
        call(world, shop, tmp_path, git_branch="y", parent="gone")
    assert names(world, shop) == ["main", "preview/x", "stage"]


def test_the_policy_gives_parent_and_expiry(world: World, shop: str, tmp_path: Path) -> None:
    (tmp_path / "neondba.toml").write_text('[branches."preview/*"]\nparent = "stage"\nexpires = "2d"')
    world.call("branch.create", shop, name="stage", no_compute=True)
    made = call(world, shop, tmp_path, git_branch="x")
    assert made.parent == "stage"
    assert timedelta(days=1, hours=23) < made.expires_at - datetime.now(UTC) <= timedelta(days=2)


def test_a_preview_that_somebody_lets_stay_stays_and_goes_only_with_consent(
    world: World, shop: str, tmp_path: Path
) -> None:
    call(world, shop, tmp_path, git_branch="x")
    world.call("branch.expire", shop, name="preview/x", never=True)
    assert call(world, shop, tmp_path, git_branch="x").expires_at is None
    with pytest.raises(ConfirmationNeeded):
        call(world, shop, tmp_path, "delete", git_branch="x")


def test_a_preview_without_a_compute_gets_one_of_its_own(world: World, shop: str, tmp_path: Path) -> None:
    world.call("branch.create", shop, name="preview/x", no_compute=True, expires="1d")
    made = call(world, shop, tmp_path, git_branch="x")
    with world.client() as client:
        (compute,) = client.endpoints(client.find_project(shop).id, made.id)
    assert (made.created, made.host) == (False, compute.host)


def test_a_pull_request_s_number_alone_finds_its_preview(world: World, shop: str, tmp_path: Path) -> None:
    call(world, shop, tmp_path, git_branch="old-name", pr=7)
    call(world, shop, tmp_path, git_branch="other", pr=70)
    assert call(world, shop, tmp_path, "delete", pr=7).names == ("preview/pr-7-old-name",)
    assert names(world, shop) == ["main", "preview/pr-70-other"]


def test_on_github_a_renamed_git_branch_leaves_no_preview_behind(
    world: World, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_github(monkeypatch, tmp_path, state="closed")
    call(world, shop, tmp_path, git_branch="before-its-renaming", pr=12)
    gone = call(world, shop, tmp_path, "delete")
    assert gone.names == ("preview/pr-12-before-its-renaming",)
    assert names(world, shop) == ["main"]


def test_a_file_in_git_gets_no_password(world: World, shop: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=b\n")
    for words in (["init", "-q"], ["add", ".env"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(ArgumentProblem, match="is in git"):
        call(world, shop, tmp_path, git_branch="x", env_file=Path(".env"))
    with pytest.raises(ArgumentProblem, match="and this is none"):
        call(world, shop, tmp_path, git_branch="x", github=True)
    assert names(world, shop) == ["main"]


def test_a_dry_run_makes_and_writes_nothing(world: World, shop: str, tmp_path: Path) -> None:
    ctx: Context = world.context(shop)
    ctx.folder, ctx.dry_run = tmp_path, True
    plan = capabilities.load()["preview.create"].call(ctx, {"git_branch": "x", "env_file": ".env"})
    assert isinstance(plan, Plan)
    assert plan.steps[1] == "Neon deletes preview/x after 7d."
    assert names(world, shop) == ["main"]
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_no_address_and_fails_with_a_status(
    world: World, shop: str, tmp_path: Path
) -> None:
    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "neondba", *words, "--project", shop, "--state-dir", str(world.state)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    made = command("preview", "create", "x", "--env-file", "urls", "--format", "json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["name"] == "preview/x"
    assert "postgresql://" not in made.stdout + made.stderr
    failed = command("preview", "create", "x", "--parent", "gone", "--env-file", "more")
    assert (failed.returncode, failed.stdout) == (4, "")
    assert not (tmp_path / "more").exists()
