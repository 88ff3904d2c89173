"""The migration and the code are the project's own: Prisma, Drizzle, and none at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from neondba.access.plan import Asked, planned_at
from neondba.access.plan_results import IsolationPlanned
from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.postgres.connect import connect, trusted
from neondba.postgres.scratch import neon_like_database

Plan = Callable[..., IsolationPlanned]
_numbers = count()
TABLES = """create table "User" ("id" text primary key, "email" text not null);
create table "Note" ("id" text primary key, "userId" text not null references "User", "body" text);
"""


@pytest.fixture
def plan(server: Secret, tmp_path: Path) -> Plan:
    """Plan for a folder of these files, in a database that may have tables already."""

    def run(files: dict[str, str], there: str = "") -> IsolationPlanned:
        name = f"tools{next(_numbers)}"
        url = neon_like_database(server, name)
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        with connect(url) as session:
            session.execute(trusted(there or "select 1"))
        ctx = Context(settings=Settings(state_dir=tmp_path / ".state", step_limit=30))
        return planned_at(ctx, Asked(tmp_path, role=f"{name}_app", project=(there and name) or None), url)

    return run


def test_prisma_gets_an_index_alone_the_policies_a_way_back_and_a_client(plan: Plan, tmp_path: Path) -> None:
    planned = plan(
        {
            "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n}\n',
            "prisma/migrations/20260101000000_init/migration.sql": TABLES,
            "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
            "src/lib/prisma.ts": 'import { PrismaClient } from "@prisma/client";\n'
            "export const prisma = new PrismaClient();\n",
            "src/app.ts": 'import { prisma } from "./lib/prisma.js";\n',
        }
    )
    first, _, second, back = [tmp_path / f.path for f in planned.files if "migrations" in f.path]
    assert first.read_text() == (
        '-- CreateIndex\ncreate index concurrently "Note_userId_idx" on "Note" ("userId");\n'
    )
    assert 'create policy isolation_select on public."Note" for select' in second.read_text()
    assert back.name == "down.sql"
    assert back.read_text().count("drop policy") == second.read_text().count("create policy")
    client = (tmp_path / "src/lib/user-prisma.ts").read_text()
    assert 'import { prisma } from "./prisma.js";' in client
    assert "set_config('app.user_id', ${userId}, true)" in client
    assert "$transaction" in client


def test_drizzle_gets_a_custom_migration_that_its_journal_names(plan: Plan, tmp_path: Path) -> None:
    entry = {"idx": 0, "version": "7", "when": 1, "tag": "0000_init", "breakpoints": True}
    known = {"id": "00000000-0000-4000-8000-000000000001", "prevId": "x", "tables": {"public.Note": {}}}
    planned = plan(
        {
            "drizzle.config.ts": 'export default { dialect: "postgresql", out: "./drizzle" };\n',
            "drizzle/0000_init.sql": TABLES,
            "drizzle/meta/_journal.json": json.dumps({"dialect": "postgresql", "entries": [entry]}),
            "drizzle/meta/0000_snapshot.json": json.dumps(known),
            "src/db.ts": 'import { drizzle } from "drizzle-orm/neon-http";\n'
            "export const db = drizzle(url);\n",
            "src/auth.ts": 'import { betterAuth } from "x";\nexport const auth = betterAuth({});\n',
        }
    )
    journal = json.loads((tmp_path / "drizzle/meta/_journal.json").read_text())
    assert [e["tag"] for e in journal["entries"]] == ["0000_init", "0001_row_level_security"]
    text = (tmp_path / "drizzle/0001_row_level_security.sql").read_text()
    assert text.count("--> statement-breakpoint") + 1 == text.count(";\n--> ") + 1
    snapshot = json.loads((tmp_path / "drizzle/meta/0001_snapshot.json").read_text())
    assert (snapshot["prevId"], snapshot["tables"]) == (known["id"], known["tables"])
    assert (tmp_path / "drizzle/0001_row_level_security.down.sql").read_text().count("drop policy") == 8
    code = (tmp_path / "src/user-drizzle.ts").read_text()
    assert 'import { auth } from "./auth";' in code
    assert "auth.api.getSession({ headers })" in code
    assert any("has no transactions to hold the user" in step for step in planned.steps)


def test_a_project_without_migrations_gets_a_file_of_sql(plan: Plan, tmp_path: Path) -> None:
    planned = plan({"README.md": "# Nothing"}, there=TABLES)
    assert [f.path for f in planned.files] == ["row_level_security.sql"]
    text = (tmp_path / "row_level_security.sql").read_text()
    assert text.startswith("begin;\n")
    assert "create index" in text
    assert any("run row_level_security.sql with psql" in note for note in planned.not_written)
    assert planned.holds is True


def test_an_async_project_that_signs_in_itself_keeps_its_own_names(plan: Plan, tmp_path: Path) -> None:
    tables = TABLES.replace('"User"', "users").replace('"Note"', "note").replace('"userId"', "user_id")
    plan(
        {
            "migrations/001_init.sql": tables,
            "app/db.py": "from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker\n"
            "async def get_db():\n    async with async_sessionmaker()() as session:\n        yield session\n",
            "app/auth.py": "from fastapi import Header\nfrom jose import jwt\n"
            "async def get_current_user(authorization: str = Header()):\n"
            "    return jwt.decode(authorization)\n",
            "app/main.py": "from fastapi import Depends, FastAPI\nfrom app.auth import get_current_user\n"
            "from app.db import get_db\n\napp = FastAPI()\n\n@app.get('/notes')\n"
            "async def notes(db=Depends(get_db), user=Depends(get_current_user)):\n    return user.id\n",
        }
    )
    code = (tmp_path / "app/user_session.py").read_text()
    compile(code, "user_session.py", "exec")
    assert "from app.auth import get_current_user" in code
    assert "async def get_user_session(session: Annotated[AsyncSession, Depends(get_db)]" in code
    assert 'session.info["user_id"] = str(user.id)' in code
    assert "await session.execute(select(func.set_config" in code


SIGN_IN = """from typing import Annotated
from fastapi import Depends, FastAPI, Header
from jose import jwt
{imports}
app = FastAPI()


