"""One query that only reads: what the server itself holds, and the limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from reached import Reached

from neondba.access.query import DEEPEST, LONGEST, plain
from neondba.access.query_results import Column, QueryAnswer
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem, RemoteProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect
from neondba.postgres.read_session import READER, Limits, estimated, fetched, filtered, only_reading
from neondba.postgres.reading import read


@pytest.fixture
def session(server: Secret, url: Secret) -> Iterator[Connection]:
    """Give a session that may act as any role, in a fresh database."""
    database = url.reveal().partition("?")[0].rpartition("/")[2]
    with connect(Secret(server.reveal().replace("/postgres?", f"/{database}?"))) as opened:
        opened.execute("create table person (id int primary key, name text)")
        opened.execute("insert into person select n, 'p' || n from generate_series(1, 500) n")
        opened.execute("analyze person")
        yield opened


def asked(session: Connection, sql: str, *, role: str = READER, **limits: float) -> list[list[object]]:
    with only_reading(session, role, Limits(**limits)):  # type: ignore[arg-type]
        return fetched(session, sql, Limits(**limits), lambda: False).rows  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sql",
    [
        "insert into person values (0, 'x')",
        "select 1; delete from person",
        "create temporary table t (a int)",
        "select nextval('s')",
        "select pg_read_file('PG_VERSION')",
        "copy person to program 'cat'",
        "set local transaction read write",
    ],
)
def test_the_server_refuses_what_would_get_past_the_other_gates(session: Connection, sql: str) -> None:
    session.execute("create sequence s")
    with pytest.raises(ArgumentProblem):
        asked(session, sql)
    assert session.execute("select count(*) as n from person").fetchone() == {"n": 500}


def test_the_session_is_its_own_role_again_afterwards(session: Connection) -> None:
    assert asked(session, "select current_user, current_setting('transaction_read_only')") == [[READER, "on"]]
    after = session.execute("select current_user <> %s as own", [READER]).fetchone()
    assert after == {"own": True}


def test_rows_stop_at_the_limit_and_it_says_so(session: Connection) -> None:
    with only_reading(session, READER, Limits(rows=3)):
        found = fetched(session, "select * from person order by id", Limits(rows=3), lambda: False)
    assert (len(found.rows), found.more) == (3, "only the first 3 rows were read")
    assert found.columns == [("id", "int4"), ("name", "text")]
    assert asked(session, "select 1") == [[1]]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("'infinity'::date", "infinity"),
        ("'-infinity'::timestamptz", "-infinity"),
        ("'0044-03-15 BC'::date", "0044-03-15 BC"),
        ("'24:00'::time", "24:00:00"),
        ("'1 mon 2 days'::interval", "1 mon 2 days"),
        ("array['infinity'::timestamp, null]", ["infinity", None]),
        ("'[2020-01-01,infinity)'::daterange", "[2020-01-01,infinity)"),
        ("1.10::numeric", "1.10"),
        ("'\\xdeadbeef'::bytea", "\\xdeadbeef"),
        ("9223372036854775807", 9223372036854775807),
        ("""'{"a": [1, null]}'::jsonb""", {"a": [1, None]}),
    ],
)
def test_a_value_that_python_does_not_have_is_given_as_postgresql_writes_it(
    session: Connection, sql: str, value: object
) -> None:
    assert asked(session, f"select {sql}") == [[value]]


def test_json_beyond_python_and_utf8_is_given_too(session: Connection) -> None:
    deep, half = asked(
        session, """select (repeat('[', 5000) || repeat(']', 5000))::json, '{"\\ud800": "\\ud800"}'::json"""
    )[0]
    assert str(plain(deep)).startswith("[" * LONGEST + "…")
    assert plain(half) == {"?": "?"}
    nested = asked(session, "select (repeat('[', 300) || repeat(']', 300))::json")[0][0]
    assert json.dumps(plain(nested)).count("[") == DEEPEST


def test_a_value_that_is_too_long_is_given_and_ends_the_reading(session: Connection) -> None:
    found = asked(session, "select repeat('x', 30) from generate_series(1, 3)", bytes=20)
    assert found == [["x" * 30]]


@pytest.mark.parametrize(
    ("sql", "code", "hint"),
    [
        ("select chr(55296)", "query-refused", "Correct"),
        ("select * from nowhere", "query-refused", "pg_stat_user_tables"),
        ("explain delete from person", "query-refused", "--role NAME"),
        ("select nam from person", "query-refused", "person.name"),
    ],
)
def test_what_the_server_refuses_is_no_fault_of_the_connection(
    session: Connection, sql: str, code: str, hint: str
) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        asked(session, sql)
    assert caught.value.code == code
    assert hint in (caught.value.hint or "")


def test_names_and_values_of_a_database_stay_on_their_line() -> None:
    columns = [Column(name="a\nb\x1b[31m", type="jsonb")]
    shown = QueryAnswer(
        branch="main", database="d", role="r", seconds=0, columns=columns, rows=[[{"k": [None, True]}]]
    ).as_text(80)
    assert "a b [31m" in shown
    assert '{"k": [null, true]}' in shown


def test_an_empty_answer_still_has_its_columns(session: Connection) -> None:
    with only_reading(session, READER, Limits()):
        found = fetched(session, "select id from person where false", Limits(), lambda: False)
    assert (found.rows, found.columns, found.more) == ([], [("id", "int4")], None)


def test_a_slow_query_is_stopped(session: Connection) -> None:
    slow = "select count(*) from person a, person b, person c, person d"
    with pytest.raises(RemoteProblem, match=r"its limit is 0\.2 s"):
        asked(session, slow, seconds=0.2)


def test_cancelling_stops_the_server_too(session: Connection) -> None:
    slow = "select count(*) from person a, person b, person c, person d"
    with pytest.raises(KeyboardInterrupt), only_reading(session, READER, Limits(seconds=60)):
        fetched(session, slow, Limits(seconds=60), lambda: True)


def test_a_query_that_would_cost_too_much_is_not_begun(session: Connection) -> None:
    with only_reading(session, READER, Limits(cost=100)):
        assert estimated(session, "select * from person", Limits(cost=100)).rows == 500
        with pytest.raises(ConflictProblem, match="the limit is a cost of 100"):
            estimated(session, "select * from person a, person b", Limits(cost=100))


def test_rows_that_policies_hide_are_named_and_stay_hidden(session: Connection) -> None:
    session.execute("alter table person enable row level security")
    with only_reading(session, READER, Limits()):
        assert filtered(session, read("select * from person").tables) == ["person"]
    assert asked(session, "select count(*) from person") == [[0]]


def test_an_unknown_role_is_named(session: Connection) -> None:
    with pytest.raises(NotFoundProblem, match="cannot run as nobody_here"):
        asked(session, "select 1", role="nobody_here")


def test_the_branch_of_the_folder_is_asked_before_the_default_one(desk: Reached, tmp_path: Path) -> None:
    desk.call("branch.create", name="asked")
    (tmp_path / ".neon").write_text(json.dumps({"projectId": desk.id, "branch": "asked"}))
    assert desk.call("query.run", folder=tmp_path, statement="select 1").branch == "asked"
    assert desk.call("query.run", folder=tmp_path, statement="select 1", branch="main").branch == "main"
    assert desk.call("query.run", statement="select 1").branch == "main"


def test_a_passwords_verifier_is_never_given_wherever_it_stood() -> None:
    verifier = "SCRAM-SHA-256$" + "4096:c2FsdA==$a2V5+/=:b3RoZXI="
    assert plain([{"bounds": "{" + verifier + ",app}"}]) == [{"bounds": "{SCRAM-SHA-256$***,app}"}]


def test_a_role_that_we_made_can_be_asked_as_and_another_names_the_grant(desk: Reached) -> None:
    desk.call("role.create", name="asker", read_only=True)
    answer = desk.call("query.run", statement="select current_user", role="asker")
    assert answer.rows == [["asker"]]
    desk.sql("create role aloof")
    with pytest.raises(NotFoundProblem) as caught:
        desk.call("query.run", statement="select 1", role="aloof")
    grant = caught.value.hint.partition(": ")[2]
    assert grant == "grant aloof to neondb_owner with inherit false, set true"
    desk.sql(grant)
    assert desk.call("query.run", statement="select current_user", role="aloof").rows == [["aloof"]]
    desk.sql("drop role aloof")
    desk.call("role.delete", name="asker")


def test_a_refusal_names_the_branch_that_was_asked(desk: Reached) -> None:
    with pytest.raises(ArgumentProblem, match=r"nowhere.* That was on branch main, database neondb"):
        desk.call("query.run", statement="select * from nowhere")


def test_a_branch_without_a_compute_is_named_as_such(desk: Reached) -> None:
    desk.call("branch.create", name="bare", no_compute=True)
    with pytest.raises(NotFoundProblem, match="Branch bare has no compute") as caught:
        desk.call("query.run", statement="select 1", branch="bare")
    assert "neondba branch create NAME --parent bare" in (caught.value.hint or "")
    desk.call("branch.delete", name="bare")
