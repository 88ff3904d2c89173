"""A connection is checked step by step, and nothing is said that was not seen."""

from __future__ import annotations

import asyncio

import asyncpg
import psycopg
import psycopg2
import pytest
import sqlalchemy
from connected import Shop, changed, closed_port, forget, listener, with_password
from psycopg import pq

from neondba import capabilities
from neondba.connections import check_use, drivers
from neondba.connections.check_results import ConnectionCheck
from neondba.connections.check_source import from_argument
from neondba.connections.drivers_used import drivers_used
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.neon.connection_string import parse

HOST = "ep-cool-river-a1b2c3d4{}.eu-central-1.aws.neon.tech"
NAME = "SHOP_DATABASE_URL"


@pytest.fixture
def checked(shop: Shop, tmp_path, monkeypatch):
    """Check a connection string that stands in the environment."""

    def run(url: str | None = None, **arguments) -> tuple[ConnectionCheck, dict[str, str]]:
        if url is not None:
            monkeypatch.setenv(NAME, url)
            arguments["variable"] = NAME
        found = capabilities.load()["connection.check"].call(shop.context(tmp_path), arguments)
        assert shop.password not in found.model_dump_json() + found.as_text(80)
        return found, {line.name: line.verdict for line in found.lines}

    return run


def said(found: ConnectionCheck, name: str) -> str:
    return next(line.said for line in found.lines if line.name == name)


def test_a_suspended_compute_shows_cold_and_warm_latency(checked, shop):
    shop.suspend()
    found, verdicts = checked(branch="main")
    assert verdicts["cold"] == "ok", said(found, "cold")
    assert "the compute was suspended" in said(found, "cold")
    assert verdicts["warm"] == verdicts["authentication"] == verdicts["channel"] == "ok"
    assert "BYPASSRLS, member of neon_superuser" in said(found, "role")
    assert "PostgreSQL 18" in said(found, "version")
    assert "max_connections 104, 7 of them reserved" in said(found, "limits")
    assert verdicts["region"] == "not checked"


def test_a_compute_that_was_awake_shows_no_cold_latency(checked, shop):
    psycopg.connect(shop.url).close()
    _, verdicts = checked(shop.url)
    assert verdicts["cold"] == "not checked"


def test_the_pooled_string_of_the_project_is_not_for_migrations(checked):
    found, verdicts = checked(branch="main", pooled=True, use="migration")
    assert verdicts["use"] == "fault"
    assert "options=endpoint%3Dep-" in next(each.do for each in found.lines if each.name == "use")
    assert found.faults == 1


def test_a_wrong_password_is_a_fault_and_the_rest_is_not_checked(checked, shop):
    found, verdicts = checked(with_password(shop.url, "not" + "it"))
    assert verdicts["authentication"] == "fault"
    assert "[password-refused]" in said(found, "authentication")
    assert {verdicts[name] for name in ("cold", "warm", "role", "version", "limits")} == {"not checked"}


