from datetime import datetime

from sqlmodel import Field, SQLModel

from app.models import TaskPriority, TaskStatus


class BoardCreate(SQLModel):
    name: str = Field(min_length=1, max_length=120)
    color: str = Field(default="#888888", max_length=7)


class TaskCreate(SQLModel):
    board_id: int
    title: str = Field(min_length=1, max_length=200)
    priority: TaskPriority = TaskPriority.normal
    cost: float = 0
    due_at: datetime | None = None


class TaskUpdate(SQLModel):
    title: str | None = Field(default=None, max_length=200)
    status: TaskStatus | None = None
    priority: TaskPriority | None = None
    cost: float | None = None
    due_at: datetime | None = None


class CommentCreate(SQLModel):
    body: str = Field(min_length=1, max_length=2000)
