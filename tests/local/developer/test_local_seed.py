"""Projects that start from a dump or a command."""

from __future__ import annotations

import gzip
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, ConflictProblem, RemoteProblem
from neondba.core.settings import Settings
from neondba.local import launch, platform, tunnel
from neondba.local.dump_text import loadable
from neondba.local.operations import local_seed
from neondba.neon.connection_string import parse
from neondba.neon.throwaway import reached
from neondba.postgres import binaries

SEED = Path(__file__).parents[3] / "examples" / "local-neon" / "seed.sql"


@pytest.fixture
def ctx(server, tmp_path) -> Context:
    return Context(settings=Settings(state_dir=Path(server.state_dir)), folder=tmp_path)


def branch_of(ctx: Context, name: str):
    with platform.client(ctx) as client:
        project = client.find_project(name)
        return reached(client, project.id, client.default_branch(project))


def asked(ctx: Context, name: str, query: str):
    with psycopg.connect(branch_of(ctx, name).direct.reveal()) as db:
        return db.execute(query).fetchall()


def projects(ctx: Context) -> set[str]:
    with platform.client(ctx) as client:
        return {each.name for each in client.projects()}


def dumped(ctx: Context, name: str, to: Path, *options: str) -> Path:
    """Dump with the wheel's own program, through the tunnel."""
    branch = branch_of(ctx, name)
    direct = parse(branch.direct)
    running = launch.ensure(ctx.settings.state_dir)
    with tunnel.opened(direct.host, direct.port or 0, Path(running.ca)) as through:
        environment = {
            **through,
            "PGUSER": branch.role,
            "PGPASSWORD": direct.password.reveal(),
            "PGOPTIONS": direct.parameter("options") or "",
        }
        command = [binaries.find().program("pg_dump"), *options, f"--file={to}", branch.database]
        subprocess.run(command, env=environment, check=True)
    return to


def test_a_plain_dump_fills_a_project(ctx, tmp_path):
    made = local_seed(ctx, "plain", dump=SEED)
    assert (made.project, made.branch, made.database) == ("plain", "main", "neondb")
    assert asked(ctx, "plain", "select name from product order by 1") == [("Kettle",), ("Teapot",)]
    zipped = tmp_path / "seed.sql.gz"
    zipped.write_bytes(gzip.compress(SEED.read_bytes()))
    local_seed(ctx, "zipped", dump=Path("seed.sql.gz"))
    assert asked(ctx, "zipped", "select count(*) from product") == [(2,)]


@pytest.mark.parametrize("form", ["custom", "directory", "tar", "plain"])
def test_every_form_of_pg_dump_comes_back_whole(ctx, tmp_path, form):
    if "origin" not in projects(ctx):
        local_seed(ctx, "origin", dump=SEED)
    to = dumped(ctx, "origin", tmp_path / "dump", f"--format={form}")
    local_seed(ctx, f"from-{form}", dump=to, jobs=2)
    query = "select name, cents from product order by id"
    assert asked(ctx, f"from-{form}", query) == asked(ctx, "origin", query)
    owner = asked(ctx, f"from-{form}", "select tableowner from pg_tables where tablename = 'product'")
    assert owner == [("neondb_owner",)]


