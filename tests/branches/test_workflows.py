"""The generated workflows: as GitHub reads them, written anew, and at work on a local Neon."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from neon_world import World
from workflow_runner import Runner

from neondba import capabilities
from neondba.branches.workflows import FOLDER
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem
from neondba.core.settings import Settings
from neondba.local import platform
from neondba.migrations.results import Rehearsal

CLIENTS = Path(__file__).parents[1] / "clients"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with plain SQL migrations."""
    made = tmp_path / "shop"
    (made / "migrations").mkdir(parents=True)
    (made / "migrations" / "001_item.up.sql").write_text("create table item (id int primary key);\n")
    (made / "migrations" / "001_item.down.sql").write_text("drop table item;\n")
    for words in (["init", "-q", "-b", "main"], ["add", "."]):
        subprocess.run(["git", *words], cwd=made, check=True)
    return made


def write(folder: Path, tmp_path: Path, **arguments: Any) -> dict[str, str]:
    ctx = Context(settings=Settings(state_dir=tmp_path / "state"), folder=folder)
    done = capabilities.load()["workflow.write"].call(ctx, arguments)
    return {Path(each.path).name.removeprefix("neondba-"): each.state for each in done.files}


def files(checkout: Path) -> list[Path]:
    return sorted((checkout / FOLDER).glob("neondba-*.yml"))


