"""The tables in which migration tools note what has run."""

from __future__ import annotations

from typing import Final

VERSION_TABLES: Final = frozenset(
    {
        "alembic_version",
        "_prisma_migrations",
        "__drizzle_migrations",
        "schema_migrations",
        "schema_version",
        "goose_db_version",
        "flyway_schema_history",
        "knex_migrations_lock",
        "neondba_migrations",
    }
)
"""Without their schemas: nobody's rows, made and kept by the tool."""
