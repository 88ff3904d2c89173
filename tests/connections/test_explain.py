# ruff: noqa: E501
"""Every known error is found in its text, and the right line in a whole paste."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from texts import CATALOGUE, TEXTS

from neondba.connections.errors.catalogue import entries
from neondba.connections.errors.lifetime import CHECK_FIRST
from neondba.connections.explain import explain
from neondba.connections.explain_text import hits

EVERY = [(text, expected) for expected, text in TEXTS.items()] + list(CATALOGUE)


def ids(text: str) -> list[str]:
    return [hit.entry.id for hit in hits(text)]


def test_every_known_error_has_a_text_here():
    assert {entry.id for entry in entries()} == set(TEXTS)


@pytest.mark.parametrize(("text", "expected"), EVERY, ids=[e for _, e in EVERY])
def test_an_error_is_found_in_its_text(text, expected):
    found = hits(text)
    assert expected in [hit.entry.id for hit in found]
    others = [hit for hit in found if hit.entry.id != expected]
    assert all(hit.entry.tells for hit in found) or not others, [hit.entry.id for hit in found]


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda t: t.replace(" ", "\n   ")])
def test_case_and_wrapping_do_not_matter(change):
    kept = {"table-quoted"}  # Capitals are what it is about.
    lost = {e for e, text in TEXTS.items() if e not in kept and e not in ids(change(text))}
    assert lost == set()


def test_a_text_broken_at_a_width_inside_words_is_found():
    text = "ERROR:  password authentication failed for user 'neondb_owner'"
    broken = "\n".join(text[at : at + 17] for at in range(0, len(text), 17))
    assert ids(broken) == ["password-refused"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "all is well",
        "Process finished with exit code 0",
        "KeyError: 'id'",
        "TimeoutError",
        "Error: connect ECONNREFUSED 127.0.0.1:6379",
        "redis: connection refused",
    ],
)
def test_what_is_not_known_is_called_unknown(text):
    found = explain(text, None)
    assert found.errors == ()
    assert "Nothing in this text is known" in found.said


TRACEBACK = """\
INFO:     10.0.0.1:5000 - "GET /tasks HTTP/1.1" 500 Internal Server Error
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/srv/app/.venv/lib/python3.12/site-packages/sqlalchemy/engine/base.py", line 1967, in _exec_single_context
    raise ValueError("password authentication failed")
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
psycopg.errors.AdminShutdown: terminating connection due to administrator command
SSL connection has been closed unexpectedly

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/app/tasks.py", line 3, in tasks
    return session.exec(select(Task)).all()  # connection refused
sqlalchemy.exc.OperationalError: (psycopg.errors.AdminShutdown) terminating connection due to administrator command
[SQL: select 'remaining connection slots are reserved' from tasks]
(Background on this error at: https://sqlalche.me/e/20/e3q8)
"""


def test_the_line_of_a_traceback_that_tells_is_picked():
    found = explain(TRACEBACK, None)
    assert [error.id for error in found.errors] == ["terminated-suspended", "terminated-by-someone"]
    assert {error.line for error in found.errors} == {7}
    assert all(error.tells for error in found.errors)


@pytest.mark.parametrize("edge", ["E   ", "| ", "│ "])
def test_frames_around_lines_and_colours_do_not_matter(edge):
    text = "\x1b[31m" + textwrap.indent("FATAL: query_wait\u005ftimeout", edge) + "\x1b[0m"
    assert ids(text) == ["pooler-wait"]


def test_a_wrapper_without_its_reason_says_so():
    found = explain("DrizzleQueryError: Failed query: select * from connection_refused", None)
    assert [error.id for error in found.errors] == ["drizzle-query"]
    assert "not why" in found.said


def test_several_different_errors_are_all_told_in_order():
    text = 'FATAL:  too many connections for role "app"\nlater\nERROR:  deadlock detected'
    found = explain(text, None)
    assert [error.id for error in found.errors] == ["role-limit", "write-conflict"]
    assert [error.line for error in found.errors] == [1, 3]


def test_a_password_in_the_text_is_not_repeated():
    word = "very" + "secret9"
    text = f'invalid connection option "postgresql+psycopg://app:{word}@host/db"'
    assert word not in explain(text, None).model_dump_json()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    word = "npg_" + "Ab3dEf6hIj9k"
    host = "ep-cool-river-a1b2c3d4-pooler.eu-central-1.aws.neon.tech"
    files = {
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["sqlalchemy", "psycopg[binary]"]\n',
        "app/db.py": "import os\nfrom sqlalchemy import create_engine\n\n"
        "maker = create_engine(os.environ['SHOP_DATABASE_URL'], pool_size=5)\n",
        "app/tasks.py": "def tasks():\n    ...\n    return 1\n",
        ".env": f'# ours\nSHOP_DATABASE_URL="postgresql://app:{word}@{host}/shop?sslmode=require'
        '&channel_binding=require&options=-c%20search_path%3Dapp"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_project_shows_the_frame_the_engine_and_the_change(project):
    first = explain(TRACEBACK, project).errors[0]
    assert [(place.path, place.line) for place in first.places] == [("app/tasks.py", 3), ("app/db.py", 4)]
    assert "maker" not in (first.snippet or "")
    assert "pool_pre_ping=True" in (first.snippet or "")
    assert "os.environ['SHOP_DATABASE_URL']" in (first.snippet or "")


def test_a_check_that_the_code_has_is_not_advised_again(project):
    assert explain(TRACEBACK, project).errors[0].steps[0] == CHECK_FIRST
    call = "maker = create_engine(os.environ['SHOP_DATABASE_URL'], pool_pre_ping=True)\n"
    (project / "app/db.py").write_text("import os\nfrom sqlalchemy import create_engine\n" + call)
    first = explain(TRACEBACK, project).errors[0]
    assert CHECK_FIRST not in first.steps
    assert "(app/db.py:3)" in first.steps[0]


def test_settings_that_a_call_has_are_kept_beside_the_new_one(project):
    call = "maker = create_engine(os.environ['SHOP_DATABASE_URL'], connect_args={'application_name': 'x'})\n"
    (project / "app/db.py").write_text("import os\nfrom sqlalchemy import create_engine\n" + call)
    snippet = (
        explain("psycopg.errors.ConnectionTimeout: connection timeout expired", project).errors[0].snippet
    )
    assert "connect_args={'application_name': 'x', 'connect_timeout': 15}" in (snippet or "")


def test_a_project_shows_the_address_with_the_change_and_no_password(project):
    found = explain("FATAL: password authentication failed at ep-cool-river-a1b2c3d4-pooler", project)
    places = [(place.path, place.line) for place in found.errors[0].places]
    assert (".env", 2) in places
    assert ("app/db.py", 4) in places
    assert "npg_" not in found.model_dump_json()


def test_the_line_of_env_is_written_anew_for_the_driver(project):
    found = explain("TypeError: connect() got an unexpected keyword argument 'sslmode'", project)
    snippet = found.errors[0].snippet or ""
    assert snippet.startswith('# .env:2\nSHOP_DATABASE_URL="postgresql+asyncpg://app:***@ep-cool-river')
    assert "ssl=require" in snippet
    assert "channel_binding" not in snippet


def test_a_folder_without_a_project_is_said_to_be_none(tmp_path):
    found = explain("connection refused", tmp_path)
    assert found.not_checked
