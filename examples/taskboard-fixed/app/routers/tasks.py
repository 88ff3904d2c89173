"""Tasks, each for its owner."""

from fastapi import APIRouter, HTTPException
from sqlmodel import Session, col, select

from app.auth import CurrentUser
from app.database import SessionDep
from app.models import Task, TaskStatus
from app.routers.boards import own_board
from app.schemas import TaskCreate, TaskUpdate

router = APIRouter(prefix="/tasks", tags=["tasks"])


def own_task(session: Session, task_id: int, user_id: str) -> Task:
    """Give the user's task; another's looks like none."""
    task = session.exec(select(Task).where(Task.id == task_id, Task.user_id == user_id)).first()
    if task is None:
        raise HTTPException(404, "Task not found")
    return task


@router.get("")
def list_tasks(user: CurrentUser, session: SessionDep) -> list[Task]:
    """List the user's tasks."""
    return list(session.exec(select(Task).where(Task.user_id == user.id).order_by(col(Task.id))))


@router.get("/search")
def search_tasks(q: str, user: CurrentUser, session: SessionDep) -> list[Task]:
    """Find the user's tasks by words in the title."""
    query = select(Task).where(
        Task.user_id == user.id, col(Task.title).icontains(q, autoescape=True)
    )
    return list(session.exec(query))


@router.post("", status_code=201)
def create_task(data: TaskCreate, user: CurrentUser, session: SessionDep) -> Task:
    """Create a task on one of the user's boards."""
    own_board(session, data.board_id, user.id)
    task = Task(user_id=user.id, **data.model_dump())
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


@router.get("/{task_id}")
def get_task(task_id: int, user: CurrentUser, session: SessionDep) -> Task:
    """Give one of the user's tasks."""
    return own_task(session, task_id, user.id)


@router.patch("/{task_id}")
def update_task(task_id: int, data: TaskUpdate, user: CurrentUser, session: SessionDep) -> Task:
    """Change one of the user's tasks."""
    task = own_task(session, task_id, user.id)
    task.sqlmodel_update(data.model_dump(exclude_unset=True))
    task.done = task.status == TaskStatus.done
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


@router.delete("/{task_id}", status_code=204)
def delete_task(task_id: int, user: CurrentUser, session: SessionDep) -> None:
    """Delete one of the user's tasks and its comments."""
    session.delete(own_task(session, task_id, user.id))
    session.commit()