def test_a_client_that_takes_its_time_still_gets_through_the_tunnel(ctx):
    """Until it speaks, all that the server has to say is TLS's own: session tickets."""
    local_seed(ctx, "patient", dump=SEED)
    branch = branch_of(ctx, "patient")
    direct, running = parse(branch.direct), launch.ensure(ctx.settings.state_dir)
    with (
        tunnel.opened(direct.host, direct.port or 0, Path(running.ca)) as through,
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.connect(f"{through['PGHOST']}/.s.PGSQL.{through['PGPORT']}")
        time.sleep(0.5)
        wish = b"user\0" + branch.role.encode() + b"\0database\0neondb\0\0"
        client.sendall(struct.pack("!II", len(wish) + 8, 196608) + wish)
        client.settimeout(10)
        assert client.recv(1) == b"R", "it asks for the password"


def test_of_a_plain_dump_only_owners_and_grants_are_left_out():
    body = b"CREATE FUNCTION f() RETURNS void\n    LANGUAGE sql\n    AS $$\nALTER TABLE a OWNER TO b;\n$$;\n"
    data = b"COPY a (x) FROM stdin;\n\\restrict z\n-- Name: a; Type: ACL;\n\\.\n"
    kept = b"-- PostgreSQL database dump\n" + body + data
    gone = b"\\restrict abc\nALTER FUNCTION public.f() OWNER TO cloud_admin;\n"
    gone += b"-- Name: TABLE a; Type: ACL; Schema: public; Owner: b\nGRANT ALL ON TABLE a TO b;\n"
    sent = list(loadable((kept + gone).splitlines(keepends=True)))
    assert b"".join(sent[: kept.count(b"\n")]) == kept
    assert [line for line in sent[kept.count(b"\n") :] if line.strip()] == []
    own = b"create table a ();\nALTER TABLE a OWNER TO b;\nGRANT ALL ON a TO b;\n"
    assert b"".join(loadable(own.splitlines(keepends=True))) == own, "what people write is run as it is"


def test_a_faulty_statement_is_named_and_nothing_is_kept(ctx, tmp_path):
    faulty = tmp_path / "faulty.sql"
    faulty.write_text("create table a ();\n\nselect colour from a;\n")
    with pytest.raises(RemoteProblem, match="colour") as failed:
        local_seed(ctx, "faulty", dump=faulty)
    assert failed.value.code == "seed-failed"
    assert "line 3: select colour from a;" in failed.value.message
    assert "faulty" not in projects(ctx)


def test_a_faulty_statement_of_a_custom_dump_is_named(ctx, tmp_path):
    made = tmp_path / "typed.sql"
    made.write_text("create table a (n int); insert into a values (1);\n")
    local_seed(ctx, "typed", dump=made)
    dump = dumped(ctx, "typed", tmp_path / "typed.dump", "--format=custom", "--data-only")
    with pytest.raises(RemoteProblem, match=r'relation "(public\.)?a" does not exist'):
        local_seed(ctx, "typed-again", dump=dump)
    assert "typed-again" not in projects(ctx)


def test_a_dump_runs_no_program(ctx, tmp_path):
    mark = tmp_path / "ran"
    evil = tmp_path / "evil.sql"
    evil.write_text(f"\\unrestrict x\n\\! touch {mark}\ncreate table a ();\n")
    with pytest.raises(RemoteProblem, match="restricted"):
        local_seed(ctx, "evil", dump=evil)
    assert not mark.exists()


def test_a_command_migrates_the_project_past_the_pooler(ctx, tmp_path):
    (tmp_path / "migrate.py").write_text(
        "import os, psycopg\n"
        "assert '-pooler' not in os.environ['DATABASE_URL']\n"
        "db = psycopg.connect(os.environ['DATABASE_URL'], autocommit=True)\n"
        "db.execute('alter table product add x int')\n"
    )
    local_seed(ctx, "both", dump=SEED, migrate=f"{sys.executable} migrate.py")
    assert asked(ctx, "both", "select x from product limit 1") == [(None,)]


def test_a_command_that_fails_says_what_it_said_without_the_password(ctx, tmp_path):
    (tmp_path / "migrate.py").write_text("import os, sys; sys.exit('with ' + os.environ['DATABASE_URL'])")
    with pytest.raises(RemoteProblem, match=r"ended with status 1.*\nwith \*\*\*") as failed:
        local_seed(ctx, "broken", migrate=f"{sys.executable} migrate.py")
    assert "npg_" not in failed.value.message
    assert "broken" not in projects(ctx)


def test_what_cannot_be_a_dump_is_refused_before_anything_is_made(ctx, tmp_path):
    (tmp_path / "empty.sql").touch()
    before = projects(ctx)
    for name, code in [("empty.sql", "dump-empty"), (".", "dump-unknown"), ("none", "dump-unreadable")]:
        with pytest.raises(ArgumentProblem) as refused:
            local_seed(ctx, "never", dump=Path(name))
        assert refused.value.code == code
    with pytest.raises(ArgumentProblem, match="Nothing was said"):
        local_seed(ctx, "never")
    assert projects(ctx) == before


def test_a_name_that_is_taken_is_refused(ctx):
    local_seed(ctx, "twice", migrate="true")
    with pytest.raises(ConflictProblem, match="called twice is there already"):
        local_seed(ctx, "twice", migrate="true")
