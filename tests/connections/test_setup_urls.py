"""What `setup` writes into a variable, for each driver and each way of handling an address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neondba.connections.setup_urls import Reach, client_of, value
from neondba.core.secret import Secret
from neondba.neon.connection_string import parse
from neondba.project.facts import Facts
from neondba.project.stack import App, Stack
from neondba.project.stack_variables import Use
from neondba.project.tree import MemoryTree

PASSWORD = "drawn"
QUERY = "sslmode=require&channel_binding=require"
LOCAL = "127.0.0.1:5432/neondb"
CLOUD = Reach(
    parse(f"postgresql://app:{PASSWORD}@ep-a-b-12345678-pooler.eu.aws.neon.tech/neondb?{QUERY}"),
    parse(f"postgresql://app:{PASSWORD}@ep-a-b-12345678.eu.aws.neon.tech/neondb?{QUERY}"),
)
HERE = Reach(
    parse(f"postgresql://app:{PASSWORD}@{LOCAL}?options=endpoint%3Dep-a-b-12345678-pooler&{QUERY}"),
    parse(f"postgresql://app:{PASSWORD}@{LOCAL}?options=endpoint%3Dep-a-b-12345678&{QUERY}"),
    Path("/ca.crt"),
)
SYNC = {
    "db.py": "import os\nfrom sqlalchemy import create_engine\n"
    "e = create_engine(os.environ['DATABASE_URL'])\n"
}
ASYNC = {
    "db.py": "import os\nfrom sqlalchemy.ext.asyncio import create_async_engine\n"
    "e = create_async_engine(os.environ['DATABASE_URL'])\n"
}
PLAIN = {"db.py": "import os\nurl = os.environ['DATABASE_URL']\n"}
NODE = {"db.ts": "const url = process.env.DATABASE_URL"}
GO_PGX = {"go.mod": "module a\nrequire github.com/jackc/pgx/v5 v5.7.2\n"}
GO = {"main.go": 'url := os.Getenv("DATABASE_URL")'}


def app(files: dict[str, str]) -> App:
    return Facts(MemoryTree(files)).get(Stack).using[0]


def needs(*names: str) -> dict[str, str]:
    return {"requirements.txt": "\n".join(names)}


def package(*names: str) -> dict[str, str]:
    return {"package.json": json.dumps({"dependencies": dict.fromkeys(names, "1")})}


def written(files: dict[str, str], reach: Reach, old: str | None = None) -> str:
    found = app(files)
    variable = found.using(Use.POOLED)[0]
    return value(found, variable, reach, Secret(old) if old else None).reveal()


CASES = [
    ({**needs("sqlalchemy", "psycopg[binary]"), **SYNC}, "postgresql+psycopg", QUERY),
    ({**needs("sqlalchemy", "psycopg2-binary"), **SYNC}, "postgresql+psycopg2", QUERY),
    ({**needs("sqlalchemy==2.0.44", "psycopg2-binary"), **SYNC}, "postgresql", QUERY),
    ({**needs("sqlalchemy", "asyncpg"), **ASYNC}, "postgresql+asyncpg", "ssl=require"),
    ({**needs("sqlalchemy", "psycopg"), **ASYNC}, "postgresql+psycopg", QUERY),
    ({**needs("psycopg"), **PLAIN}, "postgresql", QUERY),
    ({**needs("asyncpg"), **PLAIN}, "postgresql", "sslmode=require"),
    ({**package("pg"), **NODE}, "postgresql", "sslmode=verify-full"),
    ({**package("postgres"), **NODE}, "postgresql", "sslmode=verify-full"),
    ({**package("@neondatabase/serverless"), **NODE}, "postgresql", QUERY),
    ({**GO_PGX, **GO}, "postgresql", "sslmode=verify-full"),
]


@pytest.mark.parametrize(("files", "scheme", "query"), CASES)
def test_each_driver_gets_the_form_that_it_takes(files: dict[str, str], scheme: str, query: str) -> None:
    host = "ep-a-b-12345678-pooler.eu.aws.neon.tech/neondb"
    assert written(files, CLOUD) == f"{scheme}://app:{PASSWORD}@{host}?{query}"


def test_asyncpg_gets_the_endpoint_before_the_password_where_no_name_tells_it() -> None:
    files = {**needs("sqlalchemy", "asyncpg"), **ASYNC}
    mark = "endpoint=ep-a-b-12345678-pooler;"
    assert written(files, HERE) == f"postgresql+asyncpg://app:{mark}{PASSWORD}@{LOCAL}?ssl=require"


def test_no_percent_goes_to_an_alembic_that_reads_one_as_its_own() -> None:
    alembic = "config.set_main_option('sqlalchemy.url', os.environ['DATABASE_URL'])\n"
    files = {**needs("sqlalchemy", "psycopg"), **SYNC, "alembic/env.py": alembic}
    assert "%" not in written(files, HERE)
    escaped = alembic.replace("'])", "'].replace('%', '%%'))")
    assert "%3D" in written({**files, "alembic/env.py": escaped}, HERE)


def test_a_scheme_that_the_code_turns_itself_stays_plain() -> None:
    turn = "url = os.environ['DATABASE_URL'].replace('postgresql://', 'postgresql+asyncpg://')\n"
    files = {**needs("sqlalchemy", "asyncpg"), "db.py": ASYNC["db.py"] + turn}
    assert written(files, CLOUD).endswith("?ssl=require")
    assert written(files, CLOUD).startswith("postgresql://")
    stripped = {**files, "db.py": files["db.py"] + "url = url.replace('?sslmode=require', '')\n"}
    assert written(stripped, CLOUD).endswith("?sslmode=require")


def test_an_address_that_migrations_turn_back_names_no_parameter_of_one_driver() -> None:
    env = "url = os.environ['DATABASE_URL'].replace('+asyncpg', '')\n"
    files = {**needs("sqlalchemy", "asyncpg", "psycopg2-binary"), **ASYNC, "alembic/env.py": env}
    assert written(files, CLOUD).endswith("/neondb")


def test_node_trusts_the_local_authority() -> None:
    assert written({**package("pg"), **NODE}, HERE).endswith("&sslmode=verify-full&sslrootcert=%2Fca.crt")


@pytest.mark.parametrize("files", [{**package("postgres"), **NODE}, {**GO_PGX, **GO}])
def test_no_certificate_is_asked_for_that_the_machine_cannot_check(files: dict[str, str]) -> None:
    assert "sslmode=require" in written(files, HERE)


def test_node_reaches_the_local_neon_by_its_address_where_names_resolve_too() -> None:
    named = parse(f"postgresql://app:{PASSWORD}@ep-a-b-12345678-pooler.localhost:5432/neondb?{QUERY}")
    found = written({**package("pg"), **NODE}, Reach(named, named.direct(), Path("/ca.crt")))
    assert "@127.0.0.1:5432/neondb?options=endpoint%3Dep-a-b-12345678-pooler&" in found


def test_the_program_s_own_parameters_stay() -> None:
    old = "postgresql://x:y@localhost/app?schema=shop&sslmode=disable"
    schema = 'datasource db {\n provider = "postgresql"\n url = env("DATABASE_URL")\n}\n'
    found = written({**package("prisma"), "prisma/schema.prisma": schema}, CLOUD, old)
    assert found.endswith(f"/neondb?{QUERY}&schema=shop")


def test_prisma_with_a_driver_of_its_own_gets_what_that_driver_takes() -> None:
    config = 'export default { datasource: { url: env("DATABASE_URL") } }'
    files = {**package("prisma", "@prisma/adapter-pg"), "prisma.config.ts": config}
    found = app(files)
    assert client_of(found, found.variables[0]) == "node-postgres"


def test_parts_name_the_endpoint_in_the_password_only_where_no_host_does() -> None:
    code = "import os\nx = [os.environ[n] for n in ()]\nh, u = os.environ['PGHOST'], os.environ['PGUSER']\n"
    found = app({**needs("psycopg"), "db.py": code + "p = os.environ['PGPASSWORD']\n"})
    password = found.using(Use.PASSWORD)[0]
    assert value(found, password, CLOUD).reveal() == PASSWORD
    assert value(found, password, HERE).reveal() == f"endpoint=ep-a-b-12345678-pooler;{PASSWORD}"
