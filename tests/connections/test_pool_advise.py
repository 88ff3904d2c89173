"""Advice on pools: figures with their origins, what fits, what to set, and what is written."""

from __future__ import annotations

import inspect
import subprocess
import textwrap
from pathlib import Path

import asyncpg
import psycopg_pool
import pytest
from sqlalchemy.pool import QueuePool

from neondba import capabilities
from neondba.connections.pool_libraries import LIBRARIES
from neondba.core.context import Context
from neondba.core.operation import find
from neondba.core.plan import Plan
from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.core.settings import Settings

APP = """
from fastapi import FastAPI
from sqlalchemy import create_engine
import os
app = FastAPI()
engine = create_engine(os.environ["DATABASE_URL"], pool_size=20, max_overflow=30)
"""
FROM_VARIABLES = """
from fastapi import FastAPI
from sqlalchemy import create_engine
from config import settings
app = FastAPI()
engine = create_engine(settings.database_url, pool_size=settings.db_pool_size, max_overflow=0)
"""
ADDRESS = "postgresql://app:" + "pw" + "@ep-calm-sun-a1b2c3d4.eu-central-1.aws.neon.tech/shop"


@pytest.fixture
def project(tmp_path: Path):
    def make(**files: str) -> Path:
        folder = tmp_path / "app"
        for name, text in files.items():
            path = folder / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return folder

    return make


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path / "state"), folder=tmp_path)


def call(name: str, ctx: Context, **arguments: object):
    capabilities.load()
    return find(name).call(ctx, {"path": "app", **arguments})


def figures(advice) -> dict[str, tuple[float | None, str, str]]:
    return {each.name: (each.value, each.origin, each.where) for each in advice.figures}


def fits(advice) -> dict[str, str]:
    return {each.name: each.verdict for each in advice.fits}


def test_the_verdict_comes_first_and_the_formulas_come_last(project, ctx):
    project(db_dot_py=APP)
    size = {"compute_min": 0.25, "compute_max": 0.25, "wake_ms": 300.0, "burst": 20}
    fine = call("pool.advise", ctx, way="pooled", **size)
    assert fine.as_text(100).startswith("It fits as it is. Advised: ")
    wrong = call("pool.advise", ctx, way="direct", instances=20, **size)
    text = wrong.as_text(100)
    assert text.startswith("It does not fit: application")
    order = ["It does not fit", "do: ", "Settings", "What fits", "At wake-up", "Under load", "Figures"]
    places = [text.index(each) for each in [*order, "Formulas"]]
    assert places == sorted(places)
    assert " = 20 instances" not in text[: places[-1]]
    assert "application = 20 instances" in text[places[-1] :]


def test_sizes_and_workers_are_read_with_file_and_line(project, ctx):
    web = "web: gunicorn -k uvicorn_worker.UvicornWorker -w 4 --threads 2 db:app\n"
    project(db_dot_py=APP, Procfile=web + "worker: celery -A jobs worker --concurrency 6\n")
    advice = call("pool.advise", ctx)
    assert "celery in Procfile:2 does 6 tasks at once" in advice.as_text(400)
    found = figures(advice)
    assert found["workers"] == (4, "read", "Procfile:1")
    assert found["threads"] == (2, "read", "Procfile:1")
    assert found["pool size"] == (20, "read", "db.py:6")
    assert found["overflow"] == (30, "read", "db.py:6")
    assert found["pool timeout"][:2] == (30, "published")
    assert found["statement"][1] == found["burst"][1] == found["instances"][1] == "assumed"


