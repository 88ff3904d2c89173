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
    created_at: datetime | None = None
    total_duration_ms: int = 0

    @property
    def done(self) -> bool:
        """True when it has ended well."""
        return self.status in DONE

    @property
    def broken(self) -> bool:
        """True when it has ended without doing its work."""
        return self.status in BROKEN


class Owner(NeonModel):
    """Who pays for a project, as far as Neon says."""

    subscription_type: str | None = None


class AllowedIps(NeonModel):
    """Who may connect: no entry lets everybody in."""

    ips: tuple[str, ...] = ()
    protected_branches_only: bool = False


class ProjectSettings(NeonModel):
    """What a project says for all of its branches."""

    allowed_ips: AllowedIps | None = None
    block_public_connections: bool = False


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
    consumption_period_start: datetime | None = None
    """Absent in lists, like what follows."""
    owner: Owner | None = None
    settings: ProjectSettings | None = None


class Creator(NeonModel):
    """Who made something, as far as Neon says."""

    name: str | None = None


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
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    ttl_interval_seconds: int | None = None
    """How long it lived when its expiry was set; a reset counts anew."""
    last_reset_at: datetime | None = None
    init_source: str | None = None
    created_by: Creator | None = None
    compute_time_seconds: int = 0
    """Seconds times compute units of this consumption period."""
    written_data_bytes: int = 0
    restored_from: str | None = None
    """Snapshot that it was made of."""
    restored_as: str | None = None
    """Branch whose place it is to take, or whose place it took."""
    restore_status: str | None = None


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
    last_active: datetime | None = None
    started_at: datetime | None = None


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


class Snapshot(NeonModel):
    """A root branch's data as it was, kept whatever becomes of the branch."""

    id: str
    name: str
    source_branch_id: str | None = None
    lsn: str | None = None
    timestamp: datetime | None = None
    created_at: datetime
    expires_at: datetime | None = None
    manual: bool = True
    full_size: int | None = None
    diff_size: int | None = None


class RestoredSnapshot(NeonModel):
    """What comes of a snapshot that is restored."""

    branch: Branch
    endpoints: tuple[Endpoint, ...] = ()
    operations: tuple[Operation, ...] = ()


class ScheduleItem(NeonModel):
    """When snapshots are taken, in UTC, and how long they are kept."""

    frequency: str
    hour: int | None = None
    day: int | None = None
    month: int | None = None
    retention_seconds: int | None = None


class UsageMetric(NeonModel):
    """One figure of a stretch of time."""

    metric_name: str
    value: float


class UsageFrame(NeonModel):
    """The figures of one stretch of time."""

    timeframe_start: datetime
    timeframe_end: datetime
    metrics: tuple[UsageMetric, ...] = ()


class UsagePeriod(NeonModel):
    """Stretches of time under one plan."""

    consumption: tuple[UsageFrame, ...] = ()


class BranchUsage(NeonModel):
    """What a branch has used."""

    branch_id: str
    periods: tuple[UsagePeriod, ...] = ()

    def total(self, metric: str) -> float:
        """Give the sum of one metric over all periods."""
        return sum(
            each.value
            for period in self.periods
            for frame in period.consumption
            for each in frame.metrics
            if each.metric_name == metric
        )


class Organization(NeonModel):
    """An organization that owns projects."""

    id: str
    name: str