def steps(checkout: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in files(checkout):
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            for step in job["steps"]:
                yield file.name, step


def test_writing_again_changes_nothing(checkout: Path, tmp_path: Path) -> None:
    assert set(write(checkout, tmp_path).values()) == {"new"}
    assert set(write(checkout, tmp_path).values()) == {"unchanged"}
    assert write(checkout, tmp_path, rows="none")["preview.yml"] == "changed"
    assert "preview create --github --schema-only" in (checkout / FOLDER / "neondba-preview.yml").read_text()


def test_steps_of_one_s_own_are_kept_and_other_edits_are_left_alone(checkout: Path, tmp_path: Path) -> None:
    write(checkout, tmp_path)
    preview, sweep = checkout / FOLDER / "neondba-preview.yml", checkout / FOLDER / "neondba-sweep.yml"
    preview.write_text(
        preview.read_text().replace("      # End of yours.", "      - run: make e2e\n      # End of yours.")
    )
    sweep.write_text(sweep.read_text().replace("17 5 * * 1", "17 5 * * 2"))
    assert write(checkout, tmp_path, rows="none") == {
        "preview.yml": "changed",
        "cleanup.yml": "unchanged",
        "sweep.yml": "edited by hand",
    }
    assert "      - run: make e2e\n      # End of yours.\n" in preview.read_text()
    assert "--schema-only" in preview.read_text()
    assert "17 5 * * 2" in sweep.read_text()
    assert write(checkout, tmp_path, rows="none")["preview.yml"] == "unchanged"


def test_workflows_of_others_stay(checkout: Path, tmp_path: Path) -> None:
    (checkout / FOLDER).mkdir(parents=True)
    (checkout / FOLDER / "test.yml").write_text("name: test\n")
    (checkout / FOLDER / "neondba-preview.yml").write_text("name: mine\n")
    assert write(checkout, tmp_path)["preview.yml"] == "not written by neondba"
    assert (checkout / FOLDER / "neondba-preview.yml").read_text() == "name: mine\n"
    assert (checkout / FOLDER / "test.yml").read_text() == "name: test\n"


def test_a_check_and_a_dry_run_write_nothing(checkout: Path, tmp_path: Path) -> None:
    assert write(checkout, tmp_path, check=True)["sweep.yml"] == "new"
    assert files(checkout) == []


def test_outside_of_a_repository_there_is_no_place_for_workflows(tmp_path: Path) -> None:
    with pytest.raises(NotFoundProblem, match="in no git repository"):
        write(tmp_path, tmp_path)


def test_a_project_below_the_top_runs_in_its_folder_and_brings_what_its_alembic_needs(
    checkout: Path, tmp_path: Path
) -> None:
    service = checkout / "ser vice's"
    service.mkdir()
    (service / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (service / "requirements.txt").write_text("alembic\n")
    write(service, tmp_path)
    written = yaml.safe_load((checkout / FOLDER / "neondba-preview.yml").read_text())
    assert written["defaults"]["run"]["working-directory"] == "ser vice's"
    assert any(
        ".venv/bin/pip install -r requirements.txt" in step.get("run", "") for _, step in steps(checkout)
    )


def test_github_s_own_language_service_finds_no_fault(checkout: Path, tmp_path: Path) -> None:
    (checkout / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (checkout / "pyproject.toml").write_text('[project]\nname = "x"\n')
    write(checkout, tmp_path)
    faulty = tmp_path / "faulty.yml"
    faulty.write_text(
        (checkout / FOLDER / "neondba-preview.yml").read_text().replace("steps.neon.", "steps.no.")
    )
    node = shutil.which("node")
    assert node is not None
    said = subprocess.run(
        [node, "scripts/lint_workflows.mjs", *map(str, files(checkout)), str(faulty)],
        cwd=CLIENTS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert {line.partition(":")[0] for line in said.stdout.splitlines()} == {str(faulty)}


def test_actions_are_pinned_and_no_expression_reaches_a_script(checkout: Path, tmp_path: Path) -> None:
    write(checkout, tmp_path)
    for name, step in steps(checkout):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]), name
        else:
            assert "${{" not in step["run"], name
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)
        if "secrets.NEON_API_KEY }}" in str(step):
            assert "neondba " in step["run"], name
    text = "".join(file.read_text() for file in files(checkout))
    assert len(re.findall(r"uses: \S+ # v\d+\.\d+\.\d+\n", text)) == text.count("uses: ")
    assert text.count("\npermissions: {}\n") == 3
    assert text.count("write\n") == 1


@pytest.fixture
def runner(world: World, shop: str, checkout: Path, tmp_path: Path) -> Runner:
    write(checkout, tmp_path)
    host, _ = platform.address(world.context())
    made = Runner(
        checkout, tmp_path / "runner", {"NEON_API_HOST": host, "NEONDBA_STATE_DIR": str(tmp_path / "own")}
    )
    made.secrets["NEON_API_KEY"] = "nap" + "i_" + "x" * 40
    made.variables["NEON_PROJECT_ID"] = shop
    return made


def event(*, state: str = "open", fork: bool = False) -> dict[str, Any]:
    ours = {"full_name": "team/shop"}
    head = {"ref": "feature/ü$(id)", "repo": {"full_name": "stranger/shop"} if fork else ours}
    return {
        "pull_request": {"number": 12, "state": state, "head": head, "base": {"ref": "main", "repo": ours}}
    }


def names(world: World, shop: str) -> list[str]:
    return sorted(each.name for each in world.call("branch.list", shop).branches)


def test_a_pull_request_from_its_first_push_to_its_end(
    world: World, shop: str, runner: Runner, checkout: Path
) -> None:
    preview = checkout / FOLDER / "neondba-preview.yml"
    first = runner.run(preview, event())
    assert [job.failed for job in first.values()] == [None, None], first["rehearsal"].log
    assert names(world, shop) == ["main", "preview/pr-12-feature/ü$(id)"]
    handed = first["preview"].environment
    assert handed["DATABASE_URL"].startswith("postgresql://")
    assert handed["DATABASE_URL"] in first["preview"].masks
    assert first["preview"].outputs["preview"]["created"] == "true"
    (comment,) = runner.comments
    assert comment["body"].startswith("<!-- neondba rehearsal -->\n")
    assert "001" in comment["body"]
    (checkout / "migrations" / "001_item.down.sql").write_text("select 1;\n")
    second = runner.run(preview, event())
    assert second["preview"].outputs["preview"]["created"] == "false"
    assert (second["preview"].failed, second["rehearsal"].failed) == (None, "Say how it went")
    (updated,) = runner.comments
    assert (updated["edits"], updated["body"] == comment["body"]) == (1, False)
    closed = runner.run(checkout / FOLDER / "neondba-cleanup.yml", event(state="closed"))
    assert closed["cleanup"].failed is None, closed["cleanup"].log
    assert names(world, shop) == ["main"]
    again = runner.run(checkout / FOLDER / "neondba-cleanup.yml", event(state="closed"))
    assert "nothing to delete" in again["cleanup"].log
    for job in [*first.values(), *second.values(), *closed.values()]:
        public = job.log + job.summary + updated["body"]
        assert "postgresql://" not in public
        assert runner.secrets["NEON_API_KEY"] not in public


def test_a_rehearsal_that_cannot_run_says_so_in_the_comment(runner: Runner, checkout: Path) -> None:
    shutil.rmtree(checkout / "migrations")
    job = runner.run(checkout / FOLDER / "neondba-preview.yml", event(), "rehearsal")["rehearsal"]
    assert job.failed == "Say how it went"
    (comment,) = runner.comments
    assert "## The migrations could not be rehearsed\n\n    " in comment["body"]


def test_where_nothing_is_pending_no_comment_is_added(runner: Runner, checkout: Path) -> None:
    preview = checkout / FOLDER / "neondba-preview.yml"
    said = Rehearsal(config="migrations", server_version="18").as_markdown()
    runner.program("neondba", f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
    assert runner.run(preview, event(), "rehearsal")["rehearsal"].failed is None
    assert runner.comments == []


def test_a_fork_gets_no_preview_and_is_told_why(
    world: World, shop: str, runner: Runner, checkout: Path
) -> None:
    runner.secrets.clear()
    for name, states in (("preview", ("open", "open")), ("cleanup", ("closed",))):
        jobs = runner.run(checkout / FOLDER / f"neondba-{name}.yml", event(state=states[0], fork=True))
        for job in jobs.values():
            assert (job.failed, job.ran) == (None, ["See whether this run may use Neon"])
            assert "GitHub gives no secrets to pull requests from forks" in job.summary
    assert names(world, shop) == ["main"]


def test_a_repository_without_the_secret_fails_instead_of_using_another_database(
    runner: Runner, checkout: Path
) -> None:
    runner.secrets.clear()
    jobs = runner.run(checkout / FOLDER / "neondba-preview.yml", event())
    assert {job.failed for job in jobs.values()} == {"See whether this run may use Neon"}
    swept = runner.run(checkout / FOLDER / "neondba-sweep.yml", {})["sweep"]
    assert "Set the secret NEON_API_KEY" in swept.log


def test_the_weekly_sweep_shows_what_is_left_over_and_deletes_nothing(
    world: World, shop: str, runner: Runner, checkout: Path
) -> None:
    world.call("branch.create", shop, name="preview/pr-99-old", no_compute=True)
    job = runner.run(checkout / FOLDER / "neondba-sweep.yml", {})["sweep"]
    assert job.failed is None, job.log
    assert "pull request 99 is closed" in job.summary
    assert names(world, shop) == ["main", "preview/pr-99-old"]


def test_a_sweep_that_is_started_with_a_plan_carries_out_that_plan_alone(
    checkout: Path, tmp_path: Path
) -> None:
    write(checkout, tmp_path)
    runner = Runner(checkout, tmp_path / "runner", {})
    runner.program("neondba", f'#!/bin/sh\nprintf "%s|" "$@" >> {tmp_path}/called\n')
    runner.secrets["NEON_API_KEY"] = "a" + "-key"
    (runner.place / "open").write_text("7,8")
    for plan in ("", "0123abcd; rm -rf ."):
        runner.inputs["confirm"] = plan
        assert runner.run(checkout / FOLDER / "neondba-sweep.yml", {})["sweep"].failed is None
    assert (tmp_path / "called").read_text() == (
        "branch|sweep|--open-pr|7,8|--dry-run|branch|sweep|--open-pr|7,8|--confirm|0123abcd; rm -rf .|"
    )
