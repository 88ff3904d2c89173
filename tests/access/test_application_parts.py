"""What an application is given, which values its schemas accept, and what identifiers mean."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from neondba.access.application_environment import CLOSED, environment_for
from neondba.access.application_place import application_of
from neondba.access.application_process import copied, free_port, started
from neondba.access.identity_provider import identity_provider, signed_with
from neondba.access.walk_identifiers import singular
from neondba.access.walk_openapi import Document
from neondba.access.walk_values import Maker, Marks, patterned
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, Problem
from neondba.core.secret import Secret
from neondba.project.environment import Environment
from neondba.project.facts import Facts
from neondba.project.tree import FolderTree

URL = Secret("postgresql://owner:" + "pass" + "@127.0.0.1:5432/neondb?sslmode=require")
SETTINGS = """
import os
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    database_url: str
    better_auth_url: str
    jwks_url: str
    jwt_secret: str
    openai_api_key: str
    frontend_url: str = "http://localhost:3000"

settings = Settings()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "settings.py").write_text(SETTINGS)
    return tmp_path


def given(ctx: Context, folder: Path, **values: str) -> dict[str, str]:
    read = Facts(FolderTree(folder)).get(Environment)
    made = environment_for(ctx, folder, read, URL, "http://127.0.0.1:7", "postgresql+psycopg", values)
    return {name: value.reveal() for name, value in made.values.items()}


def test_the_application_gets_the_branch_and_test_keys(ctx: Context, project: Path) -> None:
    values = given(ctx, project)
    assert values["DATABASE_URL"].startswith("postgresql+psycopg://owner:")
    assert values["BETTER_AUTH_URL"] == "http://127.0.0.1:7"
    assert values["JWKS_URL"] == "http://127.0.0.1:7/api/auth/jwks"
    assert re.fullmatch("[0-9a-f]{64}", values["JWT_SECRET"])
    assert values["HTTPS_PROXY"] == CLOSED


def test_the_users_own_variables_stay_away(
    ctx: Context, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-the-user")
    monkeypatch.setenv("STRIPE_KEY", "of-the-user")
    assert "of-the-user" not in given(ctx, project).values()


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", "x"), ("OTHER", "postgresql://someone@db.example.com/production")]
)
def test_a_value_that_leads_to_another_database_is_refused(
    ctx: Context, project: Path, name: str, value: str
) -> None:
    with pytest.raises(ArgumentProblem, match=f"{name} would lead the application to another database"):
        given(ctx, project, **{name: value})


def test_the_copy_has_no_env_file_and_no_environment(project: Path) -> None:
    for name in (".env", ".env.local", ".env.example"):
        (project / name).write_text("A=1\n")
    (project / ".venv").mkdir()
    (project / "above").symlink_to(project)
    with copied(project) as copy:
        assert sorted(file.name for file in copy.iterdir()) == [".env.example", "settings.py"]
    assert not copy.exists()


@pytest.mark.parametrize(
    ("files", "base", "target"),
    [
        ({"main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}, "", "main:app"),
        (
            {
                "backend/app/main.py": "from fastapi import FastAPI\nfrom app import db\napp = FastAPI()\n",
                "backend/app/db.py": "",
            },
            "backend",
            "app.main:app",
        ),
        (
            {
                "api/src/server.py": "from fastapi import FastAPI\nfrom .db import x\nservice = FastAPI()\n",
                "api/src/db.py": "x = 1\n",
                "README.md": "uvicorn src.server:service --reload\n",
            },
            "api",
            "src.server:service",
        ),
    ],
)
def test_the_application_is_found_where_its_imports_are(
    tmp_path: Path, files: dict[str, str], base: str, target: str
) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = application_of(tmp_path, None)
    assert (found.base, found.target) == (base, target)


def test_a_project_without_an_application_is_told_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No module makes a FastAPI application") as refused:
        application_of(tmp_path, None)
    assert "--app" in (refused.value.hint or "")


def test_the_provider_publishes_the_keys_that_verify_its_tokens() -> None:
    import jwt

    with identity_provider() as provider:
        url = f"{provider.url}/api/auth/jwks"
        keys = jwt.PyJWKSet.from_dict(json.loads(urllib.request.urlopen(url).read()))
        for algorithm in ("EdDSA", "RS256"):
            token = provider.keys.signed(algorithm, provider.claims({"sub": "a"})).reveal()
            key = next(k for k in keys.keys if k.algorithm_name == algorithm)
            said = jwt.decode(token, key, algorithms=[algorithm], issuer=provider.url, audience=provider.url)
            assert said["sub"] == "a"
    key_text = "k" * 40
    assert jwt.decode(signed_with(Secret(key_text), {"sub": "b"}).reveal(), key_text, ["HS256"]) == {
        "sub": "b"
    }


DOCUMENT = Document.read(
    json.dumps(
        {
            "paths": {},
            "components": {
                "schemas": {
                    "Kind": {"enum": ["big", "small"]},
                    "Thing": {
                        "type": "object",
                        "required": ["kind", "name", "size"],
                        "properties": {
                            "kind": {"$ref": "#/components/schemas/Kind"},
                            "name": {"type": "string", "maxLength": 9},
                            "size": {"type": "integer", "exclusiveMinimum": 3},
                            "note": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]},
                            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                        },
                    },
                }
            },
        }
    )
)


