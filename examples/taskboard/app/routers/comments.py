from fastapi import APIRouter, HTTPException
from sqlmodel import select

from app.auth import CurrentUser
from app.database import SessionDep
from app.models import Comment, Task
from app.schemas import CommentCreate

router = APIRouter(tags=["comments"])


@router.get("/comments")
def list_own_comments(user: CurrentUser, session: SessionDep) -> list[Comment]:
    return list(session.exec(select(Comment).where(Comment.user_id == user.id)))


@router.get("/tasks/{task_id}/comments")
def list_comments(task_id: int, session: SessionDep) -> list[Comment]:
    return list(session.exec(select(Comment).where(Comment.task_id == task_id)))


@router.post("/tasks/{task_id}/comments", status_code=201)
def create_comment(
    task_id: int, data: CommentCreate, user: CurrentUser, session: SessionDep
) -> Comment:
    task = session.get(Task, task_id)
    if task is None or task.user_id != user.id:
        raise HTTPException(404, "Task not found")
    comment = Comment(task_id=task_id, user_id=user.id, body=data.body)
    session.add(comment)
    session.commit()
    session.refresh(comment)
    return comment


@router.delete("/comments/{comment_id}", status_code=204)
def delete_comment(comment_id: int, user: CurrentUser, session: SessionDep) -> None:
    comment = session.get(Comment, comment_id)
    if comment is None or comment.user_id != user.id:
        raise HTTPException(404, "Comment not found")
    session.delete(comment)
    session.commit()
