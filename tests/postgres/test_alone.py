"""What no transaction takes is known before it is tried, as the server itself says."""

from __future__ import annotations

import pytest

from neondba.postgres.alone import stands_alone
from neondba.postgres.connect import Connection, Refused, trusted
from neondba.postgres.statements import parse

TABLE = "create table item (id int primary key); create materialized view seen as select 1 as one;"
NO_TRANSACTION = "25001"


@pytest.mark.parametrize(
    "text",
    [
        "create index concurrently i on item (id)",
        "create index i on item (id)",
        "drop index concurrently item_other",
        "reindex table concurrently item",
        "reindex (verbose) table item",
        "reindex index item_pkey",
        "reindex schema public",
        "reindex database",
        "vacuum",
        "vacuum full item",
        "vacuum (analyze) item",
        "analyze item",
        "cluster item using item_pkey",
        "refresh materialized view seen",
        "alter system set work_mem = '4MB'",
        "create database other",
        "alter table item add column note text default 'vacuum concurrently'",
        "comment on table item is 'reindex database'",
        "alter table item detach partition item_one concurrently",
        "drop table item",
    ],
)
def test_the_server_agrees(text: str, session: Connection) -> None:
    session.execute(trusted(TABLE + "create index item_other on item (id);"))
    refused = None
    try:
        with session.transaction(force_rollback=True):
            session.execute(trusted(text))
    except Refused as error:
        refused = error.sqlstate
    assert stands_alone(parse(text)[0]) is (refused == NO_TRANSACTION)
