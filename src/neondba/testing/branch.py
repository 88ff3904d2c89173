"""A branch as a test sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neondba.neon.connection_string import parse

if TYPE_CHECKING:
    from neondba.neon.throwaway import Throwaway
    from neondba.postgres.connect import Connection


@dataclass(frozen=True)
class NeonBranch:
    """A branch of one's own, and how to connect to it. Its printed form holds no password."""

    project: str
    project_id: str
    branch: str
    branch_id: str
    role: str
    database: str
    url: str = field(repr=False)
    """Through the pooler, as an application connects: transaction pooling."""
    url_unpooled: str = field(repr=False)
    """Past the pooler: for migrations, LISTEN, session state."""
    environment: dict[str, str] = field(repr=False, compare=False)
    """What `neondba run` would set: DATABASE_URL, PGHOST, NEON_BRANCH and the rest."""

    def url_for(self, driver: str, *, pooled: bool = False) -> str:
        """Give the address in SQLAlchemy's spelling: `psycopg`, `asyncpg`, `psycopg2`."""
        return parse(self.url if pooled else self.url_unpooled).with_driver(driver).render().reveal()

    def connect(self) -> Connection:
        """Open a psycopg session past the pooler; each statement takes effect at once, rows are dicts."""
        from neondba.core.secret import Secret
        from neondba.postgres.connect import connect

        return connect(Secret(self.url_unpooled))

    @classmethod
    def of(cls, made: Throwaway, project: str, variables: dict[str, str]) -> NeonBranch:
        """Take it from what was made."""
        shared: dict[str, Any] = {
            name: getattr(made, name) for name in ("project_id", "branch_id", "role", "database")
        }
        return cls(
            project=project,
            branch=made.branch_name,
            url=made.pooled.reveal(),
            url_unpooled=made.direct.reveal(),
            environment=variables,
            **shared,
        )
