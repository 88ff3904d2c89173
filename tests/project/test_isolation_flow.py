from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neondba.project.facts import Facts
from neondba.project.isolation.fact import Isolation
from neondba.project.isolation.judged import Binding, EntranceKind, Judged
from neondba.project.owners import Owners
from neondba.project.tree import MemoryTree

MODELS = """
from sqlmodel import Field, SQLModel

class Base(SQLModel):
    user_id: str

class Project(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: str

class ProjectMember(SQLModel, table=True):
    project_id: int = Field(primary_key=True, foreign_key="project.id")
    user_id: str = Field(primary_key=True)

class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    title: str

class Note(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    text: str

class NoteIn(Base):
    text: str
"""
HEAD = """
from fastapi import APIRouter, Depends, HTTPException, Request
from sqlmodel import Session, select, update, delete
from app.models import Note, NoteIn, Project, ProjectMember, Task
from app.deps import get_current_user, get_session

router = APIRouter()
"""
ROUTE = """
@router.{method}("/{path}")
def handle({given}, session: Session = Depends(get_session), user=Depends(get_current_user)):
"""


def judged(text: str, **more: str) -> list[Judged]:
    files = {"app/__init__.py": "", "app/models.py": MODELS, "app/main.py": HEAD + text}
    files |= {f"app/{name}.py": body for name, body in more.items()}
    return Facts(MemoryTree(files)).get(Isolation).judged


def route(body: str, given: str = "note_id: int", method: str = "put", **more: str) -> dict[str, Binding]:
    text = ROUTE.format(method=method, path="x", given=given) + "\n".join(
        f"    {b}" for b in body.split("\n")
    )
    return {j.table: j.binding for j in judged(text, **more)}


def test_only_tables_own_rows_and_columns_are_inherited() -> None:
    owners = Facts(MemoryTree({"app/models.py": MODELS})).get(Owners)
    assert {m.name: m.owners for m in owners.models.values() if m.name.startswith("Note")} == {
        "Note": ["user_id"]
    }


@pytest.mark.parametrize(
    "body",
    [
        "return session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).one()",
        "return session.exec(select(Note).filter_by(id=note_id, user_id=user.id)).one()",
        "q = select(Note)\nq = q.where(Note.user_id == str(user.id))\nsession.exec(q)",
        "own = []\nown.append(Note.user_id == user.id)\nsession.exec(select(Note).where(*own))",
        "uid = user.id\nsession.execute(update(Note).where(Note.user_id == uid).values(text=''))",
        "session.execute(delete(Note).where(Note.user_id == user.id))",
        "keys = {'id': note_id, 'user_id': user.id}\nsession.exec(select(Note).filter_by(**keys))",
        "own = select(Note.id).where(Note.user_id == user.id)\nsession.query(Note).filter(Note.id.in_(own))",
    ],
)
def test_a_condition_on_the_caller_binds(body: str) -> None:
    assert route(body) == {"Note": Binding.BOUND}


@pytest.mark.parametrize(
    "check",
    [
        "if note.user_id != user.id: raise HTTPException(403)",
        "uid = str(user.id)\nif str(note.user_id) != uid: raise HTTPException(403)",
        "if not note or not user.id == note.user_id: raise HTTPException(404)",
        "check_access(note, user)",
        "permitted = user.can_read(note)",
        "assert note.user_id == user.id",
    ],
)
def test_a_comparison_after_the_read_binds_later(check: str) -> None:
    assert route(f"note = session.get(Note, note_id)\n{check}\nreturn note") == {"Note": Binding.BOUND_LATER}


@pytest.mark.parametrize(
    "telling",
    [
        "logger.info('read', user.id)",
        "if not user: raise HTTPException(401)",
        "if user is None: raise HTTPException(401)",
        "if note.text == 'x': raise HTTPException(400)",
        "copy = NoteIn(user_id=user.id, text=note.text)",
    ],
)
def test_telling_of_the_caller_is_no_check(telling: str) -> None:
    assert route(f"note = session.get(Note, note_id)\n{telling}\nreturn note") == {"Note": Binding.OPEN}


def test_a_check_four_calls_deep_counts() -> None:
    services = """
from fastapi import HTTPException
from app.models import Note
def first(session, note_id, who): return second(session, note_id, who)
def second(session, wanted, who):
    note = session.get(Note, wanted)
    third(note, who.id)
    return note
def third(row, owner): fourth(owner, row)
def fourth(owner, row):
    if row.user_id != owner:
        raise HTTPException(404)
"""
    body = "from app.services import first\nreturn first(session, note_id, user)"
    assert route(body, services=services) == {"Note": Binding.BOUND_LATER}


