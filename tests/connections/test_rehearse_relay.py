"""A relay passes on everything as it is, and notes statements, errors and transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from connected import Shop, with_password

from neondba.connections.rehearse_login import Certificate
from neondba.connections.rehearse_record import Record
from neondba.connections.rehearse_relay import Relay
from neondba.connections.rehearse_world import goal_of
from neondba.local.proxy.tls import ensure_certificates
from neondba.neon.connection_string import parse

ROW = "x" * 1000


class Relayed:
    """A relay before the shop's direct address."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        paths = ensure_certificates(folder)
        self.record = Record()
        self.certificate = paths.authority
        goal = goal_of(parse(shop.url), {})
        self.relay = Relay(goal, Certificate.of(paths.certificate, paths.key), self.record, pooled=False)
        self.relay.start()
        parts = urlsplit(shop.url)
        self.url = f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{self.relay.port}{parts.path}"

    def connect(self, **more) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True, **more)


@pytest.fixture
def relayed(shop: Shop, tmp_path: Path) -> Iterator[Relayed]:
    made = Relayed(shop, tmp_path / "tls")
    yield made
    made.relay.close()


def test_rows_copies_and_errors_arrive_whole(relayed: Relayed):
    with relayed.connect(sslmode="require") as db:
        db.execute("create temp table big (v text)")
        with db.cursor() as cursor, cursor.copy("copy big from stdin") as copy:
            for _ in range(3000):
                copy.write_row([ROW])
        with db.cursor() as cursor, cursor.copy("copy big to stdout") as copy:
            assert sum(1 for _ in copy.rows()) == 3000
        assert len(db.execute("select v from big").fetchall()) == 3000
        with pytest.raises(psycopg.errors.UndefinedTable):
            db.execute("select * from nowhere where id = %s", [1])
        db.execute("select %s::text", ["y" * 300_000])
    texts = [sent.text for sent in relayed.record.statements]
    assert texts == [
        "create temp table big (v text)",
        "copy big from stdin",
        "copy big to stdout",
        "select v from big",
        "select * from nowhere where id = $1",
        "select $1::text",
    ]
    [failed] = relayed.record.errors()
    assert (failed.text, (failed.error or {})["C"]) == ("select * from nowhere where id = $1", "42P01")
    assert [sent.tag for sent in relayed.record.statements][:4] == [
        "CREATE TABLE", "COPY 3000", "COPY 3000", "SELECT 3000",
    ]  # fmt: skip


def test_transactions_parameters_and_pipelines_are_followed(relayed: Relayed):
    with relayed.connect() as db:
        with db.transaction():
            db.execute("select 1")
            db.execute("select %s::bool", [True])
        with db.pipeline():
            for number in (1, 2, 2):
                db.execute("select %s::int", [number], prepare=True)
        with pytest.raises(psycopg.errors.DivisionByZero), db.transaction():
            db.execute("select 1 / 0")
    found = relayed.record.statements
    assert [(s.text, s.within) for s in found[:4]] == [
        ("BEGIN", False), ("select 1", True), ("select $1::bool", True), ("COMMIT", True),
    ]  # fmt: skip
    assert found[2].flags == (True,)
    assert found[1].row == "1"
    piped = [s for s in found if s.text == "select $1::int"]
    assert [s.done is not None for s in piped] == [True, True, True]
    assert len({s.values for s in piped}) == 2
    assert [s.text for s in relayed.record.errors()] == ["select 1 / 0"]
    assert relayed.record.sessions[0].status == "I"


def test_many_clients_at_once_and_clients_without_tls_are_served(relayed: Relayed):
    answers: list[int] = []

    def ask(number: int) -> None:
        with relayed.connect(sslmode="disable" if number % 2 else "require") as db:
            answers.extend(db.execute("select %s::int", [number]).fetchone()[0] for _ in range(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == sorted(number for number in range(8) for _ in range(20))
    assert relayed.record.count == 160


def test_certificate_and_channel_binding_hold_and_a_wrong_password_is_refused(relayed: Relayed, shop: Shop):
    strict = {"sslmode": "verify-full", "sslrootcert": str(relayed.certificate), "channel_binding": "require"}
    with relayed.connect(**strict) as db:
        assert db.execute("select 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(with_password(relayed.url, "wrong"), sslmode="require")
    assert [session.admitted is None for session in relayed.record.sessions] == [False, True]


def test_a_role_that_only_the_database_knows_logs_in_with_its_own_password(relayed: Relayed, shop: Shop):
    password = "for-one" + "-test"
    with psycopg.connect(shop.url, autocommit=True) as db:
        db.execute(f"create role clerk login password '{password}'")
    try:
        own = relayed.url.replace("//neondb_owner:", "//clerk:")
        with psycopg.connect(with_password(own, password)) as db:
            assert db.execute("select current_user").fetchone() == ("clerk",)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(with_password(own, "wrong"))
    finally:
        with psycopg.connect(shop.url, autocommit=True) as db:
            db.execute("drop role clerk")


def test_a_statement_that_runs_can_be_cancelled_through_the_relay(relayed: Relayed):
    ended = threading.Event()
    with relayed.connect() as db:

        def cancel() -> None:
            # Until it runs there is nothing to cancel.
            while not ended.wait(0.3):
                db.cancel_safe(timeout=20)

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            db.execute("select pg_sleep(30)")
        ended.set()
        canceller.join()
    assert len(relayed.record.sessions) == 1


def test_a_cut_is_noted_with_the_transaction_it_met(relayed: Relayed):
    db = relayed.connect()
    db.execute("begin")
    db.execute("select 1")
    relayed.relay.cut()
    with pytest.raises(psycopg.OperationalError):
        db.execute("select 2")
    relayed.relay.close()
    [session] = relayed.record.sessions
    assert (session.closed_by, session.cut_within) == ("relay", True)
