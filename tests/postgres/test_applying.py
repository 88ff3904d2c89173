"""What is applied is all there or not at all, and whoever reads the end knows which."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from neondba.core.context import Clock, Context
from neondba.core.problem import ConflictProblem, Problem
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.postgres.applied import Applied, Part, Patience, parts_of
from neondba.postgres.applying import apply
from neondba.postgres.connect import Connection, connect
from neondba.postgres.scratch import neon_like_database

_numbers = count()
HASTY = Patience(lock_timeout=0.1, lock_timeout_alone=0.2, limit=0.5, first_pause=0.01)
FILLED = "insert into item select n, 'x' from generate_series(1, 3) n"


@pytest.fixture
def url(server: Secret) -> Secret:
    return neon_like_database(server, f"applied{next(_numbers)}")


@pytest.fixture
def session(url: Secret) -> Iterator[Connection]:
    with connect(url) as opened:
        opened.execute("create table item (id int, name text)")
        opened.execute(FILLED)
        yield opened


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path / "state"))


def part(name: str, *statements: str, alone: bool = False) -> Part:
    return Part(name=name, statements=statements, alone=alone)


def columns(session: Connection) -> list[str]:
    rows = session.execute(
        "select attname from pg_attribute where attrelid = 'item'::regclass and attnum > 0 order by attnum"
    )
    return [str(row["attname"]) for row in rows]


@contextmanager
def locked(url: Secret, table: str = "item") -> Iterator[Connection]:
    """Hold a lock that stops every change of the table."""
    with connect(url) as other, other.transaction():
        other.execute(f"select * from {table}")
        yield other


def refused(run: Callable[[], Applied]) -> Problem:
    with pytest.raises(Problem) as caught:
        run()
    return caught.value


def test_neighbours_share_a_transaction_and_concurrently_stands_alone() -> None:
    parts = parts_of("m", [("a", True), ("b", True), ("c", False), ("d", True)])
    assert [(p.statements, p.alone) for p in parts] == [(("a", "b"), False), (("c",), True), (("d",), False)]


def test_parts_are_applied_in_order_and_measured(ctx: Context, url: Secret, session: Connection) -> None:
    done = apply(
        ctx,
        url,
        [
            part("one", "alter table item add note text", "update item set note = 'n'"),
            part("two", "create index concurrently item_note on item (note)", alone=True),
        ],
    )
    assert [p.name for p in done.parts] == ["one", "two"]
    assert [s.rows for s in done.parts[0].statements] == [None, 3]
    assert all(s.seconds > 0 for p in done.parts for s in p.statements)
    assert done.retries == 0
    assert columns(session) == ["id", "name", "note"]


def test_a_refused_statement_takes_its_transaction_back(
    ctx: Context, url: Secret, session: Connection
) -> None:
    problem = refused(
        lambda: apply(
            ctx,
            url,
            [
                part("one", "alter table item add note text"),
                part("two", "alter table item add other text", "alter table item add note text"),
                part("three", "drop table item"),
            ],
        )
    )
    assert problem.code == "statement-refused"
    assert 'column "note" of relation "item" already exists' in problem.message
    assert "Stands: one. Rolled back: two. Not begun: three." in problem.message
    assert columns(session) == ["id", "name", "note"]


def test_a_lock_that_comes_free_is_waited_for(ctx: Context, url: Secret, session: Connection) -> None:
    said: list[str] = []
    freed = threading.Event()

    class Freeing(Clock):
        def sleep(self, seconds: float) -> None:
            freed.set()
            holder.join()

    def hold() -> None:
        with locked(url):
            held.set()
            freed.wait(20)

    held, holder = threading.Event(), threading.Thread(target=hold)
    holder.start()
    held.wait(20)
    ctx = Context(settings=ctx.settings, clock=Freeing(), listener=lambda text, _: said.append(text))
    patient = HASTY.model_copy(update={"limit": 60.0})
    done = apply(ctx, url, [part("one", "alter table item add note text")], patience=patient)
    assert done.parts[0].tries == 2
    assert done.retries == 1
    assert "lock timeout" in done.parts[0].waits[0].said
    assert any("Try 2 follows" in text for text in said)
    assert columns(session) == ["id", "name", "note"]


def test_a_lock_that_is_never_had_leaves_everything_as_it_was(
    ctx: Context, url: Secret, session: Connection
) -> None:
    patient = Patience(lock_timeout=3, limit=0.1, first_pause=0.01)
    with locked(url):
        problem = refused(
            lambda: apply(ctx, url, [part("one", "alter table item add note text")], patience=patient)
        )
    assert problem.code == "lock-not-had"
    assert "Nothing was changed." in problem.message
    assert "idle in transaction" in problem.message
    assert columns(session) == ["id", "name"]


def test_an_index_that_fails_is_dropped_again(ctx: Context, url: Secret, session: Connection) -> None:
    session.execute(FILLED)
    build = 'create unique index concurrently "item""é" on item (id)'
    problem = refused(lambda: apply(ctx, url, [part("one", build, alone=True)]))
    assert problem.code == "statement-refused"
    assert "Nothing was changed." in problem.message
    assert session.execute("select from pg_index where not indisvalid").rowcount == 0


def test_an_index_that_cannot_be_dropped_is_named_with_its_removal(
    ctx: Context, url: Secret, session: Connection
) -> None:
    build = part("one", 'create index concurrently "item""é" on item (id)', alone=True)
    with locked(url) as other:
        other.execute("lock table item in row exclusive mode")
        problem = refused(lambda: apply(ctx, url, [build], patience=HASTY))
    assert problem.facts["invalid_indexes"] == ['public."item""é"']
    assert problem.hint == 'Remove what is left: drop index concurrently public."item""é";'


def test_a_stop_cancels_the_statement_and_rolls_back(ctx: Context, url: Secret, session: Connection) -> None:
    asked = iter([False, True])
    ctx = Context(settings=ctx.settings, cancelled=lambda: next(asked, True))
    problem = refused(
        lambda: apply(
            ctx, url, [part("one", "alter table item add note text", "select pg_sleep(60)"), part("two", "x")]
        )
    )
    assert problem.code == "apply-stopped"
    assert "Nothing was changed. Not begun: two." in problem.message
    assert columns(session) == ["id", "name"]
    others = "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    # A server process ends a moment after its client.
    while session.execute(others).rowcount:
        threading.Event().wait(0.05)


def test_a_check_that_fails_takes_the_transaction_back(
    ctx: Context, url: Secret, session: Connection
) -> None:
    def check(inside: Connection, _part: Part) -> None:
        assert columns(inside) == ["id", "name", "note"]
        raise ConflictProblem("not-equal", "The schema is not the rehearsed one.")

    problem = refused(lambda: apply(ctx, url, [part("one", "alter table item add note text")], check=check))
    assert problem.code == "not-equal"
    assert problem.message == "The schema is not the rehearsed one. Nothing was changed."
    assert columns(session) == ["id", "name"]


def test_two_applies_at_once_are_one_too_many(ctx: Context, url: Secret, session: Connection) -> None:
    def meanwhile(_inside: Connection) -> None:
        problem = refused(lambda: apply(ctx, url, [part("two", "select 1")]))
        assert problem.code == "apply-running"

    apply(ctx, url, [part("one", "select 1")], first=meanwhile)


def test_a_broken_connection_leaves_no_doubt(ctx: Context, url: Secret, session: Connection) -> None:
    ends = "select pg_terminate_backend(pg_backend_pid())"
    problem = refused(
        lambda: apply(ctx, url, [part("one", "alter table item add note text", ends), part("two", "x")])
    )
    assert problem.code in ("connection-lost", "statement-refused")
    assert "Nothing was changed. Not begun: two." in problem.message
    assert columns(session) == ["id", "name"]


def test_a_commit_whose_answer_is_lost_is_found_out(ctx: Context, url: Secret, session: Connection) -> None:
    """The session is ended after the commit, before its client hears of it."""

    def check(inside: Connection, _part: Part) -> None:
        inside.execute("commit")
        session.execute("select pg_terminate_backend(%s, 5000)", [inside.info.backend_pid])

    done = apply(ctx, url, [part("one", "alter table item add note text")], check=check)
    assert [p.name for p in done.parts] == ["one"]
    assert columns(session) == ["id", "name", "note"]


@pytest.mark.parametrize("form", ["'{}'", "E'{}'", "$$ {} $$", "$p$ {} $p$"])
def test_a_password_in_a_statement_is_never_told(
    form: str, ctx: Context, url: Secret, session: Connection
) -> None:
    word = "pw" + "-of-a-role"
    role = f"create role told login password {form.format(word)}"
    problem = refused(lambda: apply(ctx, url, [part("one", f"{role} nonsense")]))
    assert "create role told login password '***'" in problem.message
    assert word not in problem.report().model_dump_json()
    done = apply(ctx, url, [part("one", role, "drop role told")])
    assert word not in done.model_dump_json()


def test_rows_are_not_quoted_when_one_is_refused(ctx: Context, url: Secret, session: Connection) -> None:
    problem = refused(
        lambda: apply(ctx, url, [part("one", "alter table item add unique (name)", "select 1")])
    )
    assert problem.code == "statement-refused"
    assert "(x)" not in problem.report().model_dump_json()
