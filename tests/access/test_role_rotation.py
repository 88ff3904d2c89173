"""Roles created and rotated on a local Neon, as an application meets it."""

from __future__ import annotations

import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neondba import capabilities
from neondba.access.role_results import RoleRotated
from neondba.core import rotation_store
from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.neon.throwaway import reached
from neondba.project import env_file

SCHEMA = """
create table note (id bigserial primary key, owner text not null);
alter table note enable row level security;
create policy own on note to app using (owner = current_setting('app.user', true));
insert into note (owner) values ('ann'), ('ben'), ('ben')
"""
SHOWN_FOR_BEN = "select set_config('app.user', 'ben', false)"


class Shop:
    """A project, and a folder of an application with its `.env`."""

    def __init__(self, state: Path) -> None:
        self.state, self.folder = state, state.parent / "app"
        self.folder.mkdir()
        self.call("project.create", name="shop")

    def call(self, operation: str, /, dry_run: bool = False, **arguments: Any) -> Any:
        settings = Settings(state_dir=self.state, project=None if operation == "project.create" else "shop")
        ctx = Context(settings=settings, folder=self.folder, ask=lambda _plan: True, dry_run=dry_run)
        return capabilities.load()[operation].call(ctx, arguments)

    def rotate(self, **arguments: Any) -> RoleRotated:
        return self.call("role.rotate", name="app", **{"wait": "1s", **arguments})

    def owner(self) -> str:
        with platform.client(Context(settings=Settings(state_dir=self.state))) as client:
            found = client.find_project("shop")
            return reached(client, found.id, client.find_branch(found, "main")).direct.reveal()

    def sql(self, statement: str) -> list[Any]:
        with psycopg.connect(self.owner(), autocommit=True) as session:
            done = session.execute(statement.encode())
            return done.fetchall() if done.description else []

    def url(self, file: str = ".env", name: str = "DATABASE_URL") -> str:
        return env_file.read(self.folder / file).value(name).reveal()

    def urls(self) -> list[str]:
        """What the application could connect with at this moment, from every file."""
        return [self.url(), self.url().replace("-pooler", ""), self.url(".env.local", "DIRECT_URL")]

    def login(self) -> str:
        return re.search(r"//([^:]*):", self.url())[1]


@pytest.fixture(scope="module")
def shop(prepared: Callable[[], Path]) -> Iterator[Shop]:
    state = prepared()
    made = Shop(state)
    made.call("role.create", name="app", application=True, write_env="DATABASE_URL")
    made.sql(SCHEMA)
    direct = env_file.Secret(made.url().replace("-pooler", ""))
    text = env_file.parsed(b"# mine\nPORT=8000\n").with_values({"DIRECT_URL": direct})
    env_file.write(made.folder / ".env.local", text)
    yield made
    launch.stop(state)


def notes_of_ben(url: str) -> list[Any]:
    with closing(psycopg.connect(url)) as session:
        session.execute(SHOWN_FOR_BEN)
        return session.execute("select count(*), current_user from note").fetchall()