def test_a_body_is_made_from_its_schema_with_marks() -> None:
    maker = Maker(DOCUMENT, Marks("prfabcde"), lambda _at, _schema: None)
    made = maker.make({"$ref": "#/components/schemas/Thing"})
    assert made["kind"] == "big"
    assert len(made["name"]) == 9
    assert made["size"] == 4
    assert made["note"].startswith("prfabcde")
    assert made["note"].endswith("@example.com")
    assert made["parts"][0]["kind"] == "big"


@pytest.mark.parametrize(
    "pattern", [r"^#[0-9a-fA-F]{6}$", r"^\d{4}-\d{2}$", "^(low|high)$", "^[A-Z]{3}-[0-9]+$"]
)
def test_a_text_is_made_that_keeps_a_pattern(pattern: str) -> None:
    made = patterned(pattern, "prfabcde0001")
    assert made is not None
    assert re.search(pattern, made)


@pytest.mark.parametrize(
    ("several", "one"),
    [("tasks", "task"), ("categories", "category"), ("boxes", "box"), ("status", "status")],
)
def test_the_singular_of_a_path_is_the_table(several: str, one: str) -> None:
    assert singular(several) == one


def test_an_application_that_does_not_start_says_why(ctx: Context, project: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no licence key for of-a-test-account')"]
    with (
        pytest.raises(Problem, match=r"(?s)ended with status 1.*no licence key for \*\*\*") as refused,
        started(ctx, command, project, {}, free_port(), ("of-a-test-account",)),
    ):
        pass
    assert refused.value.code == "application-not-started"
    assert "of-a-test-account" not in refused.value.message
    assert "--set NAME=VALUE" in (refused.value.hint or "")


KILLED = """
import os, signal, sys
from pathlib import Path
from neondba.access.application_process import copied, free_port, started, free_port, started
from neondba.core.context import Context
from neondba.core.secret import Secret

port = free_port()
command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
with copied(Path(sys.argv[1])) as copy, started(Context(), command, copy, {}, port, ()) as running:
    print(running.process.pid, copy, flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_application_and_its_copy_do_not_outlive_a_killed_proof(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(project)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as proof:
        assert proof.stdout is not None
        assert proof.stdin is not None
        pid, _, copy = proof.stdout.readline().strip().partition(" ")
        watched = os.pidfd_open(int(pid))
        try:
            proof.stdin.write("go\n")
            proof.stdin.flush()
            ended, _, _ = select.select([watched], [], [], 30)
            assert ended
        finally:
            os.close(watched)
    deadline = time.monotonic() + 30
    while Path(copy).parent.exists() and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert not Path(copy).parent.exists()


def test_what_is_secret_to_the_application_is_hidden_and_its_host_is_not(ctx: Context, project: Path) -> None:
    read = Facts(FolderTree(project)).get(Environment)
    values = {"PAYMENT_KEY": "of-a-test-account"}
    made = environment_for(ctx, project, read, URL, "http://127.0.0.1:7", "postgresql", values)
    assert {"of-a-test-account", URL.reveal()} <= set(made.hidden)
    assert "127.0.0.1" not in made.hidden
