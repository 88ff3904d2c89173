"""The tables. Moments are RFC 3339 texts in UTC, so that they sort as they are."""

from __future__ import annotations

from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

UNFINISHED = ("scheduling", "running")


class ProjectRow(SQLModel, table=True):
    """A Neon project."""

    __tablename__ = "project"
    id: str = Field(primary_key=True)
    name: str
    region_id: str
    pg_version: int
    history_retention_seconds: int
    settings: str = "{}"
    """JSON, as the client gave it."""
    endpoint_defaults: str = "{}"
    """JSON of `default_endpoint_settings`."""
    store_passwords: bool = True
    """False: roles have only a verifier here, and no password can be shown again."""
    created_at: str
    updated_at: str
    deleting: bool = False
    """True from the moment the client was told that it is deleted."""
    deleted_at: str | None = None
    """Set while a deleted project can still be recovered."""


class TimelineRow(SQLModel, table=True):
    """A line of write-ahead log and its data directory; a branch is a name for one.

    Restoring a branch gives it another timeline; the old one goes to the branch that preserves it.
    """

    __tablename__ = "timeline"
    id: str = Field(primary_key=True)
    """Also the name of its data directory."""
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    parent_id: str | None = Field(default=None, foreign_key="timeline.id", index=True, ondelete="SET NULL")
    fork_lsn: str | None = None
    """Where it left its parent; None for a root and for a copy without history."""
    forked_at: str | None = None
    created_at: str


class BranchRow(SQLModel, table=True):
    """A branch: a name, its roles and databases, and the timeline that holds its data now."""

    __tablename__ = "branch"
    id: str = Field(primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    name: str
    timeline_id: str = Field(foreign_key="timeline.id", index=True, ondelete="CASCADE")
    parent_id: str | None = Field(default=None, foreign_key="branch.id", index=True, ondelete="SET NULL")
    parent_lsn: str | None = None
    parent_timestamp: str | None = None
    state: str = "init"
    state_changed_at: str
    is_default: bool = False
    protected: bool = False
    init_source: str = "parent-data"
    cloned_by: str | None = None
    """How the directory was made: `initdb`, `ficlone` or `copy`."""
    created_at: str
    updated_at: str
    expires_at: str | None = None
    ttl_interval_seconds: int | None = None
    last_reset_at: str | None = None
    preserved_as: str | None = None
    """The branch that keeps what this one held before it was restored to its own past."""
    restored_from: str | None = None
    """The snapshot whose data this branch began with."""
    restored_as: str | None = None
    """The branch that this one is to replace, or has replaced."""
    restore_status: str | None = None
    deleting: bool = False
    deleted_at: str | None = None
    """Set while a deleted branch can still be recovered."""


class EndpointRow(SQLModel, table=True):
    """A compute's address and its settings."""

    __tablename__ = "endpoint"
    id: str = Field(primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    branch_id: str = Field(foreign_key="branch.id", index=True, ondelete="CASCADE")
    type: str = "read_write"
    """`read_write`, at most one per branch, or `read_only`: a standby with its own directory."""
    name: str = ""
    min_cu: float = 0.25
    max_cu: float = 0.25
    suspend_timeout_seconds: int = 0
    settings: str = "{}"
    """JSON of `settings`: pg_settings, preload_libraries."""
    disabled: bool = False
    created_at: str
    updated_at: str
    last_active: str | None = None
    started_at: str | None = None
    suspended_at: str | None = None
    deleting: bool = False


class RoleRow(SQLModel, table=True):
    """A role made through the API. Its password can be shown again, as Neon does."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("branch_id", "name"),)
    number: int | None = Field(default=None, primary_key=True)
    branch_id: str = Field(foreign_key="branch.id", ondelete="CASCADE")
    name: str
    password: str
    no_login: bool = False
    created_at: str
    updated_at: str


class DatabaseRow(SQLModel, table=True):
    """A database made through the API."""

    __tablename__ = "database"
    __table_args__ = (UniqueConstraint("branch_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    branch_id: str = Field(foreign_key="branch.id", ondelete="CASCADE")
    name: str
    owner_name: str
    created_at: str
    updated_at: str


class OperationRow(SQLModel, table=True):
    """An intent, durable before anything is done about it, and a record afterwards."""

    __tablename__ = "operation"
    __table_args__ = (
        CheckConstraint("status in ('scheduling', 'running', 'finished', 'failed', 'cancelled')"),
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    # neondba: ignore[NDB702] the record of a deletion outlives the project
    project_id: str = Field(index=True)
    # neondba: ignore[NDB702] as above, for the branch
    branch_id: str | None = None
    endpoint_id: str | None = None  # neondba: ignore[NDB702] as above
    action: str
    status: str = "scheduling"
    error: str | None = None
    failures_count: int = 0
    created_at: str
    updated_at: str
    total_duration_ms: int = 0
    arguments: str = "{}"
    """JSON: what the action needs beyond the ids. Never a secret."""