def test_too_many_connections_for_the_direct_address_are_a_fault_that_the_advice_removes(project, ctx):
    project(db_dot_py=APP, Dockerfile='CMD ["uvicorn", "db:app", "--workers", "4"]\n')
    given = {"way": "direct", "compute_min": 0.25, "compute_max": 0.25, "burst": 150}
    advice = call("pool.advise", ctx, **given)
    assert fits(advice)["application"] == fits(advice)["wake-up"] == "fault"
    assert advice.faults == 2
    formulas = [each.formula for each in advice.fits]
    assert "1 instances x 4 workers x (20 + 30) = 200 > max_connections 104 - 7 reserved - 5 = 92" in formulas
    before, after, restart = advice.wake
    assert (restart.requests, restart.failed) == (80, {})
    assert before.failed == {"too many connections": 53}
    assert (after.failed, after.answered) == ({}, 150)
    assert "pool_size=10" in advice.settings[0].snippet
    again = call("pool.advise", ctx, **given, pool_size=10, overflow=10)
    assert again.faults == 0


def test_options_stand_in_for_what_cannot_be_read(project, ctx):
    project(readme_dot_md="nothing")
    advice = call("pool.advise", ctx, instances=3, workers=2, pool_size=7, compute_min=1, compute_max=4)
    assert figures(advice)["pool size"] == (7, "given", "--pool-size")
    assert any("3 instances x 2 workers x 7 = 42" in each.formula for each in advice.fits)
    assert {each.library for each in advice.settings} >= {
        "SQLAlchemy QueuePool",
        "node-postgres Pool",
        "pgxpool",
    }


def test_bounds_that_neon_does_not_have_are_refused(project, ctx):
    project(db_dot_py=APP)
    with pytest.raises(ArgumentProblem, match="difference between"):
        call("pool.advise", ctx, compute_min=1, compute_max=16)


def test_a_wake_longer_than_the_connect_timeout_shows_as_failures(project, ctx):
    project(db_dot_py=APP.replace("max_overflow=30", 'max_overflow=30, connect_args={"connect_timeout": 2}'))
    advice = call("pool.advise", ctx, wake_ms=2500, burst=30)
    assert advice.wake[0].failed == {"connect_timeout": 30}
    assert advice.wake[1].failed == {}


def test_the_load_waits_longer_the_nearer_it_comes_to_what_fits(project, ctx):
    project(db_dot_py=APP)
    load = call("pool.advise", ctx, pool_size=5, overflow=0, statement_ms=50).load
    assert [each.name for each in load] == [
        "50 a second (50%)", "80 a second (80%)", "95 a second (95%)", "120 a second (120%)",
    ]  # fmt: skip
    waits = [each.median_ms for each in load]
    assert waits == sorted(waits)
    assert call("pool.advise", ctx, pool_size=5, overflow=0, statement_ms=50).load == load


PG = "import { Pool } from 'pg'\nexport const pool = new Pool("
NEON = "import { neon } from '@neondatabase/serverless'\n"
ADAPTER = "import { PrismaPg } from '@prisma/adapter-pg'\nconst adapter = new PrismaPg({ max: 7 })\n"
DJANGO = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'"
ASYNCPG = "import asyncpg\nasync def go():\n    return await asyncpg.create_pool("
PSYCOPG = "from psycopg_pool import ConnectionPool\npool = ConnectionPool("
NULL = "from sqlalchemy import create_engine\nfrom sqlalchemy.pool import NullPool\nengine = create_engine("
GO = "package main\nfunc main() {\n\t"
LIBRARY_CASES = [
    ("db.ts", PG + "{ max: 25, connectionTimeoutMillis: 5_000 })",
     "node-postgres Pool", 2, 25, 5, "max: "),
    ("db.ts", "import postgres from 'postgres'\nconst sql = postgres(process.env.URL!, { max: 12 })",
     "postgres.js", 2, 12, None, "connect_timeout: 15"),
    ("db.ts", ADAPTER + "export const db = new PrismaClient({ adapter })",
     "Prisma 7 with an adapter", 2, 7, None, "new PrismaPg({"),
    ("db.ts", "export const db = new PrismaClient()",
     "Prisma up to 6", 1, 5, 10, "connection_limit="),
    ("db.ts", NEON + "const sql = neon(process.env.DATABASE_URL!)",
     "Neon's serverless driver over HTTP", 2, None, None, "nothing to size"),
    ("main.go", GO + "pool, _ := pgxpool.New(ctx, url)\n\tcfg.MaxConns = 9\n}",
     "pgxpool", 3, 9, None, "config.MaxConns = "),
    ("main.go", GO + 'db, _ := sql.Open("pgx", url)\n\tdb.SetMaxOpenConns(30)\n}',
     "Go database/sql", 3, 30, None, "SetMaxOpenConns("),
    ("settings.py", DJANGO + "}}",
     "Django without a pool", 1, None, None, "CONN_MAX_AGE"),
    ("settings.py", DJANGO + ",\n  'OPTIONS': {'pool': {'max_size': 8}}}}",
     "Django with psycopg's pool", 1, 8, 30, "'max_size': "),
    ("db.py", ASYNCPG + "'postgresql://x', max_size=40)",
     "asyncpg pool", 3, 40, None, "max_size=20"),
    ("db.py", PSYCOPG + "'postgresql://x', max_size=6)",
     "psycopg_pool", 2, 6, 30, "check=ConnectionPool.check_connection"),
    ("db.py", NULL + "'postgresql://x', poolclass=NullPool)",
     "SQLAlchemy NullPool", 3, None, None, "poolclass=NullPool"),
]  # fmt: skip


