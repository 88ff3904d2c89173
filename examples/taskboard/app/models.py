from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, Enum
from sqlmodel import Field, SQLModel


class TaskStatus(StrEnum):
    open = "open"
    doing = "doing"
    done = "done"


class TaskPriority(StrEnum):
    low = "low"
    normal = "normal"
    high = "high"


class Board(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    name: str = Field(max_length=120)
    color: str = Field(default="#888888", max_length=7)
    created_at: datetime = Field(default_factory=datetime.utcnow, sa_type=DateTime)


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    board_id: int = Field(foreign_key="board.id")
    user_id: str = Field(index=True)
    title: str = Field(max_length=200)
    status: str = Field(default=TaskStatus.open, max_length=20)
    priority: TaskPriority = Field(
        default=TaskPriority.normal, sa_type=Enum(TaskPriority, name="task_priority")
    )
    cost: float = 0
    due_at: datetime | None = Field(default=None, sa_type=DateTime)
    created_at: datetime = Field(default_factory=datetime.utcnow, sa_type=DateTime)


class Comment(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    user_id: str
    body: str = Field(max_length=2000)
    created_at: datetime = Field(default_factory=datetime.utcnow, sa_type=DateTime)
