"""Boards, each for its owner."""

from fastapi import APIRouter, HTTPException
from sqlmodel import Session, col, func, select

from app.auth import CurrentUser
from app.database import SessionDep
from app.models import Board, Task
from app.schemas import BoardCreate

router = APIRouter(prefix="/boards", tags=["boards"])


def own_board(session: Session, board_id: int, user_id: str) -> Board:
    """Give the user's board; another's looks like none."""
    query = select(Board).where(Board.id == board_id, Board.user_id == user_id)
    board = session.exec(query).first()
    if board is None:
        raise HTTPException(404, "Board not found")
    return board


@router.get("")
def list_boards(user: CurrentUser, session: SessionDep) -> list[Board]:
    """List the user's boards."""
    return list(session.exec(select(Board).where(Board.user_id == user.id).order_by(col(Board.id))))


@router.post("", status_code=201)
def create_board(data: BoardCreate, user: CurrentUser, session: SessionDep) -> Board:
    """Create a board."""
    board = Board(user_id=user.id, **data.model_dump())
    session.add(board)
    session.commit()
    session.refresh(board)
    return board


@router.get("/{board_id}/summary")
def board_summary(board_id: int, user: CurrentUser, session: SessionDep) -> dict[str, int]:
    """Count the board's tasks by status."""
    board = own_board(session, board_id, user.id)
    query = (
        select(Task.status, func.count())
        .where(Task.board_id == board.id, Task.user_id == user.id)
        .group_by(Task.status)
    )
    return dict(session.exec(query).all())
