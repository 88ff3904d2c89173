from fastapi import APIRouter, HTTPException
from sqlalchemy import text
from sqlmodel import select

from app.auth import CurrentUser
from app.database import SessionDep
from app.models import Board, Task
from app.schemas import TaskCreate, TaskUpdate

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.get("")
def list_tasks(user_id: str, user: CurrentUser, session: SessionDep) -> list[Task]:
    return list(session.exec(select(Task).where(Task.user_id == user_id).order_by(Task.id)))


@router.get("/search")
def search_tasks(q: str, user: CurrentUser, session: SessionDep) -> list[Task]:
    query = f"SELECT * FROM task WHERE user_id = '{user.id}' AND title ILIKE '%{q}%'"
    rows = session.execute(text(query)).mappings()
    return [Task.model_validate(dict(row)) for row in rows]


@router.post("", status_code=201)
def create_task(data: TaskCreate, user: CurrentUser, session: SessionDep) -> Task:
    board = session.get(Board, data.board_id)
    if board is None or board.user_id != user.id:
        raise HTTPException(404, "Board not found")
    task = Task(user_id=user.id, **data.model_dump())
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


@router.get("/{task_id}")
def get_task(task_id: int, user: CurrentUser, session: SessionDep) -> Task:
    task = session.get(Task, task_id)
    if task is None:
        raise HTTPException(404, "Task not found")
    return task


@router.patch("/{task_id}")
def update_task(task_id: int, data: TaskUpdate, user: CurrentUser, session: SessionDep) -> Task:
    task = session.get(Task, task_id)
    if task is None or task.user_id != user.id:
        raise HTTPException(404, "Task not found")
    task.sqlmodel_update(data.model_dump(exclude_unset=True))
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


@router.delete("/{task_id}", status_code=204)
def delete_task(task_id: int, user: CurrentUser, session: SessionDep) -> None:
    task = session.get(Task, task_id)
    if task is None or task.user_id != user.id:
        raise HTTPException(404, "Task not found")
    session.delete(task)
    session.commit()