def test_a_missing_password_is_not_checked(checked, shop, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", "/dev/null/none")
    _, verdicts = checked(with_password(shop.url, ""))
    assert verdicts["authentication"] == "not checked"


def test_a_closed_port_is_a_fault_and_nothing_after_it_is_claimed(checked):
    _, verdicts = checked(f"postgresql://a@127.0.0.1:{closed_port()}/b")
    assert verdicts["tcp"] == "fault"
    assert verdicts["tls"] == verdicts["authentication"] == verdicts["limits"] == "not checked"


def test_the_authority_and_the_host_name_are_checked(checked, shop):
    _, verdicts = checked(changed(shop.url, sslmode="verify-full", sslrootcert=shop.ca))
    assert verdicts["tls"] == "ok"
    found, verdicts = checked(changed(shop.url, sslmode="verify-full"))
    assert verdicts["tls"] == "fault"
    assert "local issuer" in said(found, "tls")


def test_a_server_without_encryption_is_a_fault(checked):
    with listener(b"N") as port:
        found, verdicts = checked(f"postgresql://a@127.0.0.1:{port}/b?sslmode=require")
    assert verdicts["tls"] == "fault"
    assert "so it is not Neon" in said(found, "tls")


def test_a_role_made_by_sql_is_under_row_level_security(checked, shop):
    word = "long" + "enough" + "4all"
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("drop role if exists plain_app")
        connection.execute(f"create role plain_app login password '{word}'")
    url = sqlalchemy.make_url(shop.url).set(username="plain_app", password=word)
    found, verdicts = checked(url.render_as_string(hide_password=False))
    assert verdicts["role"] == "ok"
    assert "no special attributes; row-level security holds" in said(found, "role")


def test_a_password_on_the_command_line_is_refused_and_not_repeated(shop, tmp_path):
    word = "very" + "secret9"
    for given in (
        f"postgresql://app:{word}@h/d",
        f"host=h password={word}",
        f"postgresql://h/d?password={word}",
    ):
        with pytest.raises(ArgumentProblem) as refused:
            from_argument(shop.context(tmp_path), given)
        assert refused.value.code == "password-on-command-line"
        assert word not in refused.value.report().model_dump_json()


def test_a_variable_of_env_is_found_and_the_environment_goes_before(shop, tmp_path):
    (tmp_path / ".env").write_text(f'{NAME}="postgresql://a@one/b"\n')
    ctx = shop.context(tmp_path)
    assert from_argument(ctx, NAME, {}).found_in == f"{NAME} of .env"
    assert from_argument(ctx, NAME, {NAME: "postgresql://a@two/b"}).url.host == "two"
    with pytest.raises(NotFoundProblem) as missing:
        from_argument(ctx, "DATABASE_URL", {})
    assert f"{NAME} (.env)" in (missing.value.hint or "")


@pytest.mark.parametrize(
    ("use", "direct", "pooled"),
    [
        ("app", "note", "ok"),
        ("migration", "ok", "fault"),
        ("serverless", "fault", "ok"),
        ("notify", "note", "fault"),
    ],
)
def test_pooled_and_direct_are_held_against_the_use(use, direct, pooled):
    def verdict(suffix):
        return check_use.look(parse(f"postgresql://a@{HOST.format(suffix)}/b?sslmode=require"), use)[
            0
        ].verdict

    assert (verdict(""), verdict("-pooler")) == (direct, pooled)


def test_what_the_pooler_refuses_at_the_start_is_found_in_the_string():
    url = f"postgresql://a@{HOST.format('-pooler')}/b?sslmode=require&options=-c%20search_path%3Dapp"
    (fault,) = [line for line in check_use.look(parse(url), "app") if line.verdict == "fault"]
    assert "search_path" in fault.said


FOREIGN = {"pgbouncer": "true", "connection_limit": "5", "pool_timeout": "9", "schema": "public"}


def _for(name: str, shop: Shop, **more: str) -> str:
    (driver,) = [each for each in drivers.DRIVERS if each.name == name]
    return drivers.written(driver, parse(changed(shop.url, **more))).render().reveal()


def _psycopg(url: str) -> None:
    psycopg.connect(url).close()


def _psycopg2(url: str) -> None:
    psycopg2.connect(url).close()


def _sqlalchemy(url: str) -> None:
    engine = sqlalchemy.create_engine(url)
    engine.connect().close()
    engine.dispose()


def _asyncpg(url: str) -> None:
    async def connect() -> None:
        await (await asyncpg.connect(url)).close()

    asyncio.run(connect())


@pytest.mark.parametrize(
    ("name", "connect"),
    [
        ("psycopg", _psycopg),
        ("psycopg2", _psycopg2),
        ("sqlalchemy+psycopg", _sqlalchemy),
        ("asyncpg", _asyncpg),
    ],
)
def test_the_string_as_written_for_a_driver_connects_and_the_foreign_one_does_not(shop, name, connect):
    connect(_for(name, shop, **FOREIGN))
    with pytest.raises(
        (psycopg.Error, psycopg2.Error, asyncpg.PostgresError, sqlalchemy.exc.SQLAlchemyError)
    ):
        connect(_for(name, shop) + "&pgbouncer=true")
    if name == "asyncpg":
        forget()


def test_the_parameters_of_libpq_are_those_that_it_names_itself():
    assert {each.keyword.decode() for each in pq.Conninfo.get_defaults()} == drivers.LIBPQ
    refused = set()
    for keyword in drivers.LIBPQ:
        try:
            psycopg2.extensions.parse_dsn(f"{keyword}=x")
        except psycopg2.ProgrammingError:
            refused.add(keyword)
    assert refused == drivers.LIBPQ - drivers.LIBPQ_17


def test_each_driver_says_what_it_changes():
    url = parse(
        f"postgresql://a@{HOST.format('-pooler')}/b?sslmode=require&channel_binding=require&connect_timeout=15"
    )
    advice = {each.name: drivers.advice(each, url) for each in drivers.DRIVERS}
    assert advice["psycopg"].changes == ()
    assert advice["sqlalchemy+asyncpg"].write.endswith("/b?ssl=require")
    assert any("connectionTimeoutMillis" in change for change in advice["node-postgres"].changes)
    assert "sslmode=verify-full" in advice["node-postgres"].write
    for name in ("postgres.js", "pgx", "lib/pq"):
        assert "sslmode=verify-full" in advice[name].write
    assert any("create_default_context" in change for change in advice["asyncpg"].changes)
    assert all("channel_binding" not in advice[name].write for name in ("asyncpg", "pgx", "lib/pq"))


FILES = {
    "sqlalchemy+asyncpg": {
        "requirements.txt": "fastapi\nsqlalchemy\nasyncpg\n",
        "app.py": "import os\nfrom sqlalchemy.ext.asyncio import create_async_engine\n"
        'engine = create_async_engine(os.environ["DATABASE_URL"])\n',
    },
    "prisma": {
        "package.json": '{"dependencies": {"@prisma/client": "5.0.0"}}',
        "prisma/schema.prisma": 'datasource db {\n  provider="postgresql"\n  url = env("DATABASE_URL")\n}\n',
    },
    "pgx": {"go.mod": "module shop\n\nrequire github.com/jackc/pgx/v5 v5.7.0\n", "main.go": "package main\n"},
}


@pytest.mark.parametrize("name", FILES)
def test_advice_is_for_the_driver_that_the_project_uses(tmp_path, name):
    for path, text in FILES[name].items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    url = parse(f"postgresql://app@{HOST.format('')}/neondb?sslmode=require")
    assert drivers_used(tmp_path, url) == (name,)


def test_all_drivers_are_shown_when_asked_and_none_is_invented(checked, tmp_path):
    url = f"postgresql://app@127.0.0.1:{closed_port()}/neondb?sslmode=require"
    nothing, _ = checked(url)
    assert nothing.drivers == ()
    assert "--driver NAME" in nothing.as_text(100)
    assert {each.driver for each in checked(url, driver="all")[0].drivers} == {
        d.name for d in drivers.DRIVERS
    }
    written, _ = checked(url.replace("postgresql:", "postgresql+asyncpg:"))
    assert [each.driver for each in written.drivers] == ["sqlalchemy+asyncpg"]
    assert "--driver all" in written.as_text(100)
