from __future__ import annotations

from neondba.project.facts import Facts
from neondba.project.routes import Route, Routes
from neondba.project.tree import MemoryTree

DEPS = """
from typing import Annotated
from fastapi import Depends, Header, HTTPException
from fastapi.security import HTTPBearer

scheme = HTTPBearer()

def get_session(): ...

def get_current_user(token=Depends(scheme)): ...

def get_current_superuser(user=Depends(get_current_user)): ...

async def own_task(task_id: int, user=Depends(get_current_user)): ...

CurrentUser = Annotated[dict, Depends(get_current_user)]
SessionDep = Annotated[object, Depends(get_session)]
"""


def routes(text: str, **more: str) -> dict[str, Route]:
    files = {"app/__init__.py": "", "app/deps.py": DEPS, "app/api.py": text}
    files |= {f"app/{name}.py": body for name, body in more.items()}
    found = Facts(MemoryTree(files)).get(Routes)
    return {r.function.name: r for r in found.routes}


def test_an_annotated_alias_of_another_file_carries_the_caller() -> None:
    found = routes(
        "from fastapi import APIRouter\nfrom app.deps import CurrentUser, SessionDep\nrouter = APIRouter()\n"
        "@router.get('/tasks/{id}')\n"
        "def read(id: int, me: CurrentUser, session: SessionDep, page: int = 1): ...\n"
    )["read"]
    assert found.principal == "me"
    assert found.authentication is not None
    assert found.authentication.name == "get_current_user"
    assert found.client_parameters == {"id", "page"}


def test_prefixes_and_dependencies_come_from_every_inclusion_above() -> None:
    found = routes(
        "from fastapi import APIRouter\nrouter = APIRouter(prefix='/tasks')\n@router.post('')\n"
        "def make(title: str): ...\n",
        main=(
            "from fastapi import Depends, FastAPI\nfrom app.api import router\n"
            "from app.deps import get_current_user\n"
            "app = FastAPI()\n"
            "app.include_router(router, prefix='/v1', dependencies=[Depends(get_current_user)])\n"
        ),
    )["make"]
    assert (found.method, found.path) == ("POST", "/v1/tasks")
    assert found.authentication is not None
    assert found.principal is None


def test_a_session_of_the_database_is_no_sign_in() -> None:
    found = routes(
        "from fastapi import APIRouter\nfrom app.deps import SessionDep\nrouter = APIRouter()\n"
        "@router.get('/')\ndef read(session: SessionDep): ...\n"
    )["read"]
    assert found.authentication is None
    assert not found.is_for_staff


def test_a_superuser_dependency_marks_a_route_for_staff() -> None:
    found = routes(
        "from fastapi import APIRouter, Depends\nfrom app.deps import get_current_superuser\n"
        "router = APIRouter()\n"
        "@router.get('/', dependencies=[Depends(get_current_superuser)])\ndef read(): ...\n"
    )["read"]
    assert found.is_for_staff


def test_a_dependency_that_reads_the_rows_id_is_not_the_caller() -> None:
    found = routes(
        "from fastapi import APIRouter, Depends\nfrom app.deps import own_task\nrouter = APIRouter()\n"
        "@router.get('/{task_id}')\ndef read(task=Depends(own_task)): ...\n"
    )["read"]
    assert found.principal is None
    assert found.dependencies[0].read_from_request == {"task_id", "token"} - {"token"}


def test_a_middleware_that_reads_the_authorization_header_guards_all_routes() -> None:
    files = {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n@app.middleware('http')\n"
        "async def guard(request, call_next):\n    request.headers['Authorization']\n"
        "    return await call_next(request)\n"
    }
    assert Facts(MemoryTree(files)).get(Routes).has_guarding_middleware
