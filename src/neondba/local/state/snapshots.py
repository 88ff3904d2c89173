"""Snapshots and the schedules that take them."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class SnapshotRow(SQLModel, table=True):
    """A branch as it was at a moment, in a directory of its own."""

    __tablename__ = "snapshot"
    id: str = Field(primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    timeline_id: str = Field(foreign_key="timeline.id", index=True, ondelete="CASCADE")
    source_branch_id: str | None = Field(
        default=None, foreign_key="branch.id", index=True, ondelete="SET NULL"
    )
    name: str
    slug: str
    lsn: str | None = None
    timestamp: str | None = None
    """The moment it shows."""
    manual: bool = True
    full_size: int | None = None
    diff_size: int | None = None
    created_at: str
    expires_at: str | None = None


class ScheduleRow(SQLModel, table=True):
    """When a branch's snapshots are taken by themselves."""

    __tablename__ = "snapshot_schedule"
    branch_id: str = Field(primary_key=True, foreign_key="branch.id", ondelete="CASCADE")
    project_id: str = Field(foreign_key="project.id", index=True, ondelete="CASCADE")
    items: str
    """JSON: the list as the client gave it."""
    created_at: str
    seen_at: str
    """What was due until then has been taken, or was not due yet when the schedule was set."""