def test_what_only_another_branch_checks_is_staff_or_bound() -> None:
    body = (
        "if user.is_superuser:\n    return session.exec(select(Note)).all()\n"
        "return session.exec(select(Note).where(Note.user_id == user.id)).all()"
    )
    found = judged(
        ROUTE.format(method="get", path="x", given="page: int")
        + "\n".join(f"    {b}" for b in body.split("\n"))
    )
    assert [(j.binding, j.why) for j in found] == [
        (Binding.PUBLIC, "in a branch for administrators"),
        (Binding.BOUND, "user_id is held against user.id"),
    ]


def test_rows_below_a_checked_parent_are_bound() -> None:
    body = (
        "project = session.get(Project, project_id)\n"
        "if project.owner_id != user.id: raise HTTPException(403)\n"
        "return session.exec(select(Task).where(Task.project_id == project_id)).all()"
    )
    assert route(body, "project_id: int") == {"Project": Binding.BOUND_LATER, "Task": Binding.BOUND}


def test_a_membership_binds_what_it_is_asked_for() -> None:
    body = (
        "member = session.get(ProjectMember, (project_id, user.id))\n"
        "if member is None: raise HTTPException(404)\n"
        "return session.exec(select(Task).where(Task.project_id == project_id)).all()"
    )
    assert route(body, "project_id: int") == {"Task": Binding.BOUND}


def test_rows_of_another_persons_parent_stay_open() -> None:
    body = "return session.exec(select(Task).where(Task.project_id == project_id)).all()"
    (found,) = judged(ROUTE.format(method="get", path="x", given="project_id: int") + f"    {body}")
    assert (found.binding, found.owner) == (Binding.OPEN, "project.owner_id")


def test_a_claim_that_a_dependency_compares_is_the_callers() -> None:
    deps = """
from fastapi import Depends, HTTPException
def get_session(): ...
def get_current_user(): ...
def own_path(user_id: str, user=Depends(get_current_user)):
    if user.id != user_id:
        raise HTTPException(403)
"""
    text = """
from app.deps import own_path
@router.get("/{user_id}/notes", dependencies=[Depends(own_path)])
def notes(user_id: str, session: Session = Depends(get_session), user=Depends(get_current_user)):
    return session.exec(select(Note).where(Note.user_id == user_id)).all()
"""
    (found,) = judged(text, deps=deps)
    assert found.binding is Binding.BOUND
    (found,) = judged(text.replace(", dependencies=[Depends(own_path)]", ""), deps=deps)
    assert found.binding is Binding.OPEN


def test_a_generic_repository_is_read_for_the_model_it_is_made_for() -> None:
    crud = """
from typing import Generic, TypeVar
from sqlmodel import select
from app.models import Note
T = TypeVar("T")
class CRUDBase(Generic[T]):
    def __init__(self, model): self.model = model
    def get(self, db, id): return db.get(self.model, id)
    def find(self, db, **filters): return db.exec(select(self.model).filter_by(**filters)).all()
class CRUDNote(CRUDBase[Note]): ...
notes = CRUDNote(Note)
"""
    assert route("from app.crud import notes\nreturn notes.get(session, note_id)", crud=crud) == {
        "Note": Binding.OPEN
    }
    body = "from app.crud import notes\nreturn notes.find(session, id=note_id, user_id=user.id)"
    assert route(body, crud=crud) == {"Note": Binding.BOUND}


def test_a_service_that_is_injected_knows_its_caller() -> None:
    service = """
from fastapi import Depends
from sqlmodel import select
from app.deps import get_current_user, get_session
from app.models import Note
class Notes:
    def __init__(self, session=Depends(get_session), user=Depends(get_current_user)):
        self.session, self.user = session, user
    def one(self, id): return self.session.exec(select(Note).where(Note.user_id == self.user.id)).one()
    def any(self, id): return self.session.get(Note, id)
"""
    text = """
from app.service import Notes
@router.get("/notes/{note_id}")
def read(note_id: int, notes: Notes = Depends()):
    return notes.one(note_id)
@router.delete("/notes/{note_id}")
def drop(note_id: int, notes: Notes = Depends()):
    return notes.any(note_id)
"""
    found = judged(text, service=service)
    assert [(j.entrance.name, j.binding) for j in found] == [
        ("GET /notes/{note_id}", Binding.BOUND),
        ("DELETE /notes/{note_id}", Binding.OPEN),
    ]
    assert [s.name for s in found[1].way] == ["any"]


