"""Environment files that lead to a branch, on a local Neon and in real git repositories."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from neon_world import World

from neondba import capabilities
from neondba.core.plan import Plan
from neondba.core.problem import ConflictProblem, NotFoundProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import parse
from neondba.project.env_file import read

Call = Callable[..., Any]
ELSEWHERE = "postgresql://me:" + "pw" + "@db.example.com/app"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder below a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    return folder


@pytest.fixture
def call(world: World, store: str, app: Path) -> Call:
    """Run an operation from the project's folder."""

    def run(name: str, /, *, dry: bool = False, **arguments: Any) -> Any:
        ctx = world.context(store)
        ctx.folder, ctx.dry_run = app, dry
        return capabilities.load()[name].call(ctx, arguments)

    return run


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, check=True, text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), "NEONDBA_STATE_DIR": "/nowhere"},
    )  # fmt: skip
    return done.stdout + done.stderr


def value(path: Path, name: str) -> str:
    found = read(path).value(name)
    assert found is not None
    return found.reveal()


def leads_to(world: World, store: str, url: str) -> str:
    with world.client() as client:
        project = client.find_project(store)
        names = {each.id: each.name for each in client.branches(project.id)}
        hosts = {each.id: names[each.branch_id] for each in client.endpoints(project.id)}
    return hosts[parse(url).endpoint_id or ""]


UNPOOLED = "DATABASE_URL_UNPOOLED"


def with_visitor(app: Path, name: str) -> str:
    """Make a role by SQL on the branch that .env leads to; give the line with its address."""
    word = "Pw" + "6" * 20
    with psycopg.connect(value(app / ".env", UNPOOLED), autocommit=True) as db:
        db.execute(f"create role visitor login password '{word}'".encode())
    url = parse(value(app / ".env", "DATABASE_URL")).with_role("visitor", Secret(word))
    return f"{name}={url.render().reveal()}\n"


def main_url(world: World, store: str) -> str:
    with world.client() as client:
        project = client.find_project(store)
        main = client.find_branch(project, "main")
        return client.connection_uri(project.id, main.id, "neondb", "neondb_owner").reveal()


def test_a_folder_without_files_gets_one_that_connects(
    world: World, store: str, app: Path, call: Call
) -> None:
    call("branch.create", name="dev")
    assert not (app / ".env").exists()
    done = call("branch.checkout", name="dev")
    assert [(each.path, each.names) for each in done.files] == [
        (".env", ("DATABASE_URL", "DATABASE_URL_UNPOOLED"))
    ]
    pooled, direct = value(app / ".env", "DATABASE_URL"), value(app / ".env", "DATABASE_URL_UNPOOLED")
    assert (parse(pooled).is_pooled, parse(direct).is_pooled) == (True, False)
    assert leads_to(world, store, pooled) == leads_to(world, store, direct) == "dev"
    with psycopg.connect(direct) as db:
        assert db.execute("select current_user").fetchone() == ("neondb_owner",)
    assert (app / ".env").stat().st_mode & 0o777 == 0o600
    noted = json.loads((app / ".neon").read_text())
    assert (noted["projectId"], noted["branch"]) == (done_project(world, store), "dev")
    assert "npg_" not in done.model_dump_json()


def done_project(world: World, store: str) -> str:
    with world.client() as client:
        return client.find_project(store).id


def test_a_new_branch_is_what_env_leads_to(world: World, store: str, app: Path, call: Call) -> None:
    call("branch.checkout", name="main")
    plan = call("branch.create", name="feature", dry=True)
    assert isinstance(plan, Plan)
    assert "In .env, point DATABASE_URL, DATABASE_URL_UNPOOLED at feature" in plan.steps[-2]
    assert plan.target.role == "neondb_owner"
    made = call("branch.create", name="feature")
    assert leads_to(world, store, value(app / ".env", "DATABASE_URL")) == "feature"
    assert [each.path for each in made.files] == [".env"]
    call("branch.create", name="aside", no_checkout=True)
    call("branch.create", name="cold", no_compute=True)
    assert leads_to(world, store, value(app / ".env", "DATABASE_URL")) == "feature"


def test_what_leads_elsewhere_is_left_by_create_and_kept_as_a_comment_by_checkout(
    world: World, store: str, app: Path, call: Call
) -> None:
    before = f"# mine\nDATABASE_URL={ELSEWHERE} # old\nAPP=1\n"
    (app / ".env").write_text(before)
    made = call("branch.create", name="dev")
    assert made.files == ()
    assert made.note == f".env leads to db.example.com, not to project {store}, and stays as it is."
    assert (app / ".env").read_text() == before
    plan = call("branch.checkout", name="dev", dry=True)
    assert "Keep the old DATABASE_URL there as a comment: it leads to db.example.com." in plan.steps
    call("branch.checkout", name="dev")
    lines = (app / ".env").read_text().splitlines()
    assert lines[:2] == ["# mine", f"# DATABASE_URL={ELSEWHERE} # old"]
    assert lines[3] == "APP=1"
    again = (app / ".env").read_bytes()
    call("branch.checkout", name="dev")
    assert (app / ".env").read_bytes() == again


