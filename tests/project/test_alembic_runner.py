"""The child's environment leads to the branch whatever the project calls its address."""

from __future__ import annotations

from pathlib import Path

import pytest

from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.project.alembic_runner.child import read_revision
from neondba.project.alembic_runner.environment import Names, as_scheme, names_in, schemes_to_try, variables
from neondba.project.alembic_runner.history import Revision, in_order
from neondba.project.alembic_runner.locate import alembic_config, interpreters

PASSWORD = "pw" + "-of-a-branch"
NEON = f"postgresql://me:{PASSWORD}@ep-x.eu.example/db?sslmode=require&channel_binding=require"
LOCAL = f"postgresql://me:{PASSWORD}@127.0.0.1:55/db?options=endpoint%3Dep-x&sslmode=require"


@pytest.mark.parametrize(
    "name",
    ["DATABASE_URL", "DATABASE_URL_UNPOOLED", "DIRECT_URL", "POSTGRES_URL_NON_POOLING",
     "SQLALCHEMY_DATABASE_URI", "APP_DB_DSN", "NEON_DATABASE_URL", "TEST_DATABASE_URL"],
)  # fmt: skip
def test_every_name_of_an_address_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "settings.py").write_text(f"{name.lower()}: str\n")
    assert name in names_in(tmp_path).addresses


def test_parts_of_an_address_are_found(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("POSTGRES_SERVER=\nPOSTGRES_PASSWORD=\nDB_NAME=\nSMTP_HOST=\n")
    parts = names_in(tmp_path).parts
    assert parts == {"POSTGRES_SERVER": "host", "POSTGRES_PASSWORD": "password", "DB_NAME": "database"}


def test_the_driver_that_the_project_writes_is_tried_first(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("DATABASE_URL=postgresql+asyncpg://u:p@localhost/db\n")
    assert schemes_to_try(names_in(tmp_path))[0] == "postgresql+asyncpg"


def test_asyncpg_gets_no_parameter_that_it_refuses() -> None:
    assert as_scheme(NEON, "postgresql+asyncpg").endswith("/db?ssl=require")
    assert "sslmode=require" in as_scheme(NEON, "postgresql+psycopg")


def test_an_endpoint_in_options_moves_into_the_password() -> None:
    names = Names(addresses=("DATABASE_URL",), parts={"PG_PASSWORD": "password"}, schemes=())
    given = {k: v.reveal() for k, v in variables(names, Secret(LOCAL), "postgresql").items()}
    assert (
        given["DATABASE_URL"] == f"postgresql://me:endpoint=ep-x${PASSWORD}@127.0.0.1:55/db?sslmode=require"
    )
    assert given["PG_PASSWORD"] == f"endpoint=ep-x${PASSWORD}"
    assert "%" not in given["DATABASE_URL"]


def test_every_variable_is_a_secret_when_printed() -> None:
    names = Names(addresses=("DATABASE_URL",), parts={}, schemes=())
    assert PASSWORD not in str(variables(names, Secret(NEON), "postgresql"))


def test_revisions_run_after_those_they_build_on() -> None:
    def revision(name: str, *parents: str, needs: tuple[str, ...] = ()) -> Revision:
        return Revision(id=name, parents=parents, needs=needs, file=f"{name}.py")

    shuffled = [
        revision("join", "b", "a"),
        revision("b", "base"),
        revision("base"),
        revision("a", "base", needs=("b",)),
    ]
    assert [r.id for r in in_order(shuffled, [])] == ["base", "b", "a", "join"]


def test_a_revision_is_read_without_running_its_file(tmp_path: Path) -> None:
    file = tmp_path / "r.py"
    file.write_text(
        '"""Title\n\nmore"""\nraise SystemExit\nrevision: str = "r"\ndown_revision = ("a", "b")\n'
        "def upgrade(): ...\ndef downgrade():\n    'nothing'\n    pass\n"
    )
    found = read_revision(file)
    assert found is not None
    assert (found["id"], found["parents"], found["title"]) == ("r", ["a", "b"], "Title")
    assert found["downgrade"] == "empty"
    (tmp_path / "helper.py").write_text("x = 1\n")
    assert read_revision(tmp_path / "helper.py") is None


def test_the_projects_own_python_is_tried_first(tmp_path: Path) -> None:
    own = tmp_path / "backend" / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    found = interpreters(tmp_path / "backend" / "alembic.ini", tmp_path)
    assert found[0] == own
    assert interpreters(tmp_path / "alembic.ini", tmp_path, "backend/.venv/bin/python") == [own]
    with pytest.raises(Problem, match="There is no"):
        interpreters(tmp_path / "alembic.ini", tmp_path, "no/python")


def test_a_configuration_in_pyproject_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.alembic]\nscript_location = 'm'\n")
    assert alembic_config(tmp_path).name == "pyproject.toml"


def test_a_configuration_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        alembic_config(tmp_path, "nowhere.ini")
    assert caught.value.code == "alembic-config-not-found"