@pytest.mark.parametrize("case", LIBRARY_CASES, ids=lambda case: case[2])
def test_each_librarys_pool_is_found_and_set_in_its_own_names(project, ctx, case):
    name, text, library, line, size, wait, words = case
    project(**{name.replace(".", "_dot_"): text})
    advice = call("pool.advise", ctx, workers=3)
    assert (advice.settings[0].library, advice.settings[0].where) == (library, f"{name}:{line}")
    found = figures(advice)
    assert (found["pool size"][0], found["pool timeout"][0]) == (size, wait)
    assert words in advice.settings[0].snippet


def test_serverless_platforms_run_each_request_in_an_instance_of_its_own(project, ctx):
    project(vercel_dot_json="{}", db_dot_ts="import { Pool } from 'pg'\nexport const pool = new Pool()")
    advice = call("pool.advise", ctx, burst=120, way="direct", compute_min=0.25, compute_max=0.25)
    assert figures(advice)["instances"] == (
        120, "assumed", "Vercel runs each request of a burst in an instance of its own; --instances",
    )  # fmt: skip
    assert advice.wake[0].failed == {"too many connections": 23}
    assert advice.wake[1].failed == {}
    assert "max: 1," in advice.settings[0].snippet


def test_the_numbers_that_python_libraries_have_by_themselves_are_theirs():
    queue = inspect.signature(QueuePool.__init__).parameters
    ours = LIBRARIES["sqlalchemy"]
    assert (ours.size, ours.overflow, ours.pool_timeout) == tuple(
        queue[name].default for name in ("pool_size", "max_overflow", "timeout")
    )
    assert LIBRARIES["asyncpg"].size == inspect.signature(asyncpg.create_pool).parameters["max_size"].default
    assert (
        LIBRARIES["asyncpg"].connect_timeout
        == inspect.signature(asyncpg.connect).parameters["timeout"].default
    )
    pool = inspect.signature(psycopg_pool.ConnectionPool.__init__).parameters
    assert pool["max_size"].default is None
    assert (LIBRARIES["psycopg-pool"].size, LIBRARIES["psycopg-pool"].pool_timeout) == (
        pool["min_size"].default,
        pool["timeout"].default,
    )


