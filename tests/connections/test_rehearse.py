"""A command whose compute goes away: what it is given, what is done to it, what is said of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from connected import Shop, closed_port, with_password

from neondba import capabilities
from neondba.connections.rehearse_advice import OURS, changes
from neondba.connections.rehearse_environment import Ends, led
from neondba.connections.rehearse_record import Framer
from neondba.connections.rehearse_world import source_of, world
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem
from neondba.local import platform
from neondba.local.proxy import messages
from neondba.neon.connection_string import parse

FRAGILE = """
import os, psycopg
with psycopg.connect(os.environ["SHOP_DATABASE_URL"], autocommit=True) as db:
    db.execute("create table if not exists orders (n int)")
    for n in range(12):
        with db.transaction():
            db.execute("insert into orders values (%s)", [n])
            db.execute("select count(*) from orders")
"""
ROBUST = """
import os, psycopg
def again(work):
    for _ in range(8):
        try:
            with psycopg.connect(os.environ["DATABASE_URL"]) as db:
                return work(db)
        except psycopg.OperationalError:
            pass
    raise SystemExit(9)
again(lambda db: db.execute("create table if not exists orders (n int)"))
for n in range(6):
    again(lambda db: [db.execute("insert into orders values (%s)", [n]), db.execute("select 2")])
"""
SERVER = """
import http.server, os, psycopg
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if db.execute("select 1").fetchone() else 500)
        self.end_headers()
    def log_message(self, *said): pass
db = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SHOP_PORT"])), Page).serve_forever()
"""


def rehearsed(shop: Shop, folder: Path, code: str, **more):
    (folder / "app.py").write_text(code)
    ctx = shop.context(folder)
    command = [sys.executable, "app.py"]
    return capabilities.load()["connection.rehearse"].call(ctx, {"command": command, **more})


def branches(shop: Shop) -> list[str]:
    return [branch["name"] for branch in shop.api("GET", f"/projects/{shop.id}/branches")["branches"]]


def test_a_fragile_program_ends_at_each_disturbance_and_is_told_what_to_do(shop: Shop, tmp_path: Path):
    found = rehearsed(shop, tmp_path, FRAGILE, disturb=["failover"])
    assert [(met.kind, met.within) for met in found.met] == [("failover", False), ("failover", True)]
    assert all("processes were killed" in met.what for met in found.met)
    assert [met.connections_cut for met in found.met] == [1, 1]
    assert [met.transactions_cut for met in found.met] == [0, 1]
    assert not any(met.survived for met in found.met)
    assert [run.status for run in found.runs] == [0, 1, 1]
    assert "SHOP_DATABASE_URL" in found.variables
    [error] = found.errors
    assert error.id in OURS
    assert error.cause.startswith("The compute was failed over here.")
    assert (error.steps, error.tells, error.snippet) == ((), "", None)
    assert {advice.what.split()[0] for advice in found.advice} == {"Check", "Repeat"}
    assert found.faults
    assert branches(shop) == ["main"]
    assert shop.password not in found.model_dump_json()


def test_a_pool_that_checks_its_connections_is_told_only_what_it_lacks(tmp_path: Path):
    (tmp_path / "db.py").write_text(
        "import os\nfrom sqlalchemy import NullPool, create_engine\n\n"
        "url = os.environ['DATABASE_URL']\n"
        "bare = create_engine(url)\n"
        "checks = create_engine(url, pool_pre_ping=True)\n"
        "whole = create_engine(url, pool_pre_ping=True, pool_recycle=200)\n"
        "none = create_engine(url, poolclass=NullPool)\n"
        "rest = {'pool_pre_ping': True, 'pool_recycle': 200}\n"
        "also = create_engine(url, **rest)\n"
    )
    said = {each.where: each.what for each in changes("pool-lifetime", "Check connections", "…", tmp_path)}
    assert said["db.py:5"] == "Check connections"
    assert said["db.py:6"].endswith("this pool checks them")
    assert set(said) == {"db.py:5", "db.py:6"}


def test_a_program_that_tries_again_gets_over_it(shop: Shop, tmp_path: Path):
    found = rehearsed(shop, tmp_path, ROBUST, disturb=["restart", "cut"])
    assert found.faults == 0, found.as_text(100)
    assert len(found.met) == 4
    assert all(met.connections_cut == 1 for met in found.met)
    assert all(met.back_after is not None and met.reopened for met in found.met)
    assert found.met[1].sent_again >= 1
    assert found.errors == ()


def test_a_server_is_visited_and_its_failing_requests_are_counted(shop: Shop, tmp_path: Path, monkeypatch):
    free = closed_port()
    monkeypatch.setenv("SHOP_PORT", str(free))
    found = rehearsed(
        shop,
        tmp_path,
        SERVER,
        disturb=["suspend"],
        at=["1s"],
        **{"for": "3s"},
        visit=[f"http://127.0.0.1:{free}/"],
    )
    assert [run.ended_by_us for run in found.runs] == [True]
    assert found.met[0].connections_cut == 1
    assert found.visits is not None
    assert 0 < found.visits.failed < found.visits.asked
    assert found.met[0].visits_failed == found.visits.failed


def test_a_program_that_reaches_no_database_is_not_called_safe(shop: Shop, tmp_path: Path):
    found = rehearsed(shop, tmp_path, "print('no .env here')")
    assert found.faults == 1
    assert found.met == ()
    assert "sent no statement" in found.said
    assert found.output == ("no .env here",)


def test_a_program_that_is_not_there_is_refused_before_anything_is_made(shop: Shop, tmp_path: Path):
    with pytest.raises(NotFoundProblem, match="no program called nowhere"):
        capabilities.load()["connection.rehearse"].call(shop.context(tmp_path), {"command": ["nowhere"]})


def test_moments_behind_the_end_are_refused(shop: Shop, tmp_path: Path):
    with pytest.raises(ArgumentProblem, match="behind the end"):
        rehearsed(shop, tmp_path, "", at=["9s"], **{"for": "3s"})


END = "postgresql://app:x@ep-a.localhost:9/shop?sslmode=require&channel_binding=require"
POOLED = END.replace("ep-a.", "ep-a-pooler.").replace(":9/", ":8/")


def given(folder: Path, env: str, code: str = "") -> dict[str, str]:
    (folder / ".env").write_text(env)
    (folder / "settings.py").write_text(code)
    (folder / "requirements.txt").write_text("asyncpg\n")
    found = led(folder, Ends(parse(END), parse(POOLED)), {"DATABASE_URL": "usual"})
    return {name: value.reveal() for name, value in found.values.items() if name in found.own}


def test_variables_are_led_in_their_own_spelling(tmp_path: Path):
    url = "postgresql+asyncpg://u:" + "pw" + "@db.example.com/x?ssl=require"
    found = given(
        tmp_path,
        f"APP_DB={url}\nDIRECT_URL=postgres://u:{'pw'}@h/x\nPOSTGRES_HOST=h\nPOSTGRES_PASSWORD=p\n"
        "REDIS_URL=redis://h\nCACHE_HOST=h\nMYSQL_DB=x\n",
        "import os\nos.environ['DATABASE_URI']\nos.environ['LOG_LEVEL']\n",
    )
    assert found["APP_DB"] == "postgresql+asyncpg://app:x@ep-a-pooler.localhost:8/shop?ssl=require"
    assert found["DIRECT_URL"] == "postgres://app:x@ep-a.localhost:9/shop"
    assert found["DATABASE_URI"] == POOLED.replace("&channel_binding=require", "")
    assert (found["POSTGRES_HOST"], found["POSTGRES_PASSWORD"]) == ("ep-a-pooler.localhost", "x")
    assert not found.keys() & {"REDIS_URL", "CACHE_HOST", "MYSQL_DB", "LOG_LEVEL"}


def test_messages_are_cut_the_same_however_they_arrive():
    stream = b"".join(
        [messages.message(b"Q", b"select 1\0"), messages.message(b"d", b"x" * 70), messages.message(b"X")]
    )
    whole = [*Framer(from_client=True).feed(stream)]
    assert [chr(kind) for kind, _ in whole] == ["Q", "X"]
    for size in (1, 3, 7, 64):
        framer = Framer(from_client=True)
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [each for part in parts for each in framer.feed(part)] == whole


def test_the_projects_own_role_is_kept_where_the_copy_knows_it(shop: Shop, tmp_path: Path):
    password = "own" + "-of-clerk"
    with psycopg.connect(shop.url, autocommit=True) as db:
        db.execute(f"create role clerk_app login password '{password}'")
    own = with_password(shop.pooled, password).replace("//neondb_owner:", "//clerk_app:")
    (tmp_path / ".env").write_text(f"DATABASE_URL={own}\nOLD_DATABASE_URL={with_password(own, 'gone')}\n")
    ctx = shop.context(tmp_path)
    try:
        with platform.client(ctx) as client:
            source, project, copied = source_of(client, ctx, None, None, None)
            assert (project, copied) == ("shop", "main")
            with world(ctx, source, pooled=True) as place:
                assert place.branch.branch_name != "main"
                with psycopg.connect(place.environment["DATABASE_URL"]) as db:
                    assert db.execute("select current_user").fetchone() == ("clerk_app",)
                assert place.record.sessions[0].pooled
    finally:
        with psycopg.connect(shop.url, autocommit=True) as db:
            db.execute("drop role clerk_app")


def test_a_program_that_puts_its_file_over_its_environment_is_refused(shop: Shop, tmp_path: Path):
    (tmp_path / ".env").write_text(f"DATABASE_URL={shop.url}\n")
    with pytest.raises(ConflictProblem, match=r"app.py:2 puts the file's variables over"):
        rehearsed(shop, tmp_path, "from dotenv import load_dotenv\nload_dotenv('.env', override=True)\n")
    assert branches(shop) == ["main"]


def test_the_branch_in_use_is_copied_though_it_expires(shop: Shop, tmp_path: Path):
    until = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = {"branch": {"name": "brief", "expires_at": until}, "endpoints": [{"type": "read_write"}]}
    made = shop.api("POST", f"/projects/{shop.id}/branches", wanted)
    at = f"/projects/{shop.id}/branches/{made['branch']['id']}"
    (tmp_path / ".env").write_text(f"DATABASE_URL={made['connection_uris'][0]['connection_uri']}\n")
    ctx = shop.context(tmp_path)
    with platform.client(ctx) as client:
        source, _, copied = source_of(client, ctx, None, None, None)
        assert (copied, source.expires) == ("brief", "brief")
        with world(ctx, source, pooled=True):
            assert shop.api("GET", at)["branch"].get("expires_at") is None
    assert shop.api("GET", at)["branch"]["expires_at"] == until
    shop.api("DELETE", at)
