"""One command on a branch of its own: what it is given, and what is left afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from neon_world import World

from neondba.core.context import Context
from neondba.core.plan import PlannedOnly
from neondba.core.problem import ConflictProblem, NotFoundProblem
from neondba.core.settings import Settings

GIVEN = """
import json, os, psycopg
found = {name: os.environ.get(name) for name in (
    "NEON_BRANCH", "NEON_PROJECT_ID", "NEON_API_HOST", "NEON_API_KEY", "PGUSER", "PGDATABASE", "PGSSLMODE")}
with psycopg.connect("") as libpq, psycopg.connect(os.environ["DATABASE_URL"]) as pooled:
    found["same"] = libpq.execute("select 1").fetchone() == pooled.execute("select 1").fetchone()
found["pooled"] = "-pooler" in os.environ["DATABASE_URL"], "-pooler" in os.environ["DATABASE_URL_UNPOOLED"]
print(json.dumps(found))
"""


def left(world: World) -> list[str]:
    with world.client() as client:
        return sorted(each.name for project in client.projects() for each in client.branches(project.id))


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def command(world: World, *words: str) -> list[str]:
    return [sys.executable, "-m", "neondba", "run", "--state-dir", str(world.state), *words]


def test_the_command_is_given_a_branch_in_its_environment_and_nothing_is_left(world: World, shop: str):
    ran = world.call("run", shop, command=python(GIVEN))
    assert (ran.status, ran.stderr, ran.kept) == (0, "", False)
    found = json.loads(ran.stdout)
    assert found["NEON_BRANCH"] == ran.branch != "main"
    assert found["NEON_API_KEY"] == "local"
    assert found["NEON_API_HOST"].endswith("/api/v2")
    assert (found["PGUSER"], found["PGDATABASE"], found["PGSSLMODE"]) == ("neondb_owner", "neondb", "require")
    assert found["same"] is True
    assert found["pooled"] == [True, False]
    assert left(world) == ["main"]


def test_what_it_changes_stays_on_the_branch(world: World, shop: str):
    write = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'], autocommit=True).execute({!r})"
    assert world.call("run", shop, command=python(write.format("create table t ()"))).status == 0
    read = world.call("run", shop, command=python(write.format("select * from t")))
    assert read.status == 1
    assert 'relation "t" does not exist' in read.stderr


def test_on_the_parent_itself_the_change_stays(world: World, shop: str):
    write = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'], autocommit=True).execute({!r})"
    for statement in ("create table kept ()", "drop table kept"):
        ran = world.call("run", shop, command=python(write.format(statement)), branch=False)
        assert (ran.status, ran.branch, ran.kept) == (0, "main", True)


def test_a_branch_that_is_kept_has_the_name_asked_for_and_no_expiry(world: World, shop: str):
    ran = world.call("run", shop, command=["true"], name="mine", keep=True)
    assert ran.next == (f"neondba branch delete mine --project {shop}",)
    with world.client() as client:
        branch = client.find_branch(client.find_project(shop), "mine")
        assert branch.expires_at is None
    with pytest.raises(ConflictProblem, match="has a branch mine already"):
        world.call("run", shop, command=["true"], name="mine")
    assert left(world) == ["main", "mine"]


def test_a_program_that_is_not_there_makes_no_branch(world: World, shop: str):
    with pytest.raises(NotFoundProblem, match="no program called pytset"):
        world.call("run", shop, command=["pytset"])
    assert world.said == []


def test_captured_output_holds_no_password(world: World, shop: str):
    ran = world.call("run", shop, command=["env"])
    assert "PGPASSWORD=***" in ran.stdout
    assert "npg_" not in ran.stdout + ran.model_dump_json()


def test_the_end_of_long_output_is_kept(world: World, shop: str):
    ran = world.call("run", shop, command=python("print('x' * 300_000 + 'end')"))
    assert ran.stdout.endswith("xend\n")
    assert len(ran.stdout) <= 64 * 1024


def test_in_a_terminal_input_output_and_status_are_the_command_s(world: World, shop: str):
    said = subprocess.run(
        command(world, "--project", shop, "--branch", "--", "sh", "-c", "cat; echo no >&2; exit 7"),
        input=b"in \xff out",
        capture_output=True,
        check=False,
    )
    assert (said.returncode, said.stdout, said.stderr) == (7, b"in \xff out", b"no\n")
    assert left(world) == ["main"]


def test_words_behind_the_dashes_are_the_command_s_alone(world: World, shop: str):
    tail = ["--format", "json", "--api-key", "--help", "--confirm", "--", "-x"]
    said = subprocess.run(
        command(world, "--project", shop, "--", "echo", *tail), capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, " ".join(tail) + "\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_command_and_the_branch_goes(
    world: World, shop: str, tmp_path: Path, number: int
):
    mark = tmp_path / "heard"
    code = (
        "import signal, sys, time, pathlib\n"
        f"def heard(number, _): pathlib.Path({str(mark)!r}).write_text(str(number)); sys.exit(9)\n"
        f"signal.signal({int(number)}, heard); print('ready', flush=True); time.sleep(60)"
    )
    running = subprocess.Popen(
        command(world, "--project", shop, "--", *python(code)), stdout=subprocess.PIPE, start_new_session=True
    )
    assert running.stdout is not None
    with running.stdout as said:
        assert said.readline() == b"ready\n"
        running.send_signal(number)
        assert running.wait(60) == 9
    assert mark.read_text() == str(int(number))
    assert left(world) == ["main"]


def test_a_killed_command_gives_the_signal_s_status_and_the_branch_goes(world: World, shop: str):
    ran = world.call("run", shop, command=python("import os; os.kill(os.getpid(), 9)"))
    assert ran.status == 137
    assert left(world) == ["main"]


def test_cancelling_the_call_ends_the_command(world: World, shop: str, tmp_path: Path):
    mark = tmp_path / "pid"
    code = (
        f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    ctx = replace(world.context(shop), cancelled=lambda: mark.exists() and bool(mark.read_text()))
    from neondba import capabilities

    with pytest.raises(KeyboardInterrupt):
        capabilities.load()["run"].call(ctx, {"command": python(code)})
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    assert left(world) == ["main"]


def test_without_any_project_one_is_made_and_named_after_the_folder(state: Path, tmp_path: Path):
    folder = tmp_path / "tea-shop"
    (folder / "src").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    ctx = Context(settings=Settings(state_dir=state), folder=folder / "src")
    from neondba import capabilities

    run = capabilities.load()["run"]
    with pytest.raises(PlannedOnly) as planned:
        run.function(replace(ctx, dry_run=True), ["true"])
    assert planned.value.plan.steps[0] == "Create project tea-shop: there is none yet."
    first, second = (run.call(ctx, {"command": ["true"]}) for _ in range(2))
    assert first.project == second.project == "tea-shop"
    other = replace(ctx, folder=tmp_path)
    assert run.call(other, {"command": ["true"]}).project == "tea-shop", "it is the only one"


def test_a_long_run_moves_the_expiry_on(world: World, shop: str):
    from neondba.branches.run import renewer
    from neondba.neon.throwaway import throwaway_branch

    ctx = world.context(shop)
    with world.client() as client:
        with throwaway_branch(client, ctx, project=shop, purpose="run") as it:
            before = client.branch(it.project_id, it.branch_id).expires_at
            renew = renewer(client, ctx, it, every=0)
            renew()
            after = client.branch(it.project_id, it.branch_id).expires_at
            assert before is not None
            assert after is not None
            assert (after - before).total_seconds() > 10 * 3600
        renew()  # A branch that is gone meanwhile is no trouble.
