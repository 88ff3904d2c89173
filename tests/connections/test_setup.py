"""From nothing to a verified connection: what is made and written, and that a second run does nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from connected import Shop

from neondba import capabilities
from neondba.connections.operations_setup import setup
from neondba.connections.setup_results import SetUp
from neondba.core.context import Context
from neondba.core.plan import Plan, PlannedOnly
from neondba.core.problem import ArgumentProblem, ConfirmationNeeded, ConflictProblem, NotFoundProblem
from neondba.core.settings import Settings
from neondba.local import platform
from neondba.neon.throwaway import reached
from neondba.project import env_file

FASTAPI = {
    "requirements.txt": "fastapi\nsqlmodel\npsycopg[binary]\npydantic-settings\n",
    "app/settings.py": "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
    '    model_config = {"env_file": ".env"}\n    database_url: str\n    debug: bool = False\n',
    "app/main.py": "from sqlmodel import Field, Session, SQLModel, create_engine, select\n"
    "from settings import Settings\n\n\n"
    "class Note(SQLModel, table=True):\n    id: int | None = Field(default=None, primary_key=True)\n\n\n"
    "engine = create_engine(Settings().database_url)\n"
    "SQLModel.metadata.create_all(engine)\n"
    "with Session(engine) as session:\n    session.add(Note())\n    session.commit()\n"
    "    print(len(session.exec(select(Note)).all()))\nengine.dispose()\n",
}


class Folder:
    """A project in a folder, and the local Neon for it."""

    def __init__(self, shop: Shop, path: Path, files: dict[str, str]) -> None:
        path.mkdir()
        self.path = path
        self.ctx = Context(settings=Settings(state_dir=shop.state), folder=path)
        for name, text in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text)

    def run(self, **arguments: object) -> SetUp:
        return setup(self.again(), **arguments)  # type: ignore[arg-type]

    def again(self) -> Context:
        """Give the context of a new call, which reads `.neon`."""
        noted = self.path / ".neon"
        project = json.loads(noted.read_text())["projectId"] if noted.exists() else None
        state = self.ctx.settings.state_dir
        return replace(self.ctx, settings=Settings(state_dir=state, project=project))

    def state(self) -> dict[str, tuple[bytes, float]]:
        files = [p for p in self.path.rglob("*") if p.is_file() and ".git" not in p.parts]
        return {str(p): (p.read_bytes(), p.stat().st_mtime) for p in files}

    def value(self, name: str, file: str = ".env") -> str:
        found = env_file.read(self.path / file).value(name)
        assert found is not None
        return found.reveal()

    def python(self, file: str) -> str:
        around = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DATABASE"))}
        done = subprocess.run(
            [sys.executable, str(self.path / file)], cwd=self.path, env=around, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def projects(self) -> set[str]:
        with platform.client(self.ctx) as client:
            return {each.name for each in client.projects()}


@pytest.fixture
def at(shop: Shop, tmp_path: Path):
    def make(name: str, files: dict[str, str] | None = None) -> Folder:
        return Folder(shop, tmp_path / name, files or {})

    return make


@pytest.fixture(autouse=True)
def no_driver_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each program of another driver that is started costs a second; one test wants them."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)


def test_an_empty_folder_becomes_a_program_that_connects(at) -> None:
    folder = at("start")
    found = folder.run()
    assert found.created == ("project start", "branch development", "role app_development")
    assert {each.path for each in found.files} == {
        ".gitignore", ".env", ".env.example", "settings.py", "main.py", "requirements.txt", ".neon",
    }  # fmt: skip
    assert found.failed == 0
    assert {(each.path, each.environment) for each in found.verified} >= {
        ("pooled", "development"),
        ("direct", "development"),
    }
    assert folder.python("main.py").startswith("Connected as app_development")
    assert (folder.path / ".env").stat().st_mode & 0o777 == 0o600
    assert {".env", ".neon"} < set((folder.path / ".gitignore").read_text().split())
    password = urlsplit(folder.value("DATABASE_URL")).password
    assert password
    assert (
        password
        not in found.as_text(100) + found.model_dump_json() + (folder.path / ".env.example").read_text()
    )

    before = folder.state()
    again = folder.run()
    assert not again.changed
    assert again.as_text(100).startswith(
        "Project start on the local Neon is set up already; nothing was changed."
    )
    assert folder.state() == before


def test_a_fastapi_project_gets_what_its_code_reads_and_keeps_its_lines(at, monkeypatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    example = "# ours\nDEBUG=true\nDATABASE_URL=\n"
    folder = at("notes", {**FASTAPI, ".env.example": example, ".gitignore": "*.pyc\n.env\n"})
    found = folder.run()
    text = (folder.path / ".env").read_text()
    assert text.startswith("# ours\nDEBUG=true\n")
    assert env_file.read(folder.path / ".env").names == ("DEBUG", "DATABASE_URL")
    assert folder.value("DATABASE_URL").startswith("postgresql+psycopg://app_development:")
    assert (folder.path / ".env.example").read_text() == example
    assert (folder.path / ".gitignore").read_text() == "*.pyc\n.env\n.neon\n"
    assert folder.python("app/main.py") == "1"
    own = [each for each in found.verified if each.driver == "the project's sqlalchemy+psycopg"]
    assert [(each.path, each.ok) for each in own] == [("pooled", True), ("direct", True)]
    assert any("app/main.py:10 makes tables" in note for note in found.notes)
    with psycopg.connect(folder.value("DATABASE_URL").replace("+psycopg", "")) as session:
        row = session.execute(
            "select rolbypassrls, rolsuper, rolcreaterole from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == (False, False, False)


def test_environments_share_no_branch_role_or_password(at) -> None:
    folder = at("three", {"db.py": "import os\nurl = os.environ['DATABASE_URL'], os.environ['DIRECT_URL']\n"})
    found = folder.run(staging=True, production=True)
    assert [(e.name, e.branch, e.role, e.file) for e in found.environments] == [
        ("development", "development", "app_development", ".env"),
        ("staging", "staging", "app_staging", ".env.staging"),
        ("production", "production", "app_production", ".env.production"),
    ]
    files = (".env", ".env.staging", ".env.production")
    for name in ("DATABASE_URL", "DIRECT_URL"):
        passwords = {urlsplit(folder.value(name, file)).password for file in files}
        assert len(passwords) == 3, name
    assert {urlsplit(folder.value("DIRECT_URL", file)).username for file in files} == {"neondb_owner"}
    assert not folder.run(staging=True, production=True).changed


def test_a_project_that_is_there_is_linked_only_when_it_is_named(at) -> None:
    first, second = at("linked"), at("other")
    first.run()
    (second.path / "linked").mkdir()
    stranger = replace(second.ctx, folder=second.path / "linked")
    with pytest.raises(ConflictProblem) as taken:
        setup(stranger)
    assert taken.value.code == "project-taken"
    assert "--project linked" in (taken.value.hint or "")
    named = replace(second.ctx, settings=Settings(state_dir=second.ctx.settings.state_dir, project="linked"))
    with pytest.raises(ConfirmationNeeded):
        setup(named)
    found = setup(named, branch="dev-anna")
    assert found.created == ("branch dev-anna", "role app_development")
    assert first.run().failed == 0


def test_a_lost_file_asks_before_the_role_gets_another_password(at) -> None:
    folder = at("lost")
    folder.run()
    old = (folder.path / ".env").read_bytes()
    (folder.path / ".env").unlink()
    with pytest.raises(ConfirmationNeeded) as asked:
        folder.run()
    agreed = replace(folder.again(), confirmation=asked.value.facts["hash"])
    assert setup(agreed).failed == 0
    assert (folder.path / ".env").read_bytes() != old
    assert folder.python("main.py").startswith("Connected as app_development")

    with platform.client(folder.ctx) as client:
        project = client.find_project("lost")
        branch = client.find_branch(project, "development")
        client.restore_branch(project.id, branch.id, source_id=client.default_branch(project).id)
    kept = folder.value("DATABASE_URL")
    assert folder.run().created == ("role app_development",)
    assert folder.value("DATABASE_URL") == kept
    for name in ("DATABASE_URL", "DATABASE_URL_UNPOOLED"):
        psycopg.connect(folder.value(name)).close()
    with platform.client(folder.ctx) as client:
        main = reached(client, project.id, client.default_branch(project)).direct.reveal()
    assert urlsplit(main).password != urlsplit(folder.value("DATABASE_URL_UNPOOLED")).password
    assert not folder.run().changed


def test_a_branch_that_was_checked_out_gets_the_role_with_the_password_of_the_file(at) -> None:
    code = "import os\nurl = os.environ['DATABASE_URL'], os.environ['DIRECT_URL']\n"
    folder = at("walk", {"db.py": code, "alembic.ini": ""})

    def call(operation: str, /, **arguments: object):
        return capabilities.load()[operation].call(folder.again(), arguments)

    def who() -> list[str]:
        found = []
        for name in ("DATABASE_URL", "DIRECT_URL"):
            with psycopg.connect(folder.value(name)) as session:
                found.append(session.info.user)
        return found

    folder.run()
    both = ["app_development", "neondb_owner"]
    assert call("branch.create", name="feature").parent == "development"
    assert who() == both
    call("branch.create", name="bare", parent="production")
    assert "neondba setup lets it in" in call("branch.checkout", name="bare").care
    # The owner's password there is production's until now.
    assert folder.run().created == ("role app_development",)
    assert who() == both
    with psycopg.connect(folder.value("DIRECT_URL"), autocommit=True) as session:
        session.execute(("alter role app_development password '" + "Pw" * 9 + "'").encode())
    assert "It has another password there" in call("branch.checkout", name="bare").care
    with pytest.raises(ConfirmationNeeded) as asked:
        folder.run()
    done = setup(replace(folder.again(), confirmation=asked.value.facts["hash"]))
    assert (done.created, done.changed, done.failed) == (("password of app_development",), True, 0)
    assert not folder.run().changed
    for branch in ("bare", "development", "feature"):
        assert call("branch.checkout", name=branch).care is None
        assert who() == both


def test_a_dead_password_in_the_direct_line_alone_is_replaced(at) -> None:
    folder = at("dead", FASTAPI)
    folder.run()
    url = folder.value("DATABASE_URL").replace("-pooler", "")
    dead = url.replace(urlsplit(url).password or "", "Pw" * 9)
    with (folder.path / ".env").open("a") as file:
        file.write(f"DATABASE_URL_UNPOOLED={dead}\n")
    (folder.path / "app" / "migrate.py").write_text("import os\nos.environ['DATABASE_URL_UNPOOLED']\n")
    assert folder.run().changed
    assert urlsplit(folder.value("DATABASE_URL_UNPOOLED")).username == "app_development"
    psycopg.connect(folder.value("DATABASE_URL_UNPOOLED").replace("+psycopg", "")).close()
    assert not folder.run().changed


def test_what_was_made_goes_again_when_a_file_cannot_be_written(at) -> None:
    folder = at("blocked", FASTAPI)
    (folder.path / ".env.example").symlink_to("/nowhere/at/all")
    before, projects = folder.state(), folder.projects()
    with pytest.raises(ArgumentProblem) as stopped:
        folder.run()
    assert "What was made for it is gone again." in stopped.value.message
    assert folder.state() == before
    assert folder.projects() == projects


def test_what_was_being_made_goes_again_after_ctrl_c(at) -> None:
    folder = at("interrupted", FASTAPI)
    before, projects = folder.state(), folder.projects()
    presses = []

    def press(said: str, _share: float | None) -> None:
        if said.startswith("Creating project"):
            main = threading.main_thread().ident
            presses.append(threading.Timer(0.1, signal.pthread_kill, [main, signal.SIGINT]))
            presses[0].start()

    folder.ctx = replace(folder.ctx, listener=press)
    with pytest.raises(KeyboardInterrupt):
        folder.run()
    presses[0].join()
    assert folder.state() == before
    assert folder.projects() == projects


def test_a_file_that_git_tracks_is_refused_before_anything_is_made(at) -> None:
    folder = at("tracked", {**FASTAPI, ".env": "DATABASE_URL=\n"})
    for command in (["init", "-q"], ["add", "-f", ".env"]):
        subprocess.run(["git", *command], cwd=folder.path, check=True)
    with pytest.raises(ConflictProblem) as refused:
        folder.run()
    assert refused.value.code == "env-file-tracked"
    assert "git rm --cached .env" in (refused.value.hint or "")
    assert "tracked" not in folder.projects()


def test_a_dry_run_names_every_step_and_makes_nothing(at) -> None:
    folder = at("planned", FASTAPI)
    with pytest.raises(PlannedOnly) as planned:
        setup(replace(folder.ctx, dry_run=True))
    plan: Plan = planned.value.plan
    said = "\n".join(plan.steps)
    for part in (
        "Create project planned",
        "branch development",
        "role app_development",
        ".env,",
        ".gitignore",
        ".neon",
    ):
        assert part in said
    assert set(folder.state()) == {str(folder.path / name) for name in FASTAPI}
    assert "planned" not in folder.projects()


@pytest.mark.parametrize(
    ("files", "arguments", "code"),
    [
        ({"settings.py": "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings:\n"}, {},
         "settings-unreadable"),
        ({"package.json": "{,}", "index.js": "1"}, {}, "settings-unreadable"),
        ({"main.go": "package main"}, {"stack": "prisma"}, "folder-not-empty"),
        ({"main.go": "package main"}, {"app": "nowhere"}, "app-not-found"),
        ({}, {"app": "nowhere"}, "app-not-found"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_nothing_is_made(at, files, arguments, code) -> None:
    folder = at("refused", files)
    with pytest.raises((ArgumentProblem, NotFoundProblem)) as refused:
        folder.run(**arguments)
    assert refused.value.code == code
    assert set(folder.state()) == {str(folder.path / name) for name in files}
