"""Objects of the Neon API v2, as far as we use them.

Names are exact, the rest is lenient: unknown fields are dropped and open lists of words (states,
actions) stay text, because Neon adds to both without notice. Fields that only the cloud fills have
defaults.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from neondba.core.secret import Secret

DONE = frozenset({"finished", "skipped"})
"""Statuses in which an operation has ended well."""
BROKEN = frozenset({"failed", "error", "cancelled"})
"""Statuses in which an operation has ended and will not do its work."""


class NeonModel(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Operation(NeonModel):
    """A change that Neon carries out after it has answered."""

    id: str
    project_id: str
    branch_id: str | None = None
    endpoint_id: str | None = None
    action: str
    status: str
    error: str | None = None
    failures_count: int = 0

    @property
    def done(self) -> bool:
        """True when it has ended well."""
        return self.status in DONE

    @property
    def broken(self) -> bool:
        """True when it has ended without doing its work."""
        return self.status in BROKEN


class Project(NeonModel):
    """A Neon project: a tree of branches in one region."""

    id: str
    name: str
    region_id: str = ""
    pg_version: int = 17
    store_passwords: bool = True
    history_retention_seconds: int = 0
    created_at: datetime
    org_id: str | None = None


class Branch(NeonModel):
    """A copy-on-write copy of its parent's data."""

    id: str
    project_id: str
    parent_id: str | None = None
    parent_lsn: str | None = None
    parent_timestamp: datetime | None = None
    name: str
    current_state: str
    default: bool = False
    protected: bool = False
    logical_size: int | None = None
    created_at: datetime
    expires_at: datetime | None = None
    init_source: str | None = None


class Endpoint(NeonModel):
    """The compute of a branch, and the host name it answers at."""

    id: str
    host: str
    project_id: str
    branch_id: str
    type: str = "read_write"
    current_state: str = "idle"
    autoscaling_limit_min_cu: float = 0.25
    autoscaling_limit_max_cu: float = 0.25
    suspend_timeout_seconds: int = 0
    disabled: bool = False


class Role(NeonModel):
    """A Postgres role made through the API."""

    branch_id: str
    name: str
    password: Secret | None = None
    """Given when the role is made or its password reset; absent in lists."""
    protected: bool = False


class Database(NeonModel):
    """A database of a branch."""

    id: int
    branch_id: str
    name: str
    owner_name: str


class ConnectionUri(NeonModel):
    """A connection string with its password."""

    connection_uri: Secret


class CreatedProject(NeonModel):
    """What comes with a new project."""

    project: Project
    branch: Branch
    endpoints: tuple[Endpoint, ...] = ()
    roles: tuple[Role, ...] = ()
    databases: tuple[Database, ...] = ()
    operations: tuple[Operation, ...] = ()
    connection_uris: tuple[ConnectionUri, ...] = ()


class CreatedBranch(NeonModel):
    """What comes with a new branch."""

    branch: Branch
    endpoints: tuple[Endpoint, ...] = ()
    operations: tuple[Operation, ...] = ()


class Organization(NeonModel):
    """An organization that owns projects."""

    id: str
    name: str
