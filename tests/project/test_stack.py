"""What a folder is built with, and which variables it reads for its database."""

from __future__ import annotations

import json

import pytest

from neondba.project.facts import Facts
from neondba.project.stack import App, Stack
from neondba.project.stack_variables import Use, use_of
from neondba.project.tree import MemoryTree

EXAMPLE_URL = "postgresql+asyncpg://user:" + "pass@localhost/app"


def stack(files: dict[str, str]) -> Stack:
    return Facts(MemoryTree(files)).get(Stack)


def only(files: dict[str, str]) -> App:
    found = stack(files).using
    assert len(found) == 1
    return found[0]


def package(**needs: str) -> str:
    return json.dumps({"dependencies": needs}, indent=1)


def test_a_fastapi_project_is_known_by_the_lines_of_its_manifest() -> None:
    app = only(
        {
            "pyproject.toml": "[project]\ndependencies = [\n"
            '  "fastapi>=0.120",\n  "sqlmodel",\n  "psycopg[binary]"\n]\n',
            "app/db.py": "import os\nfrom sqlmodel import create_engine\n"
            'engine = create_engine(os.environ["DATABASE_URL"])\n',
        }
    )
    assert app.built_with == "FastAPI, SQLModel, psycopg"
    assert [(e.name, e.path, e.line) for e in app.evidence][:2] == [
        ("FastAPI", "pyproject.toml", 3),
        ("SQLModel", "pyproject.toml", 4),
    ]
    assert [(v.name, v.use, v.path, v.line) for v in app.variables] == [
        ("DATABASE_URL", Use.POOLED, "app/db.py", 3)
    ]


@pytest.mark.parametrize(
    ("text", "major"), [("^5.22.0", 5), ("~6.1", 6), ("7.0.1", 7)], ids=["five", "six", "seven"]
)
def test_prisma_is_told_apart_by_its_major_version(text: str, major: int) -> None:
    schema = (
        'datasource db {\n provider = "postgresql"\n url = env("DATABASE_URL")\n'
        ' directUrl = env("DIRECT_URL")\n}\n'
    )
    app = only({"package.json": package(prisma=text), "prisma/schema.prisma": schema})
    assert (app.is_prisma, app.prisma_major) == (True, major)
    assert {(v.name, v.use, v.line) for v in app.variables} == {
        ("DATABASE_URL", Use.POOLED, 3),
        ("DIRECT_URL", Use.DIRECT, 4),
    }


@pytest.mark.parametrize(
    ("path", "code", "name"),
    [
        ("drizzle.config.ts", "dbCredentials: { url: process.env.POSTGRES_URL! }", "POSTGRES_URL"),
        ("prisma.config.ts", 'datasource: { url: env("DIRECT_URL") }', "DIRECT_URL"),
        ("src/db.module.ts", "config.getOrThrow<string>('DATABASE_URL')", "DATABASE_URL"),
        ("lib/db.js", "const { DATABASE_URL } = process.env", "DATABASE_URL"),
        ("db.go", 'pgxpool.New(ctx, os.Getenv("DATABASE_URL"))', "DATABASE_URL"),
        ("config.go", 'URL string `env:"DB_DSN,required"`', "DB_DSN"),
        ("settings.py", "DATABASES = {'default': dj_database_url.config(conn_max_age=60)}", "DATABASE_URL"),
        ("settings.py", "DATABASES = {'default': env.db()}", "DATABASE_URL"),
    ],
)  # fmt: skip
def test_a_variable_is_found_however_the_code_reads_it(path: str, code: str, name: str) -> None:
    assert [v.name for v in stack({path: code + "\n"}).using[0].variables] == [name]


def test_parts_of_an_address_count_only_together() -> None:
    code = "import os\nhost, user = os.environ['POSTGRES_SERVER'], os.environ['POSTGRES_USER']\n"
    assert {v.use for v in only({"a.py": code}).variables} == {Use.HOST, Use.USER}
    assert only({"a.py": "import os\nport = os.environ['DB_PORT']\n"}).variables == ()


@pytest.mark.parametrize(
    "name",
    ["MONGODB_URL", "REDIS_URL", "MYSQL_DATABASE_URL", "TEST_DATABASE_URL", "SHADOW_DATABASE_URL",
     "NEON_API_KEY", "BETTER_AUTH_URL", "DEBUG"],
)  # fmt: skip
def test_a_variable_of_something_else_is_left_alone(name: str) -> None:
    assert use_of(name) is None


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("DATABASE_URL", Use.POOLED), ("ASYNC_DATABASE_URL", Use.POOLED),
        ("SQLALCHEMY_DATABASE_URI", Use.POOLED), ("TASKFLOW_CHATKIT_DATABASE_URL", Use.POOLED),
        ("POSTGRES_PRISMA_URL", Use.POOLED), ("DB_DSN", Use.POOLED), ("DATABASE_URL_UNPOOLED", Use.DIRECT),
        ("DIRECT_URL", Use.DIRECT), ("POSTGRES_URL_NON_POOLING", Use.DIRECT),
        ("MIGRATION_DATABASE_URL", Use.DIRECT), ("PGHOST", Use.HOST), ("DB_NAME", Use.DATABASE),
        ("POSTGRES_SERVER", Use.HOST), ("PGPASSWORD", Use.PASSWORD), ("DB_SSLMODE", Use.SSLMODE),
    ],
)  # fmt: skip
def test_a_name_tells_what_it_is_to_hold(name: str, use: Use) -> None:
    assert use_of(name) is use


