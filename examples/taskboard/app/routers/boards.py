from fastapi import APIRouter, HTTPException
from sqlalchemy import text
from sqlmodel import select

from app.auth import CurrentUser
from app.database import SessionDep
from app.models import Board
from app.schemas import BoardCreate

router = APIRouter(prefix="/boards", tags=["boards"])


@router.get("")
def list_boards(user: CurrentUser, session: SessionDep) -> list[Board]:
    return list(session.exec(select(Board).where(Board.user_id == user.id)))


@router.post("", status_code=201)
def create_board(data: BoardCreate, user: CurrentUser, session: SessionDep) -> Board:
    board = Board(user_id=user.id, **data.model_dump())
    session.add(board)
    session.commit()
    session.refresh(board)
    return board


@router.get("/{board_id}/summary")
def board_summary(board_id: int, user: CurrentUser, session: SessionDep) -> dict[str, int]:
    board = session.get(Board, board_id)
    if board is None or board.user_id != user.id:
        raise HTTPException(404, "Board not found")
    rows = session.execute(
        text("SELECT status, count(*) FROM task WHERE board_id = :board_id GROUP BY status"),
        {"board_id": board_id},
    )
    return {status: count for status, count in rows}