def test_a_tool_is_told_its_caller_by_the_context_alone() -> None:
    text = """
from mcp.server.fastmcp import Context, FastMCP
mcp = FastMCP("notes")
@mcp.tool()
def own(ctx: Context, text: str):
    return session.exec(select(Note).where(Note.user_id == ctx.user_id)).all()
@mcp.tool()
def told(user_id: str):
    return session.exec(select(Note).where(Note.user_id == user_id)).all()
"""
    found = judged(text)
    assert {j.entrance.kind for j in found} == {EntranceKind.TOOL}
    assert [j.binding for j in found] == [Binding.BOUND, Binding.OPEN]


def test_a_setting_for_the_database_is_a_policy() -> None:
    deps = """
from sqlalchemy import text
def get_current_user(): ...
def get_session(user=None):
    session.execute(text("select set_config('app.user_id', :id, true)"), {"id": user.id})
"""
    assert route("return session.get(Note, note_id)", deps=deps) == {"Note": Binding.BY_POLICY}


@pytest.mark.parametrize(
    ("call", "binding"),
    [
        ("session.execute(text('select * from note where id = :id'), {'id': note_id})", Binding.OPEN),
        (
            "conn.fetchrow('select * from note where id = $1 and user_id = $2', note_id, user.id)",
            Binding.BOUND,
        ),
        ("cur.execute('delete from note where id = %s', (note_id,))", Binding.OPEN),
        ("cur.execute('delete from note where id = %s and user_id = %s', (note_id, user.id))", Binding.BOUND),
        (
            "cur.execute('update note set text = %(t)s where user_id = %(u)s', {'t': '', 'u': user.id})",
            Binding.BOUND,
        ),
        ("cur.execute('insert into note (user_id, text) values (%s, %s)', (user.id, 'x'))", Binding.BOUND),
        (
            "session.execute(text('select * from note where user_id = :u').bindparams(u=user.id))",
            Binding.BOUND,
        ),
    ],
)
def test_statements_sent_as_text_are_read(call: str, binding: Binding) -> None:
    assert list(route(f"from sqlalchemy import text\nreturn {call}").values()) == [binding]


def test_tables_that_only_sql_knows_have_owners_too() -> None:
    sql = "create table orders (id int primary key, user_id text not null);"
    text = HEAD + ROUTE.format(method="get", path="x", given="order_id: int")
    text += "    return conn.fetchrow('select * from orders where id = $1', order_id)\n"
    files = {"app/main.py": text, "app/deps.py": "", "migrations/001_orders.sql": sql}
    (found,) = Facts(MemoryTree(files)).get(Isolation).judged
    assert (found.table, found.owner, found.binding) == ("orders", "user_id", Binding.OPEN)


def test_a_function_that_is_nested_too_deeply_hides_no_other() -> None:
    deep = " + ".join(["'x'"] * 3000)
    text = ROUTE.format(method="put", path="x", given="note_id: int") + f"    return {deep}\n"
    text += ROUTE.format(method="put", path="y", given="note_id: int").replace("handle", "other")
    text += "    return session.get(Note, note_id)\n"
    assert [j.binding for j in judged(text)] == [Binding.OPEN]


def test_the_sentence_counts_every_binding() -> None:
    text = (
        ROUTE.format(method="put", path="x", given="note_id: int") + "    return session.get(Note, note_id)\n"
    )
    tree = MemoryTree({"app/models.py": MODELS, "app/main.py": HEAD + text})
    assert Facts(tree).get(Isolation).sentence == "1 statement reachable: 1 open"
    assert Facts(MemoryTree({})).get(Isolation).sentence == "no statement on rows with an owner is reachable"


PIECES = st.sampled_from(
    [
        "note = session.get(Note, note_id)", "if note.user_id != user.id: raise HTTPException(403)",
        "q = select(Note)", "q = q.where(Note.id == note_id)", "note, other = other, note", "return note",
        "for note in q: note.text = q", "q = [q for q in q if q]", "session.exec(q)", "handle(q, session)",
        "self.x = self.x.y", "note = {**note, 'q': note}", "with q as note: note = note.note.note.note.note",
        "lambda q: handle(q)", "note = note(note)(note)", "note['user_id'] = q", "del note", "q |= q",
        "def inner(note): return inner(note)", "inner(inner)", "class Inner(Inner): q = Inner()",
        "setattr(q, q, q)",
    ]
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(PIECES, max_size=9))
def test_any_mixture_of_statements_is_judged_and_ends(pieces: list[str]) -> None:
    text = ROUTE.format(method="put", path="x", given="note_id: int") + "\n".join(
        f"    {p}" for p in ["pass", *pieces]
    )
    for found in judged(text):
        assert found.why
        assert found.table == "Note"