def test_each_value_keeps_the_shape_it_had(world: World, store: str, app: Path, call: Call) -> None:
    call("branch.create", name="dev", no_checkout=True)
    call("branch.checkout", name="main", file=".env")
    text = read(app / ".env")
    pooled = value(app / ".env", "DATABASE_URL")
    unpooled = value(app / ".env", "DATABASE_URL_UNPOOLED")
    driver = pooled.replace("postgresql:", "postgresql+asyncpg:").replace("sslmode", "ssl")
    lines = [
        f"DATABASE_URL='{driver}&connect_timeout=15'",
        f"export DIRECT_URL={unpooled.replace('postgresql:', 'postgres:')}",
        "PGHOST=x",
        "PGPASSWORD=old",
        f"TEST_DATABASE_URL={pooled}",
    ]
    assert text.names
    (app / ".env").write_text("\n".join(lines))
    call("branch.checkout", name="dev")
    url = value(app / ".env", "DATABASE_URL")
    assert url.startswith("postgresql+asyncpg://")
    assert "channel_binding" not in url
    assert parse(url).parameter("connect_timeout") == "15"
    assert value(app / ".env", "DIRECT_URL").startswith("postgres://")
    assert leads_to(world, store, value(app / ".env", "TEST_DATABASE_URL")) == "main"
    names = ["PGHOST", "PGPASSWORD", "PGOPTIONS"]
    parts = {name: value(app / ".env", name) for name in names}
    direct = parse(value(app / ".env", "DIRECT_URL"))
    with psycopg.connect(
        host=parts["PGHOST"], port=direct.port, password=parts["PGPASSWORD"], options=parts["PGOPTIONS"],
        user="neondb_owner", dbname="neondb", sslmode="require",
    ) as db:  # fmt: skip
        assert db.execute("select 1").fetchone() == (1,)


def test_the_role_in_the_file_stays(world: World, store: str, app: Path, call: Call) -> None:
    call("branch.checkout", name="main")
    word = "Pw" + "7" * 20
    direct = value(app / ".env", "DATABASE_URL_UNPOOLED")
    with psycopg.connect(direct, autocommit=True) as db:
        db.execute(f"create role visitor login password '{word}'".encode())
    owner = parse(direct)
    assert owner.password
    theirs = direct.replace("neondb_owner", "visitor").replace(owner.password.reveal(), word)
    (app / ".env").write_text(f"DATABASE_URL={theirs}\n")
    made = call("branch.create", name="dev")
    assert made.files, made.note
    with psycopg.connect(value(app / ".env", "DATABASE_URL")) as db:
        assert db.execute("select current_user").fetchone() == ("visitor",)
    with pytest.raises(NotFoundProblem, match="has no role nobody"):
        call("branch.checkout", name="dev", role="nobody")
    with pytest.raises(NotFoundProblem, match="has no database nothing"):
        call("branch.checkout", name="dev", database="nothing")


def test_a_role_that_the_parent_lacks_keeps_the_files_where_they_are(
    world: World, store: str, app: Path, call: Call
) -> None:
    call("branch.create", name="dev")
    call("branch.checkout", name="dev")
    word = "Pw" + "8" * 20
    direct = value(app / ".env", "DATABASE_URL_UNPOOLED")
    with psycopg.connect(direct, autocommit=True) as db:
        db.execute(f"create role visitor login password '{word}'".encode())
    password = parse(direct).password
    assert password
    theirs = direct.replace("neondb_owner", "visitor").replace(password.reveal(), word)
    before = f"DATABASE_URL={theirs}\n"
    (app / ".env").write_text(before)
    plan = call("branch.create", name="feature", parent="main", dry=True)
    assert "There is no such role on main" in plan.steps[-1]
    made = call("branch.create", name="feature", parent="main")
    assert (made.files, (app / ".env").read_text()) == ((), before)
    assert made.note.endswith("A branch of dev has it: --parent dev")
    for _ in range(2):
        done = call("branch.checkout", name="feature")
        assert "visitor cannot log in on feature. There is no such role there. neondba setup" in done.care
    done = call("branch.checkout", name="main")
    assert "main is the default branch" in done.care
    assert "visitor cannot log in on main" in done.care
    assert done.care.endswith("Back: neondba branch checkout feature.")
    call("branch.checkout", name="dev")
    with psycopg.connect(main_url(world, store)) as db:
        db.execute(f"create role visitor login password '{word * 2}'".encode())
    again = call("branch.create", name="other", parent="main", dry=True)
    assert "It has another password on main" in again.steps[-1]


