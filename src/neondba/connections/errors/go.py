"""What pgx and lib/pq say themselves."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

ENTRIES: Final = (
    Entry(
        "go-driver-import",
        "The Go driver is not imported",
        (r"sql: unknown driver \W*(?P<name>\w+)\W* \(forgotten import",),
        "database/sql knows only drivers whose package is imported, and by their own name: pgx or postgres.",
        (
            'Add _ "github.com/jackc/pgx/v5/stdlib" with sql.Open("pgx", …), or _ "github.com/lib/pq" with '
            '"postgres".',
        ),
        sources.GO,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "go-busy",
        "Two goroutines use one connection",
        (r"\bconn busy\b", r"conn\.query: .{0,20}busy"),
        "A pgx.Conn serves one caller at a time; rows that are not closed keep it busy.",
        ("Use pgxpool.Pool, and defer rows.Close().",),
        sources.GO,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "go-connect",
        "pgx reports that it could not connect",
        (r"failed to connect to `",),
        "This line is pgx's; the reason stands after it, and the paste does not hold it.",
        ("Paste the whole error: it ends in the server's own words.",),
        sources.GO,
        general=True,
    ),
    Entry(
        "go-deadline",
        "The context's time was over",
        (r"context deadline exceeded", r"pq: canceling statement due to user request"),
        "The deadline of the context covered waiting for a connection, waking the compute and the statement.",
        ("Give connecting 15 s of its own (connect_timeout=15), and statements a deadline of theirs.",),
        sources.GO,
        concerns=(Concern.ENGINE,),
        general=True,
    ),
    Entry(
        "sqlalchemy-wrapper",
        "SQLAlchemy reports an error of the driver",
        (r"\((?:psycopg2?|asyncpg)[\w.]*\.(?:operationalerror|interfaceerror)\)",),
        "This line is SQLAlchemy's; the reason stands after it, and is none that is known here.",
        ("Paste the whole traceback.",),
        sources.SQLALCHEMY,
        general=True,
    ),
)