def test_sizes_that_are_read_from_variables_are_written_to_env_once(project, ctx):
    folder = project(
        db_dot_py=FROM_VARIABLES,
        config_dot_py="class Settings:\n    database_url: str\n    db_pool_size: int = 30\n",
        Procfile="web: gunicorn -w 4 db:app\n",
        _dot_env=f'# mine\nDATABASE_URL="{ADDRESS}"\nOTHER=1\n',
    )
    advice = call("pool.advise", ctx, compute_min=0.25, compute_max=0.25)
    assert figures(advice)["pool size"] == (30, "read", "config.py:3")
    assert advice.writes == (".env: DB_POOL_SIZE=10",)
    ctx.dry_run = True
    plan = call("pool.write", ctx, compute_min=0.25, compute_max=0.25)
    assert isinstance(plan, Plan)
    assert plan.steps == ("Set .env: DB_POOL_SIZE=10.",)
    ctx.dry_run = False
    call("pool.write", ctx, compute_min=0.25, compute_max=0.25)
    written = (folder / ".env").read_bytes()
    assert written.decode() == f'# mine\nDATABASE_URL="{ADDRESS}"\nOTHER=1\nDB_POOL_SIZE=10\n'
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    again = call("pool.write", ctx, compute_min=0.25, compute_max=0.25)
    assert again.written == ("nothing: all of it is set already",)
    assert (folder / ".env").read_bytes() == written
    assert figures(again)["pool size"] == (10, "read", ".env:4")


def test_prismas_parameters_are_written_into_its_address_and_no_password_is_shown(project, ctx):
    folder = project(
        db_dot_ts="export const db = new PrismaClient()", _dot_env=f"DATABASE_URL={ADDRESS}?sslmode=require\n"
    )
    done = call("pool.write", ctx, workers=2, compute_min=0.25, compute_max=0.25)
    text = (folder / ".env").read_text()
    assert "sslmode=require&connection_limit=20&pool_timeout=30&connect_timeout=15" in text
    assert ":pw@" in text
    now = figures(call("pool.advise", ctx, workers=2, compute_min=0.25, compute_max=0.25))
    assert now["pool size"] == (20, "read", "the address in DATABASE_URL of .env")
    assert now["connect timeout"][0] == 15
    assert ":pw@" not in done.model_dump_json() + done.as_text(100)


def test_plain_numbers_in_a_call_are_changed_where_git_could_give_the_file_back(project, ctx):
    folder = project(db_dot_py=APP + "# end\n", Procfile="web: gunicorn -w 8 db:app\n")
    given = {"way": "pooled", "compute_min": 0.25, "compute_max": 0.25}
    with pytest.raises(ConflictProblem, match=r"db\.py is not as git has it"):
        call("pool.write", ctx, **given)
    settled(folder)
    done = call("pool.write", ctx, **given)
    assert done.written == ("db.py:6: pool_size=6", "db.py:6: max_overflow=5")
    expected = APP.replace("pool_size=20, max_overflow=30", "pool_size=6, max_overflow=5") + "# end\n"
    assert (folder / "db.py").read_text() == expected
    assert call("pool.write", ctx, **given).written == ("nothing: all of it is set already",)
    assert (folder / "db.py").read_text() == expected


def settled(folder: Path) -> None:
    """Commit all files of a folder."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


def test_code_whose_numbers_are_computed_is_left_alone(project, ctx):
    text = APP.replace("pool_size=20", "pool_size=4 * 5")
    folder = project(db_dot_py=text, _dot_env="A=1\n")
    with pytest.raises(ConflictProblem, match="pool_size and max_overflow do not stand as plain numbers"):
        call("pool.write", ctx)
    assert (folder / ".env").read_text() == "A=1\n"
    assert (folder / "db.py").read_text() == text


def test_the_bounds_are_asked_of_the_project_and_the_wake_is_measured(shop, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / ".env").write_text(f"DATABASE_URL={shop.pooled}\n")
    shop.suspend()
    ctx = shop.context(tmp_path / "app")
    capabilities.load()
    advice = find("pool.advise").call(ctx, {"measure": True})
    found = figures(advice)
    assert found["compute, least"] == (0.25, "measured", f"Neon API, {shop.endpoint}")
    assert found["wake"][1:] == ("measured", "now: this call woke it")
    assert found["login"][1] == "measured"
    assert "through the pooler (the host of DATABASE_URL)" in advice.subject
    later = figures(find("pool.advise").call(ctx, {}))
    assert later["wake"][1] == "measured"
    assert "start_compute operations of this compute" in later["wake"][2]
