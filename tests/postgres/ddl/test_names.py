"""Names are in quotes exactly where PostgreSQL needs that."""

from __future__ import annotations

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.ddl.names import RESERVED, quote_ident


def test_every_word_that_the_server_reserves_is_quoted(session: Connection) -> None:
    reserved = {
        str(row["word"])
        for row in session.execute("select word from pg_get_keywords() where catcode in ('R', 'T')")
    }
    assert reserved <= RESERVED


def test_each_keyword_as_written_names_a_table_a_column_and_a_role(session: Connection) -> None:
    words = [str(row["word"]) for row in session.execute("select word from pg_get_keywords()")]
    for name in (*words, 'odd "name', "Upper", "1st", "plain_1", "a$b"):
        written = quote_ident(name)
        with session.transaction(force_rollback=True):
            session.execute(trusted(f"create table {written} ({written} int)"))
            session.execute(trusted(f"select {written}.{written} from {written}"))
            if name not in ("none", "public"):
                session.execute(trusted(f"create role {written}"))
                session.execute(trusted(f"alter role {written} nologin"))
    assert quote_ident("plain_1") == "plain_1"