def opens(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        return False
    return True


def test_the_credential_is_for_its_owner_only_and_nothing_shows_it(shop):
    again = shop.call("role.create", name="app", application=True, write_env="DATABASE_URL")
    password = re.search(r":([A-Za-z0-9]{32})@", shop.url())[1]
    journal = (shop.state / "journal.sqlite").read_bytes()

    assert stat.S_IMODE((shop.folder / ".env").stat().st_mode) == 0o600
    assert (again.statements, again.faults) == ((), 0)
    assert password not in again.model_dump_json() + again.as_text(100)
    assert password.encode() not in journal


def test_the_api_lists_a_role_that_sql_made(shop):
    with platform.client(Context(settings=Settings(state_dir=shop.state))) as client:
        project = client.find_project("shop")
        found = client.roles(project.id, client.find_branch(project, "main").id)

    assert "app" in [each.name for each in found]


def test_a_rotation_changes_every_file_and_closes_the_old_login(shop):
    before, old = shop.urls(), shop.login()

    result = shop.rotate()
    journal = (shop.state / "journal.sqlite").read_bytes() + (shop.state / "rotations.sqlite").read_bytes()
    passwords = {re.search(r":([A-Za-z0-9]{32})@", url)[1] for url in (*before, *shop.urls())}

    assert (result.closed, result.old, result.new) == (True, old, shop.login())
    assert result.files == (".env", ".env.local")
    assert [opens(url) for url in before] == [False, False, False]
    assert len(passwords) == 2
    assert all(each.encode() not in journal and each not in result.model_dump_json() for each in passwords)
    assert (shop.folder / ".env.local").read_text().startswith("# mine\nPORT=8000\n")


def test_policies_for_the_role_hold_for_its_twin(shop):
    again = shop.call("role.create", name="app", application=True, write_env="DATABASE_URL")

    assert shop.login() == "app_b"
    assert (again.statements, again.faults, len(again.tries)) == ((), 0, 7)
    assert [notes_of_ben(url) for url in shop.urls()] == [[(2, "app")]] * 3
    with closing(psycopg.connect(shop.url().replace("-pooler", ""), autocommit=True)) as session:
        session.execute("discard all")
        session.execute(SHOWN_FOR_BEN)
        assert session.execute("select count(*), current_user from note").fetchall() == [(2, "app")]


def test_what_the_twin_makes_belongs_to_the_role(shop):
    assert shop.login() == "app_b"
    shop.sql("grant create on schema public to app")
    with psycopg.connect(shop.url()) as session:
        session.execute("create table made ()")
    owner = shop.sql("select relowner::regrole::text from pg_class where relname = 'made'")
    shop.sql("grant app to current_user; drop table made; revoke create on schema public from app")

    assert owner == [("app",)]


def test_the_old_login_stays_open_for_who_still_uses_it(shop):
    before = shop.url().replace("-pooler", "")
    with psycopg.connect(before, application_name="worker") as session:
        session.execute("select 1")
        result = shop.rotate()
        session.execute("select 1")

    assert not result.closed
    assert "worker" in result.waiting_for[0]
    assert opens(before)
    assert opens(shop.url())
    assert shop.rotate().closed
    assert not opens(before)


def test_a_secret_of_a_pipeline_keeps_the_old_login_open_until_told(shop):
    workflow = shop.folder / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("env:\n  URL: ${{ secrets.DATABASE_URL }}\n")
    before = shop.url()

    waiting = shop.rotate()
    open_meanwhile = opens(before)
    closed = shop.rotate(close=True)
    workflow.unlink()

    assert "secret DATABASE_URL" in waiting.waiting_for[0]
    assert open_meanwhile
    assert closed.closed
    assert not opens(before)


def test_a_file_that_cannot_be_written_leaves_all_as_it_was(shop, monkeypatch):
    before, logins = shop.urls(), shop.sql("select rolname from pg_roles where rolcanlogin order by 1")
    real = env_file.write

    def full(path: Path, text: env_file.EnvText) -> None:
        if path.name == ".env.local" and text.value("DIRECT_URL").reveal() != before[2]:
            raise Problem("file-not-writable", "The disk is full.")
        real(path, text)

    monkeypatch.setattr(env_file, "write", full)
    with pytest.raises(Problem, match="The disk is full"):
        shop.rotate()

    assert shop.urls() == before
    assert all(opens(url) for url in before)
    assert shop.sql("select rolname from pg_roles where rolcanlogin order by 1") == logins


def test_a_policy_that_asks_for_the_session_role_is_refused_first(shop):
    shop.sql("create policy mine on note to app using (owner = session_user)")
    with pytest.raises(Problem) as refused:
        shop.rotate()
    shop.sql("drop policy mine on note")

    assert refused.value.code == "policy-names-session-user"
    assert "policy mine on public.note" in refused.value.message


def test_another_machine_that_rotates_the_role_is_not_disturbed(shop):
    with psycopg.connect(shop.url().replace("-pooler", ""), application_name="worker") as session:
        session.execute("select 1")
        stale = {name: (shop.folder / name).read_bytes() for name in (".env", ".env.local")}
        assert not shop.rotate().closed
    fresh = {name: (shop.folder / name).read_bytes() for name in stale}
    noted = shop.sql("select shobj_description(oid, 'pg_authid') from pg_roles where rolname = 'app_b'")
    rotation = re.search("rotation ([0-9a-f]{16})", noted[0][0])[1]
    rotation_store.end(rotation_store.engine(shop.state / "rotations.sqlite"), rotation)
    for name, content in stale.items():
        (shop.folder / name).write_bytes(content)

    with pytest.raises(Problem) as refused:
        shop.rotate()
    for name, content in fresh.items():
        (shop.folder / name).write_bytes(content)

    assert refused.value.code == "rotation-elsewhere"
    assert shop.rotate().closed


def test_an_address_that_leads_elsewhere_stays_as_a_comment_and_git_passes_the_file_by(shop):
    subprocess.run(["git", "init", "-q", shop.folder], check=True)
    file, theirs = shop.folder / ".env.reports", "REPORTS_URL=postgresql+asyncpg://me@db.example.com/reports"
    file.write_text(f"{theirs}\nLEVEL=info\n")
    shop.call("role.create", name="reader", read_only=True, write_env="REPORTS_URL", file=file.name)
    lines = file.read_text().splitlines()
    ignored = (shop.folder / ".gitignore").read_text()
    shutil.rmtree(shop.folder / ".git")

    assert (lines[0], lines[2:]) == (f"# {theirs}", ["LEVEL=info"])
    assert "postgresql+asyncpg://reader:" in lines[1]
    assert ignored == ".env.reports\n"


def test_a_deleted_role_leaves_its_tables_to_the_owner(shop):
    shop.call("role.create", name="mover", migrator=True)
    kept = next((shop.state / "roles").rglob("mover.env"))
    url = env_file.read(kept).value("DATABASE_URL").reveal()
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("create table moved as select 1 as id")
        plan = shop.call("role.delete", dry_run=True, name="mover", end_sessions=True)
        with pytest.raises(Problem) as refused:
            shop.call("role.delete", name="mover")
    shop.call("role.delete", name="mover", end_sessions=True)
    owner = shop.sql("select relowner::regrole::text from pg_class where relname = 'moved'")

    assert "Give the 1 object of mover in neondb to neondb_owner." in plan.steps
    assert f"Delete {kept}." in plan.steps
    assert not kept.exists()
    assert refused.value.code == "role-in-use"
    assert owner == [("neondb_owner",)]
    assert "mover" not in [each.name for each in shop.call("role.list").roles]
    assert shop.sql("drop table moved") == []


def test_a_role_of_the_api_is_reset_only_with_consent_to_the_gap(shop):
    owner = shop.owner()
    extra = shop.folder / "owner.env"
    env_file.write(extra, env_file.EnvText().with_values({"OWNER_URL": env_file.Secret(owner)}))
    with pytest.raises(Problem) as refused:
        shop.call("role.rotate", name="neondb_owner")

    result = shop.call("role.rotate", name="neondb_owner", no_overlap=True)
    now = shop.url("owner.env", "OWNER_URL")
    extra.unlink()

    assert refused.value.code == "overlap-impossible"
    assert result.closed
    assert not opens(owner)
    assert opens(now)


KILLED = """
import os, signal, sys
import psycopg
from neondba.core import whole_file
left = [int(sys.argv.pop(1))]
def counted(function):
    def wrapped(*arguments, **more):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **more)
    return wrapped
{what}
from neondba.__main__ import main
main()
"""
WRITES = "whole_file.put = counted(whole_file.put)"
LOGINS = "psycopg.connect = counted(psycopg.connect)"


@pytest.mark.parametrize(
    ("what", "number"),
    [(LOGINS, 4), (WRITES, 2), (LOGINS, 11)],
    ids=lambda value: str(value)[:12],
)
def test_killed_at_any_point_what_the_files_hold_works_and_the_next_run_ends_it(shop, what, number):
    plan = shop.call("role.rotate", dry_run=True, name="app", wait="1s")
    arguments = ["role", "rotate", "app", "--wait", "1s", "--project", "shop", "--confirm", plan.hash]
    consent = ["--state-dir", str(shop.state)]
    code = KILLED.replace("{what}", what)
    done = subprocess.run(
        [sys.executable, "-c", code, str(number), *arguments, *consent], cwd=shop.folder, capture_output=True
    )
    meanwhile = shop.urls()

    assert done.returncode == -signal.SIGKILL
    assert all(opens(url) for url in meanwhile)
    assert shop.rotate().closed
    assert all(opens(url) for url in shop.urls())
    assert len({re.search("//(.*)@", url)[1] for url in shop.urls()}) == 1
