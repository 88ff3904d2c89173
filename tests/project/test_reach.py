from __future__ import annotations

from neondba.project.facts import Facts
from neondba.project.owners import Owners
from neondba.project.reach import Handling, Reach
from neondba.project.tree import MemoryTree

HEAD = """
from fastapi import APIRouter, Depends, HTTPException
from sqlmodel import Field, Session, SQLModel, select
from app.deps import get_current_user, get_session

router = APIRouter()

class Base(SQLModel):
    user_id: str

class Note(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    text: str

class NoteIn(Base):
    text: str

@router.get("/{note_id}")
def read(note_id: int, session: Session = Depends(get_session), user=Depends(get_current_user)):
"""


def handling(body: str) -> Handling:
    text = HEAD + "\n".join(f"    {line}" for line in body.split("\n"))
    return Facts(MemoryTree({"app/main.py": text})).get(Reach).handlings[0]


def test_only_tables_own_rows_and_columns_are_inherited() -> None:
    owners = Facts(MemoryTree({"app/main.py": HEAD + "    return 1"})).get(Owners)
    assert {m.name: m.owners for m in owners.models.values()} == {"Note": ["user_id"]}


def test_a_row_read_by_an_id_of_the_client_is_seen() -> None:
    found = handling("note = session.get(Note, note_id)\nreturn note")
    assert [(r.statement.kind, r.is_for_client_row) for r in found.reached] == [("get", True)]
    assert not found.looks_at_caller


def test_conditions_added_later_count_for_the_statement() -> None:
    found = handling(
        "q = select(Note)\nif note_id:\n    q = q.where(Note.user_id == user.id)\n"
        "return session.exec(q).all()"
    )
    assert found.reached[0].statement.names_owner


def test_looking_at_the_caller_is_recognised_in_many_forms() -> None:
    for check in (
        "if note.user_id != user.id: raise HTTPException(403)",
        "if note.user_id != uid: raise HTTPException(403)",
        "check_access(note, user)",
        "if not user.is_superuser: raise HTTPException(403)",
        "session.exec(select(Note).filter_by(user_id=user.id))",
        "permitted = user.can_read(note)",
    ):
        assert handling(
            f"uid = user.id\nnote = session.get(Note, note_id)\n{check}\nreturn note"
        ).looks_at_caller


def test_telling_of_the_caller_is_no_check() -> None:
    for telling in (
        "logger.info('read', user.id)",
        "if not user: raise HTTPException(401)",
        "if user is None: raise HTTPException(401)",
        "copy = Note(user_id=user.id, text=note.text)",
    ):
        found = handling(f"note = session.get(Note, note_id)\n{telling}\nreturn note")
        assert not found.looks_at_caller, telling
