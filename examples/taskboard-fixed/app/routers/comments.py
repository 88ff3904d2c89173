"""Comments on the user's own tasks."""

from fastapi import APIRouter, HTTPException
from sqlmodel import col, select

from app.auth import CurrentUser
from app.database import SessionDep
from app.models import Comment
from app.routers.tasks import own_task
from app.schemas import CommentCreate

router = APIRouter(tags=["comments"])


@router.get("/comments")
def list_own_comments(user: CurrentUser, session: SessionDep) -> list[Comment]:
    """List what the user has remarked on all tasks."""
    query = select(Comment).where(Comment.user_id == user.id).order_by(col(Comment.id))
    return list(session.exec(query))


@router.get("/tasks/{task_id}/comments")
def list_comments(task_id: int, user: CurrentUser, session: SessionDep) -> list[Comment]:
    """List the user's comments on a task."""
    query = (
        select(Comment)
        .where(Comment.task_id == task_id, Comment.user_id == user.id)
        .order_by(col(Comment.id))
    )
    return list(session.exec(query))


@router.post("/tasks/{task_id}/comments", status_code=201)
def create_comment(
    task_id: int, data: CommentCreate, user: CurrentUser, session: SessionDep
) -> Comment:
    """Comment on one of the user's tasks."""
    own_task(session, task_id, user.id)
    comment = Comment(task_id=task_id, user_id=user.id, body=data.body)
    session.add(comment)
    session.commit()
    session.refresh(comment)
    return comment


@router.delete("/comments/{comment_id}", status_code=204)
def delete_comment(comment_id: int, user: CurrentUser, session: SessionDep) -> None:
    """Delete one of the user's comments."""
    query = select(Comment).where(Comment.id == comment_id, Comment.user_id == user.id)
    comment = session.exec(query).first()
    if comment is None:
        raise HTTPException(404, "Comment not found")
    session.delete(comment)
    session.commit()
