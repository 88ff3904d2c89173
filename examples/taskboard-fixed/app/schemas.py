"""What clients may send. Nobody sends a `user_id`: it comes from the token."""

from decimal import Decimal

from pydantic import AwareDatetime
from sqlmodel import Field, SQLModel

from app.models import TaskPriority, TaskStatus


class BoardCreate(SQLModel):
    """A new board."""

    name: str = Field(min_length=1, max_length=120)
    color: str = Field(default="#888888", max_length=7)


class TaskCreate(SQLModel):
    """A new task."""

    board_id: int
    title: str = Field(min_length=1, max_length=200)
    priority: TaskPriority = TaskPriority.normal
    cost: Decimal = Field(default=Decimal(0), max_digits=12, decimal_places=2)
    due_at: AwareDatetime | None = None


class TaskUpdate(SQLModel):
    """The fields of a task that change."""

    title: str | None = Field(default=None, max_length=200)
    status: TaskStatus | None = None
    priority: TaskPriority | None = None
    cost: Decimal | None = Field(default=None, max_digits=12, decimal_places=2)
    due_at: AwareDatetime | None = None


class CommentCreate(SQLModel):
    """A new comment."""

    body: str = Field(min_length=1, max_length=2000)
