"""A statement that somebody outside can reach, and what binds it to that somebody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntranceKind(StrEnum):
    """How a statement is set off."""

    ROUTE = "route"
    ACTION = "server action"
    PAGE = "page"
    TOOL = "tool"
    JOB = "job"


class Binding(StrEnum):
    """What keeps a statement to the rows of its caller; `OPEN` is a fault."""

    BOUND = "bound"
    """The statement names the caller, or a parent row that is the caller's."""
    BOUND_LATER = "bound later"
    """The row is compared with the caller after it is read, before it is used."""
    BY_POLICY = "by policy"
    """Row-level security narrows it, and the login role cannot bypass that."""
    PUBLIC = "public"
    """Meant for everyone, or for nobody in particular; `why` says from what that is told."""
    OPEN = "open"


@dataclass(frozen=True)
class Entrance:
    """A way in: where a request, a job or an assistant's tool begins."""

    kind: EntranceKind
    name: str
    """What a person calls it: `GET /tasks/{id}`, `deleteTask()`, `tool add_task`."""
    path: str
    line: int
    principal: str = ""
    """The expression that carries the caller, as the project writes it; empty where nobody is known."""


@dataclass(frozen=True)
class Step:
    """One call on the way from the entrance to the statement."""

    name: str
    path: str
    line: int


@dataclass(frozen=True)
class Judged:
    """One statement under one entrance, with the verdict on it."""

    entrance: Entrance
    kind: str
    """`select`, `get`, `insert`, `update` or `delete`."""
    table: str
    """The model or table in the project's own spelling."""
    owner: str
    """The owner column, or the chain of columns that leads to one: `project.owner_id`."""
    path: str
    line: int
    binding: Binding
    why: str
    """A clause that tells what was read: `compared with current_user.id in line 40`."""
    way: tuple[Step, ...] = ()
    """From the entrance's function to the statement's, the statement's own place left out."""
