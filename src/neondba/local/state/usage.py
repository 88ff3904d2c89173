"""What each branch used in each hour. It outlives the branch: bills do."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class UsageRow(SQLModel, table=True):
    """One branch in one hour."""

    __tablename__ = "usage"
    branch_id: str = Field(primary_key=True)
    hour: str = Field(primary_key=True)
    """Its beginning, RFC 3339 in UTC."""
    project_id: str = Field(index=True)
    child: bool
    """True for a branch with a parent: it pays for what differs, a root for its whole size."""
    active_seconds: float = 0
    compute_unit_seconds: float = 0
    written_bytes: int = 0
    transferred_bytes: int = 0
    """Sent to clients."""
    logical_bytes: int = 0
    """The size at the hour's last sample."""
    delta_bytes: int = 0
    """What was written since the branch was made, at the hour's last sample."""
    history_bytes: int = 0
    snapshot_bytes: int = 0


class SampleRow(SQLModel, table=True):
    """Where a timeline's log and size stood when they were read last."""

    __tablename__ = "usage_sample"
    timeline_id: str = Field(primary_key=True, foreign_key="timeline.id", ondelete="CASCADE")
    first_position: int
    """The log position at the first sample, in bytes."""
    position: int
    logical_bytes: int
    limited: bool = False
    """True while the branch is over its size quota and its sessions begin read-only."""