def test_settings_that_forbid_other_names_are_noticed() -> None:
    code = (
        "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
        "class Settings(BaseSettings):\n"
        "    model_config = SettingsConfigDict(env_file='../.env'{extra})\n"
        "    database_url: str\n"
    )
    files = {"backend/requirements.txt": "fastapi\nsqlmodel\npsycopg\n", "README.md": "x"}
    closed = only({**files, "backend/settings.py": code.format(extra="")})
    opened = only({**files, "backend/settings.py": code.format(extra=", extra='ignore'")})
    assert (closed.forbids_others, opened.forbids_others) == (True, False)
    assert (closed.folder, closed.env_folder) == ("backend", "")


def test_a_prefix_and_an_alias_of_settings_are_part_of_the_name() -> None:
    code = (
        "from pydantic import Field\nfrom pydantic_settings import BaseSettings, SettingsConfigDict\n"
        "class Settings(BaseSettings):\n"
        "    model_config = SettingsConfigDict(env_prefix='APP_')\n"
        "    database_url: str\n"
        "    direct: str = Field(alias='DIRECT_URL')\n"
    )
    app = only({"requirements.txt": "sqlmodel\n", "settings.py": code})
    assert app.variables[0].name == "APP_DATABASE_URL"


def test_the_programs_of_a_repository_are_kept_apart() -> None:
    found = stack(
        {
            "package.json": package(turbo="2"),
            "apps/web/package.json": package(next="15", pg="8"),
            "apps/web/lib/db.ts": "new Pool({ connectionString: process.env.DATABASE_URL })",
            "apps/docs/package.json": package(next="15"),
            "services/api/requirements.txt": "fastapi\nsqlalchemy\nasyncpg\n",
            "services/api/db.py": "import os\nfrom sqlalchemy.ext.asyncio import create_async_engine\n"
            "engine = create_async_engine(os.environ['DATABASE_URL'])\n",
            "services/api/.env.example": f"DATABASE_URL={EXAMPLE_URL}\n",
        }
    )
    assert [(a.folder, a.language, a.env_folder) for a in found.using] == [
        ("apps/web", "node", "apps/web"),
        ("services/api", "python", "services/api"),
    ]
    assert found.using[1].variables[0].scheme == "postgresql+asyncpg"


def test_what_code_does_with_the_scheme_is_read() -> None:
    files = {"requirements.txt": "sqlalchemy==2.0.44\nasyncpg\n"}
    code = "import os\nurl = os.environ['DATABASE_URL'].replace('postgresql://', 'postgresql+asyncpg://')\n"
    alembic = "config.set_main_option('sqlalchemy.url', url.replace('+asyncpg', ''))\n"
    how = only({**files, "db.py": code, "alembic/env.py": alembic}).handling
    assert (how.turned_to, how.unturned, how.no_percent, how.plain_is_psycopg2) == (
        "asyncpg",
        True,
        True,
        True,
    )


def test_a_lock_file_tells_what_a_plain_address_means() -> None:
    files = {"pyproject.toml": '[project]\ndependencies = ["sqlalchemy>=2", "psycopg2-binary"]\n'}
    lock = '[[package]]\nname = "sqlalchemy"\nversion = "{}"\n'
    assert only(files).handling.plain_is_psycopg2 is None
    assert only({**files, "uv.lock": lock.format("2.0.44")}).handling.plain_is_psycopg2 is True
    assert only({**files, "uv.lock": lock.format("2.1.9")}).handling.plain_is_psycopg2 is False


def test_a_program_that_makes_its_tables_is_noticed_and_migrations_are_not() -> None:
    files = {
        "requirements.txt": "sqlmodel\npsycopg\n",
        "alembic/versions/1.py": "op.execute('CREATE TABLE a ()')\n",
    }
    assert only(files).makes_tables is None
    made = {**files, "main.py": "from sqlmodel import SQLModel\n\nSQLModel.metadata.create_all(engine)\n"}
    assert only(made).makes_tables == ("main.py", 3)


def test_an_example_tells_more_of_what_is_wanted_than_a_file_that_was_written() -> None:
    files = {
        "package.json": package(pg="8"),
        "env.ts": "z.object({ DATABASE_CONNECTION: z.string() }).parse(process.env)",
        ".env.example": "DATABASE_CONNECTION=\n",
        ".env": "DATABASE_CONNECTION=x\nDATABASE_URL_UNPOOLED=y\n",
    }
    assert [v.name for v in only(files).variables] == ["DATABASE_CONNECTION"]


def test_an_empty_folder_is_built_with_nothing() -> None:
    app = only({})
    assert (app.language, app.built_with, app.variables) == ("", "nothing that is known", ())
