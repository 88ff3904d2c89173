"""The tables. `user_id` is Better Auth's user; row-level security reads it in every table."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, Enum, false, text
from sqlmodel import Field, SQLModel


class TaskStatus(StrEnum):
    """How far a task is."""

    open = "open"
    doing = "doing"
    done = "done"


class TaskPriority(StrEnum):
    """How much a task matters."""

    low = "low"
    normal = "normal"
    high = "high"


def now() -> datetime:
    """Give the time with its zone."""
    return datetime.now(UTC)


class Board(SQLModel, table=True):
    """A board and its owner."""

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    name: str = Field(max_length=120)
    color: str = Field(
        default="#888888", max_length=7, sa_column_kwargs={"server_default": "#888888"}
    )
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class Task(SQLModel, table=True):
    """A task on a board."""

    __table_args__ = (CheckConstraint("status IN ('open', 'doing', 'done')", "task_status_known"),)

    id: int | None = Field(default=None, primary_key=True)
    board_id: int = Field(foreign_key="board.id", ondelete="CASCADE", index=True)
    user_id: str = Field(index=True)
    title: str = Field(max_length=200)
    # Release 1.3 still reads `done`; it is written beside `status` until that release is gone.
    done: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    status: str = Field(
        default=TaskStatus.open, max_length=20, sa_column_kwargs={"server_default": "open"}
    )
    priority: TaskPriority = Field(
        default=TaskPriority.normal,
        sa_type=Enum(TaskPriority, name="task_priority"),
        sa_column_kwargs={"server_default": text("'normal'")},
    )
    cost: Decimal = Field(default=Decimal(0), max_digits=12, decimal_places=2)
    due_at: datetime | None = Field(default=None, index=True, sa_type=DateTime(timezone=True))
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))


class Comment(SQLModel, table=True):
    """A remark on a task."""

    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id", ondelete="CASCADE", index=True)
    user_id: str = Field(index=True)
    body: str = Field(max_length=2000)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
