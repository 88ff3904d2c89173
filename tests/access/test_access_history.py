"""Who connected and what they did: from logs that pgaudit 1.7 wrote, and from a running database.

`logs/pgaudit_*.log` were written by PostgreSQL 15 with pgaudit in its three formats, in one run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from reached import Reached

from neondba.access.history_log import LogReader, Noted
from neondba.access.history_results import AccessEvent, AccessHistory, Source
from neondba.core.problem import NotFoundProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import parse

LOGS = Path(__file__).parent / "logs"
PASSWORD = "drawn" + "4History"


def noted(name: str) -> list[Noted]:
    return list(LogReader().read((LOGS / f"pgaudit_{name}.log").read_text()))


@pytest.mark.parametrize("name", ["plain", "json", "csv"])
def test_each_format_of_the_log_tells_the_same(name: str) -> None:
    found = noted(name)
    assert [(each.role, each.did, each.on) for each in found] == [
        ("app", "logged in", ""),
        ("app", "write: insert", "public.note"),
        ("app", "read: select", "public.note"),
        ("app", "read: select", "public.note"),
        ("app", "write: update", "public.note"),
        ("app", "read: select", "pg_catalog.pg_class"),
        ("app", "left after 0:00:00", ""),
        ("nobody_such", "logged in", ""),
        ("nobody_such", "was refused", ""),
    ]
    assert {each.address for each in found} == {"127.0.0.1"}
    assert found[0].at == datetime(2026, 11, 22, 11, 37, 15, 319000, tzinfo=UTC)
    assert found[0].application == "shop"


def test_times_with_an_offset_are_moved_and_named_zones_are_counted() -> None:
    line = "2026-11-22 12:00:00.000 {} [7] LOG:  connection authorized: user=app database=shop\n"
    reader = LogReader()
    moved = list(reader.read(line.format("+0130")))
    assert [each.at for each in moved] == [datetime(2026, 11, 22, 10, 30, tzinfo=UTC)]
    assert list(reader.read(line.format("CET"))) == []
    assert reader.unplaced == {"CET": 1}


def test_a_statement_that_names_a_missing_role_is_no_refused_login() -> None:
    line = '2026-11-22 12:00:00.000 UTC [7] {}:  role "x" does not exist\n'
    assert list(LogReader().read(line.format("ERROR"))) == []
    assert [each.did for each in LogReader().read(line.format("FATAL"))] == ["was refused"]


@pytest.fixture(scope="module")
def used(desk: Reached) -> Iterator[Reached]:
    """A branch on which a clerk has read and written, and the owner has set a password."""
    desk.call("branch.create", name="archive")
    desk.sql(
        "create extension pg_stat_statements; create table paper (id int); create table other (id int);"
        f"create role clerk login password '{PASSWORD}'; grant all on paper, other to clerk",
        "archive",
    )
    url = parse(Secret(desk.url("archive"))).with_role("clerk", Secret(PASSWORD)).render().reveal()
    with psycopg.connect(url, autocommit=True, application_name="ledger") as db:
        db.execute("insert into paper values (1), (2)")
        db.execute("select * from paper")
        db.execute("select * from other")
    yield desk
    desk.call("branch.delete", name="archive")


@pytest.fixture(scope="module")
def told(used: Reached) -> AccessHistory:
    return used.call("access.history", branch="archive")


def source(history: AccessHistory, name: str) -> Source:
    return next(each for each in history.sources if each.name == name)


def test_a_login_is_found_in_the_log_of_the_compute(told: AccessHistory) -> None:
    [login] = [each for each in told.events if each.role == "clerk"]
    assert (login.did, login.application, login.address) == ("logged in", "ledger", "[local]")
    assert login.evidence.startswith("compute.log:")
    assert "its proxy hides addresses" in source(told, "server log of the compute").said


def test_what_a_role_did_to_which_table_is_counted(told: AccessHistory) -> None:
    mine = {(each.did, each.tables): each for each in told.counted if each.role == "clerk"}
    assert mine["insert", ("paper",)].rows == 2
    assert mine["select", ("paper",)].calls == 1
    assert mine["select", ("paper",)].since is not None
    assert "clerk select other 1 0" in " ".join(told.as_text(120).split())


def test_what_happened_again_and_again_is_one_line() -> None:
    times = [datetime(2026, 11, 22, 9, minute, tzinfo=UTC) for minute in (1, 2, 3, 4)]
    events = [
        AccessEvent(at=at, role=role, address=None, did="logged in", evidence=f"log:{at.minute}")
        for at, role in zip(times, ("app", "app", "app", "clerk"), strict=True)
    ]
    rest = {"counted": (), "tables": (), "sources": ()}
    made = AccessHistory(
        project="p", branch="b", database="d", events=tuple(events), matching=4, **rest
    ).as_text(120)
    assert "app from an address not shown: logged in, 3 times until 2026-11-22 09:03:00  [log:1]" in made
    assert "09:02" not in made
    assert "2026-11-22 09:04:00  clerk from an address not shown: logged in  [log:4]" in made


def test_a_password_in_a_statement_is_never_shown(told: AccessHistory) -> None:
    assert PASSWORD not in told.model_dump_json() + told.as_text(100)
    assert ("neondb_owner", "create role") in {(each.role, each.did) for each in told.counted}


def test_role_table_and_time_narrow_it(used: Reached) -> None:
    mine = used.call("access.history", branch="archive", role="clerk", table="public.other")
    assert [(each.did, each.tables) for each in mine.counted] == [("select", ("other",))]
    assert [each.table for each in mine.tables] == ["public.other"]
    assert used.call("access.history", branch="archive", until="1h ago").events == ()


def test_what_is_not_recorded_is_not_checked_and_says_what_to_switch_on(used: Reached) -> None:
    bare = used.call("access.history", branch="main")
    assert source(bare, "pgaudit").state == "not checked"
    assert source(bare, "statement counts").switch_on == ("create extension pg_stat_statements;",)


def test_a_log_that_is_given_is_read_with_its_pgaudit_entries(used: Reached, tmp_path: Path) -> None:
    text = (LOGS / "pgaudit_plain.log").read_text().replace("database=postgres", "database=neondb")
    (tmp_path / "given.log").write_text(text.replace("TABLE,public.note,", ",,"))
    found = used.call(
        "access.history", folder=tmp_path, branch="archive", log=Path("given.log"), table="note"
    )
    assert [(each.role, each.did, each.evidence) for each in found.events] == [
        ("app", "write: insert", "given.log:3"),
        ("app", "read: select", "given.log:5"),
        ("app", "read: select", "given.log:6"),
        ("app", "write: update", "given.log:7"),
    ]
    assert "hello" not in found.model_dump_json()


def test_a_role_that_neither_exists_nor_is_in_a_record_is_a_problem(used: Reached, tmp_path: Path) -> None:
    with pytest.raises(NotFoundProblem, match="has no role clark") as told:
        used.call("access.history", branch="archive", role="clark", since="1h")
    assert "clerk" in str(told.value.hint)
    assert "cloud_admin" not in str(told.value.hint)
    text = (LOGS / "pgaudit_plain.log").read_text().replace("database=postgres", "database=neondb")
    (tmp_path / "given.log").write_text(text)
    gone = {"folder": tmp_path, "branch": "archive", "log": Path("given.log"), "role": "app"}
    assert used.call("access.history", **gone).events


def test_a_table_that_neither_exists_nor_is_in_a_record_is_a_problem(used: Reached) -> None:
    with pytest.raises(NotFoundProblem, match="on branch archive has no table") as told:
        used.call("access.history", branch="archive", table="public.othr")
    assert "public.other" in str(told.value.hint)


def test_a_log_that_is_not_there_is_a_problem(used: Reached, tmp_path: Path) -> None:
    with pytest.raises(NotFoundProblem, match="There is no file"):
        used.call("access.history", folder=tmp_path, branch="archive", log=Path("none.log"))
