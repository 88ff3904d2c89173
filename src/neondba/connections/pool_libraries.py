"""What pools do when nothing is set, by library; from the libraries' own documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Name = Literal[
    "sqlalchemy",
    "sqlalchemy-null",
    "asyncpg",
    "psycopg-pool",
    "django",
    "django-pool",
    "node-postgres",
    "postgres.js",
    "prisma",
    "prisma-adapter",
    "neon-http",
    "pgxpool",
    "database-sql",
]


@dataclass(frozen=True)
class Library:
    """A pool's name, its size when none is set, and how long it waits."""

    title: str
    size: int | None
    """Connections that it keeps; None is no limit, or one for each request."""
    overflow: int
    """Connections that it makes beyond these when all are busy."""
    pool_timeout: float | None
    """Seconds that a request waits for a free one."""
    connect_timeout: float | None
    """Seconds that a connection may take."""
    size_word: str
    """What its size is called there."""
    source: str
    one_at_a_time: bool = False
    """True where the pool grows by one connection at a time."""
    per_thread: bool = False
    """True where each thread has a connection of its own, and no pool."""


LIBRARIES: Final[dict[Name, Library]] = {
    "sqlalchemy": Library("SQLAlchemy QueuePool", 5, 10, 30.0, None, "pool_size", "SQLAlchemy 2.1"),
    "sqlalchemy-null": Library("SQLAlchemy NullPool", None, 0, None, None, "NullPool", "SQLAlchemy 2.1"),
    "asyncpg": Library("asyncpg pool", 10, 0, None, 60.0, "max_size", "asyncpg 0.32"),
    "psycopg-pool": Library(
        "psycopg_pool", 4, 0, 30.0, None, "max_size", "psycopg_pool 3.3", one_at_a_time=True
    ),
    "django": Library(
        "Django without a pool",
        None,
        0,
        None,
        None,
        "CONN_MAX_AGE",
        "Django's documentation of databases",
        per_thread=True,
    ),
    "django-pool": Library(
        "Django with psycopg's pool", 4, 0, 30.0, None, "max_size", "Django's documentation of databases"
    ),
    "node-postgres": Library("node-postgres Pool", 10, 0, None, None, "max", "node-postgres' documentation"),
    "postgres.js": Library("postgres.js", 10, 0, None, 30.0, "max", "postgres.js' documentation"),
    "prisma": Library(
        "Prisma up to 6",
        5,
        0,
        10.0,
        5.0,
        "connection_limit",
        "Prisma 6 documentation: 2 x processors + 1, here of 2",
    ),
    "prisma-adapter": Library(
        "Prisma 7 with an adapter", 10, 0, None, None, "max", "Prisma 7 documentation, connection pool"
    ),
    "neon-http": Library(
        "Neon's serverless driver over HTTP",
        None,
        0,
        None,
        None,
        "no pool",
        "@neondatabase/serverless 1.2.0",
    ),
    "pgxpool": Library("pgxpool", 4, 0, None, None, "MaxConns", "pgx 5: the greater of 4 and the processors"),
    "database-sql": Library("Go database/sql", None, 0, None, None, "SetMaxOpenConns", "Go, database/sql"),
}
"""Those of the Python libraries are checked against the libraries themselves in the tests."""