def current_user(authorization: str = Header()):
    return jwt.decode(authorization)


{routes}
"""
SESSION = """from sqlmodel import Session, create_engine


def get_session():
    with Session(create_engine("sqlite://")) as session:
        yield session


"""
ALIAS = """from typing import Annotated
from fastapi import Depends
SessionDep = Annotated[Session, Depends(get_session)]
"""
NOTES = """@{on}.get("/notes")
def notes(user=Depends(current_user), session=Depends(get_session)):
    return user.id
"""
ROUTER = """from fastapi import APIRouter, Depends
from app.db import get_session
from app.main import current_user

router = APIRouter()


"""
FOLLOWED = r"in (\S+), below (\w+), write `(\w+ = [^`]+)`.* from ([\w.]+): what"


@pytest.mark.parametrize(
    "layout",
    [
        {"app/main.py": SIGN_IN.format(imports="", routes=SESSION + NOTES.format(on="app"))},
        {
            "app/db.py": SESSION,
            "app/main.py": SIGN_IN.format(
                imports="from app.db import get_session", routes=NOTES.format(on="app")
            ),
        },
        {
            "app/db.py": SESSION + ALIAS,
            "app/main.py": SIGN_IN.format(
                imports="from app.db import Session, SessionDep, get_session",
                routes=NOTES.format(on="app").replace("session=Depends(get_session)", "session: SessionDep=None"),  # noqa: E501
            ),
        },
        {
            "app/db.py": SESSION,
            "app/main.py": SIGN_IN.format(
                imports="from app.db import get_session",
                routes="from app.notes import router\n\napp.include_router(router)",
            ),
            "app/notes.py": ROUTER + NOTES.format(on="router"),
        },
    ],
    ids=["one file", "sign-in beside the routes", "an alias", "routes apart"],
)  # fmt: skip
def test_what_is_written_starts_where_the_routes_own_module_tells_who_asks(
    plan: Plan, tmp_path: Path, layout: dict[str, str]
) -> None:
    tables = TABLES.replace('"User"', "users").replace('"Note"', "note").replace('"userId"', "user_id")
    planned = plan(
        {"migrations/001_init.sql": tables, "jose.py": "jwt = None\n", "app/__init__.py": "", **layout}
    )
    said = next(filter(None, (re.search(FOLLOWED, step) for step in planned.steps)))
    place, below, line, module = said.groups()
    text = (tmp_path / place).read_text()
    # Below the function is above the next thing: the routes, or what brings them in.
    head, function, rest = text.partition(f"def {below}(")
    body, _, more = rest.partition("\n\n\n")
    asked = line.partition(" ")[0]
    more = more.replace("Depends(get_session)", f"Depends({asked})").replace("SessionDep", asked)
    (tmp_path / place).write_text(
        f"from {module} import user_session_of\n{head}{function}{body}\n\n\n{line}\n\n\n{more}"
    )
    if (routes := tmp_path / "app/notes.py").exists():
        text = routes.read_text().replace("current_user\n", "current_user, get_user_session\n", 1)
        routes.write_text(text.replace("Depends(get_session)", "Depends(get_user_session)"))
    ran = subprocess.run(
        [sys.executable, "-c", "import app.main; print(len(app.main.app.openapi()['paths']))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("1\n", "")
