"""A command through the pooler: which of its statements need a session of their own."""

from __future__ import annotations

import sys
from pathlib import Path

from connected import Shop

from neondba import capabilities
from neondba.connections.session_state_places import Written

STATEFUL = """
import os, psycopg
URL = os.environ["DATABASE_URL"]
def tried(*statements, **more):
    try:
        with psycopg.connect(URL, autocommit=True, **more) as db:
            for statement in statements:
                db.execute(statement)
    except psycopg.Error as error:
        print(error)
        return 1
    return 0
failed = sum([
    tried("set app.tenant = 'seven'", "select current_setting('app.tenant', true)"),
    tried("set search_path to pg_catalog"),
    tried("select pg_advisory_lock(7)", "select pg_advisory_unlock(7)"),
    tried("create temp table basket (id int)", "insert into basket values (1)"),
    tried("prepare pick as select 1", "execute pick"),
    tried("listen orders"),
    tried("select nextval('numbers')", "select lastval()"),
    tried("select 1", options="-c statement_timeout=5000"),
])
raise SystemExit(failed and 3)
"""
CLEAN = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as db:
    for n in range(8):
        with db.transaction():
            db.execute("select set_config('app.tenant', %s, true)", [str(n)])
            db.execute("set local statement_timeout = '5s'")
            db.execute("create temp table basket (id int) on commit drop")
            db.execute("select pg_advisory_xact_lock(%s)", [n])
            db.execute("select count(*) from pg_class where relname = %s", ["x"], prepare=True)
    db.execute("set timezone to 'Europe/Berlin'")
    db.execute("set statement_timeout = 0")
    db.rollback()
"""


def line_of(text: str) -> int:
    return 1 + next(n for n, line in enumerate(STATEFUL.splitlines()) if text in line)


def rehearsed(shop: Shop, folder: Path, code: str, **more):
    (folder / "app.py").write_text(code)
    arguments = {"command": [sys.executable, "app.py"], **more}
    return capabilities.load()["pool.rehearse"].call(shop.context(folder), arguments)


def test_each_statement_that_needs_its_session_is_named_with_its_line_and_what_it_did(
    shop: Shop, tmp_path: Path
):
    sql = tmp_path / "migrate.py"
    sql.write_text(
        "import os, psycopg\n"
        "psycopg.connect(os.environ['DATABASE_URL'], autocommit=True).execute('create sequence numbers')\n"
    )
    found = rehearsed(shop, tmp_path, STATEFUL, prepare=f"{sys.executable} migrate.py")
    seen = {use.statement: use for use in found.uses}
    assert (found.direct.status, found.pooled.status) == (0, 3)
    assert {text: use.evidence for text, use in seen.items()} == {
        "statement_timeout at the start of a connection": "shown",
        "set app.tenant = 'seven'": "shown",
        "select current_setting('app.tenant', true)": "shown",
        "set search_path to pg_catalog": "shown",
        "select pg_advisory_lock(7)": "shown",
        "select pg_advisory_unlock(7)": "shown",
        "create temp table basket (id int)": "shown",
        "prepare pick as select 1": "shown",
        "execute pick": "shown",
        "listen orders": "shown",
        "select lastval()": "read",
    }, found.as_text(100)
    assert "null through the pooler, seven direct" in seen["select current_setting('app.tenant', true)"].said
    assert "search_path = pg_catalog" in seen["set search_path to pg_catalog"].said
    assert "seven" not in seen["set app.tenant = 'seven'"].said
    assert 'relation "basket" does not exist' in seen["create temp table basket (id int)"].said
    assert seen["listen orders"].places[0].line == line_of("listen orders")
    assert seen["statement_timeout at the start of a connection"].places[0].line == line_of(
        "statement_timeout"
    )
    assert found.failed == ()
    assert shop.password not in found.model_dump_json()


def test_what_ends_with_its_transaction_is_not_held_against_a_program(shop: Shop, tmp_path: Path):
    found = rehearsed(shop, tmp_path, CLEAN)
    assert found.faults == 0, found.as_text(100)
    assert found.uses == ()
    assert found.different == ()
    assert [text.partition(":")[0] for text in found.harmless] == ["set statement_timeout = 0"]


def test_a_program_that_goes_past_the_pooler_is_not_called_safe(shop: Shop, tmp_path: Path):
    found = rehearsed(shop, tmp_path, "raise SystemExit('no variable set')")
    assert found.faults == 1
    assert found.output == ("no variable set",)


def test_a_statement_is_found_however_the_code_writes_it(tmp_path: Path):
    (tmp_path / "a.py").write_text('x = (\n    "SELECT  set_config(\'app.user\', "\n    "%s, false)"\n)\n')
    (tmp_path / "b.ts").write_text("await sql`create temp table ${name} (id int)`;\n// pg_advisory_lock\n")
    written = Written(tmp_path)
    [place] = written.places("select set_config('app.user', $1, false)", "setting", "app.user")
    assert (place.path, place.line, place.why) == ("a.py", 2, "the statement")
    [place] = written.places("select pg_advisory_lock(hashtext($1))", "advisory lock", "")
    assert (place.path, place.line) == ("b.ts", 2)
    assert written.places("listen orders", "listen", "orders") == ()