def test_a_new_branch_is_made_where_the_role_of_the_file_is(
    world: World, store: str, app: Path, call: Call
) -> None:
    call("branch.create", name="dev")
    call("branch.checkout", name="dev")
    (app / ".env").write_text(
        with_visitor(app, "DATABASE_URL") + f"DATABASE_URL_UNPOOLED={value(app / '.env', UNPOOLED)}\n"
    )
    plan = call("branch.create", name="feature", dry=True)
    assert "rows of dev." in plan.steps[0]
    assert plan.steps[1].startswith(
        "It is made of dev, for visitor of the environment cannot log in on main."
    )
    made = call("branch.create", name="feature")
    assert (made.parent, bool(made.files)) == ("dev", True)
    # Of the branch nearest to the default one, not of feature: that could not be deleted any more.
    assert call("branch.create", name="second").parent == "dev"
    assert call("branch.create", name="third", expires="3h").parent == "dev"
    ((lsn,),) = world.sql(store, "main", "select pg_current_wal_lsn()::text")
    assert call("branch.create", name="past", at=lsn).parent == "main"
    with psycopg.connect(value(app / ".env", "DATABASE_URL")) as db:
        assert db.execute("select current_user").fetchone() == ("visitor",)


def test_each_line_keeps_its_own_role(world: World, store: str, app: Path, call: Call) -> None:
    call("branch.create", name="dev")
    call("branch.checkout", name="dev")
    owner = f"DATABASE_URL_UNPOOLED={value(app / '.env', UNPOOLED)}\n"
    parts = "PGHOST=x\nPGUSER=someone\nPGPASSWORD=theirs\n"
    (app / ".env").write_text(with_visitor(app, "DATABASE_URL") + owner + parts)
    plan = call("branch.checkout", name="dev", dry=True)
    assert "role visitor (DATABASE_URL_UNPOOLED: neondb_owner), database neondb." in plan.steps[0]

    def who(name: str) -> Any:
        with psycopg.connect(value(app / ".env", name)) as db:
            return (db.execute("select current_user").fetchone() or ("",))[0]

    call("branch.create", name="feature", parent="dev")
    assert (who("DATABASE_URL"), who(UNPOOLED)) == ("visitor", "neondb_owner")
    assert leads_to(world, store, value(app / ".env", UNPOOLED)) == "feature"
    assert value(app / ".env", "PGUSER") == "visitor"
    done = call("branch.checkout", name="dev")
    assert (done.role, done.other_roles) == ("visitor", {UNPOOLED: "neondb_owner"})
    assert (who("DATABASE_URL"), who(UNPOOLED)) == ("visitor", "neondb_owner")
    # What stands in parts has a role of its own, too, where it leads here.
    found = parse(value(app / ".env", UNPOOLED))
    assert found.password
    with (app / ".env").open("a") as file:
        file.write(f"PGUSER=neondb_owner\nPGPASSWORD={found.password.reveal()}\n")
    call("branch.checkout", name="feature")
    assert value(app / ".env", "PGUSER") == "neondb_owner"
    call("branch.checkout", name="dev", role="neondb_owner")
    assert who("DATABASE_URL") == "neondb_owner"


def test_of_two_passwords_for_a_role_each_line_gets_the_one_that_works(
    world: World, store: str, app: Path, call: Call
) -> None:
    call("branch.create", name="dev")
    call("branch.checkout", name="dev")
    line = with_visitor(app, "DATABASE_URL")
    call("branch.create", name="feature", parent="dev", no_checkout=True)
    word, other = "Pw" + "6" * 20, "Pw" + "5" * 20
    world.sql(store, "feature", f"alter role visitor password '{other}'")
    (app / ".env").write_text(
        line.replace(word, other) + line.replace("DATABASE_URL", UNPOOLED).replace("-pooler", "")
    )
    for branch in ("feature", "dev"):
        before = (app / ".env").read_text()
        assert call("branch.checkout", name=branch).care is None
        for name in ("DATABASE_URL", UNPOOLED):
            psycopg.connect(value(app / ".env", name)).close()
        (app / ".env").write_text(before)


def test_a_branch_without_compute_gets_one(world: World, store: str, app: Path, call: Call) -> None:
    call("branch.create", name="cold", no_compute=True)
    assert "Make a compute for cold: it has none." in call("branch.checkout", name="cold", dry=True).steps
    call("branch.checkout", name="cold")
    assert leads_to(world, store, value(app / ".env", "DATABASE_URL")) == "cold"


