"""Engines and pools: settings are followed to where they are written."""

from __future__ import annotations

import pytest

from neondba.project.engines import Engine, Engines
from neondba.project.facts import Facts
from neondba.project.services import Services
from neondba.project.tree import MemoryTree

HEAD = "from fastapi import FastAPI\nfrom sqlmodel import create_engine\nfrom app.settings import settings\n"


def engines(code: str, path: str = "app/db.py") -> list[Engine]:
    return Facts(MemoryTree({path: HEAD + code, "requirements.txt": "psycopg\n"})).get(Engines).all


@pytest.mark.parametrize(
    "code",
    [
        "engine = create_engine(settings.url, pool_size=7, pool_pre_ping=True)",
        "options = {'pool_size': 7, 'pool_pre_ping': True}\nengine = create_engine(settings.url, **options)",
        "options = dict(pool_size=7)\noptions['pool_pre_ping'] = True\nengine = create_engine(settings.url, "
        "**options)",
        "options = {}\noptions.update(pool_size=7, pool_pre_ping=True)\nengine = create_engine(settings.url, "
        "**options)",
        "def options():\n    return {'pool_size': 7, 'pool_pre_ping': True}\nengine = "
        "create_engine(settings.url, **options())",
        "base = {'pool_size': 7}\nengine = create_engine(settings.url, **{**base, 'pool_pre_ping': True})",
        "SIZE = 7\ndef make():\n    o = {'pool_size': SIZE}\n    o['pool_pre_ping'] = 1\n    return "
        "create_engine('x', **o)",
    ],
)
def test_settings_in_dictionaries_are_followed(code: str) -> None:
    [engine] = engines(code)
    assert engine.is_complete
    assert engine.number("pool_size") == 7
    assert "pool_pre_ping" in engine.keywords


def test_settings_from_elsewhere_leave_the_call_incomplete() -> None:
    [engine] = engines("from app.settings import options\nengine = create_engine(settings.url, **options)")
    assert not engine.is_complete


def test_a_number_may_be_the_default_of_a_variable() -> None:
    [engine] = engines(
        "import os\nengine = create_engine(settings.url, pool_size=int(os.getenv('SIZE', '12')))"
    )
    assert engine.number("pool_size") == 12


def test_the_branches_of_an_if_about_sqlite_are_told_apart() -> None:
    code = (
        "if settings.url.startswith('sqlite'):\n    engine = create_engine(settings.url)\n"
        "else:\n    engine = create_engine(settings.url, pool_size=5)\n"
    )
    assert [engine.backend for engine in engines(code)] == ["sqlite", "postgres"]


def test_engines_of_tests_migrations_and_scripts_are_not_the_apps() -> None:
    for path in ("tests/conftest.py", "alembic/env.py", "scripts/seed.py", "backend/migrate_users.py"):
        [engine] = engines("engine = create_engine(settings.url)", path)
        assert not engine.is_of_the_app


def test_a_program_is_the_folder_of_its_manifest() -> None:
    files = {
        "api/pyproject.toml": "dependencies = ['psycopg']",
        "api/src/db.py": HEAD,
        "tool/setup.py": "",
        "tool/run.py": "",
    }
    services = Facts(MemoryTree(files)).get(Services)
    assert services.serves("api/src/db.py")
    assert services.uses_postgres("api/src/db.py")
    assert not services.serves("tool/run.py")