def test_git_is_kept_from_taking_passwords_along(app: Path, call: Call) -> None:
    git(app, "init", "-q", "-b", "trunk")
    (app / ".gitignore").write_text("node_modules")
    call("branch.checkout", name="main")
    assert (app / ".gitignore").read_text() == "node_modules\n.env\n.neon\n"
    git(app, "add", "-f", ".env")
    with pytest.raises(ConflictProblem, match=r"git tracks \.env: a password in it would be committed"):
        call("branch.checkout", name="main")
    made = call("branch.create", name="dev")
    assert made.files == ()
    assert "git tracks .env" in (made.note or "")
    git(app, "rm", "-q", "--cached", ".env")
    call("branch.checkout", name="dev", file=".env.local")
    assert (app / ".env.local").exists()
    assert ".env.local" in (app / ".gitignore").read_text()


def test_a_foreign_git_hook_is_never_touched(app: Path, call: Call) -> None:
    with pytest.raises(NotFoundProblem, match="in no git repository"):
        call("branch.hook")
    git(app, "init", "-q", "-b", "trunk")
    hook = app / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(ConflictProblem, match="is not ours; it stays"):
        call("branch.hook")
    with pytest.raises(ConflictProblem, match="is not ours; it stays"):
        call("branch.checkout", name="main", git_hook=True)
    assert call("branch.hook", off=True).done == "There was no hook of ours."
    assert hook.read_text() == "#!/bin/sh\necho mine\n"
    hook.unlink()
    assert call("branch.hook").installed
    assert os.access(hook, os.X_OK)
    assert not call("branch.hook", off=True).installed
    assert not hook.exists()


def test_a_hook_in_a_folder_that_the_team_shares_is_refused(app: Path, call: Call) -> None:
    git(app, "init", "-q", "-b", "trunk")
    (app / ".husky").mkdir()
    (app / ".husky" / "pre-commit").write_text("true\n")
    git(app, "config", "core.hooksPath", ".husky")
    git(app, "add", ".husky")
    with pytest.raises(ConflictProblem, match="belongs to the repository") as caught:
        call("branch.hook")
    assert "branch follow" in (caught.value.hint or "")


def test_the_environment_follows_the_git_branch(
    world: World, store: str, app: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(app, "init", "-q", "-b", "main")
    git(app, "commit", "-q", "--allow-empty", "-m", "first")
    call("branch.create", name="topic", no_checkout=True)
    call("branch.create", name="other", no_checkout=True)
    git(app, "checkout", "-q", "-b", "work")
    call("branch.checkout", name="other", git_hook=True)
    assert json.loads((app / ".neon").read_text())["git"]["map"] == {"work": "other"}
    env = {"PATH": os.environ["PATH"], "HOME": str(app.parent), "NEONDBA_STATE_DIR": str(world.state)}

    def checkout(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "checkout", *arguments], cwd=app, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0
        return done.stdout + done.stderr

    said = checkout("-b", "topic")
    assert f"(.env) now leads to branch topic of project {store}" in said
    assert leads_to(world, store, value(app / ".env", "DATABASE_URL")) == "topic"
    assert "is the default branch, so it is not followed" in checkout("main")
    assert leads_to(world, store, value(app / ".env", "DATABASE_URL")) == "topic"
    checkout("work")
    assert leads_to(world, store, value(app / ".env", "DATABASE_URL")) == "other"
    assert "No Neon branch is called nothing" in checkout("-b", "nothing")


def test_who_deletes_the_branch_that_env_leads_to_is_told(world: World, store: str, call: Call) -> None:
    call("branch.create", name="dev", no_checkout=True)
    call("branch.checkout", name="dev")
    plan = call("branch.delete", name="dev", dry=True)
    assert plan.steps[-1].startswith("The environment of this folder goes on leading to it")
    world.call("branch.delete", store, name="dev")
    call("branch.checkout", name="main")
    assert call("branch.list").branches[0].current


def test_what_is_edited_while_a_branch_is_made_stays(world: World, store: str, app: Path, call: Call) -> None:
    call("branch.checkout", name="main")
    ctx = world.context(store)
    ctx.folder = app
    before = ctx.carry_out

    def edited(plan: Plan) -> Any:
        with (app / ".env").open("a") as file:
            file.write("EDITED=meanwhile\n")
        return before(plan)

    ctx.carry_out = edited  # type: ignore[method-assign]
    capabilities.load()["branch.create"].call(ctx, {"name": "dev"})
    assert value(app / ".env", "EDITED") == "meanwhile"
    assert leads_to(world, store, value(app / ".env", "DATABASE_URL")) == "dev"
