"""Errors that Python's drivers make on the local Neon: each function fails, and its text is the test."""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Callable
from contextlib import contextmanager

import asyncpg
import psycopg
import psycopg2
import psycopg_pool
import sqlalchemy
from connected import Shop, changed, closed_port, listener, with_password
from psycopg import sql

PROVOKED: list[tuple[str, Callable[[Shop], None]]] = []
"""Ids of the errors that are to be found, and what makes one."""
PLAIN = ("sslmode", "channel_binding")


def provokes(expected: str):
    def keep(function: Callable[[Shop], None]) -> Callable[[Shop], None]:
        PROVOKED.append((expected, function))
        return function

    return keep


def psycopg_fails(expected: str, name: str, make: Callable[[Shop], str]) -> None:
    """Note a connection string that psycopg cannot connect with."""

    def run(shop: Shop) -> None:
        psycopg.connect(make(shop), connect_timeout=20).close()

    run.__name__ = name
    PROVOKED.append((expected, run))


def statement_fails(expected: str, name: str, *statements: str, pooled: bool = False) -> None:
    """Note statements of one session, of which the last fails."""

    def run(shop: Shop) -> None:
        with psycopg.connect(shop.pooled if pooled else shop.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    run.__name__ = name
    PROVOKED.append((expected, run))


def _named(shop: Shop, host: str) -> str:
    """Give a string that says another host name in TLS, and goes to the local Neon."""
    parts = sqlalchemy.make_url(shop.url)
    return (
        f"host={host} hostaddr=127.0.0.1 port={parts.port} user={parts.username} "
        f"password={parts.password} dbname={parts.database} sslmode=require"
    )


psycopg_fails(
    "endpoint-not-specified", "no_endpoint", lambda s: changed(s.url, without=("options", "channel_binding"))
)
psycopg_fails(
    "endpoint-not-found",
    "no_such_endpoint",
    lambda s: changed(s.url, options="endpoint=ep-not-there-a0b1c2d3"),
)
psycopg_fails(
    "endpoint-inconsistent",
    "two_endpoints",
    lambda s: _named(s, "ep-other-one-a0b1c2d3.localtest.me") + f" options=endpoint={s.endpoint}",
)
psycopg_fails("refused-local", "closed_port_psycopg", lambda s: f"postgresql://a@127.0.0.1:{closed_port()}/b")
psycopg_fails("socket-missing", "no_socket", lambda s: "user=a dbname=b host=/dev/null/none")
psycopg_fails("insecure", "without_tls", lambda s: changed(s.url, without=PLAIN, sslmode="disable"))
psycopg_fails(
    "certificate-unknown",
    "other_authority",
    lambda s: changed(s.url, sslmode="verify-full", sslrootcert="system"),
)
psycopg_fails(
    "certificate-other-host",
    "other_host_name",
    lambda s: (_named(s, "db.example.org") + f" sslrootcert={s.ca}").replace("=require", "=verify-full"),
)
psycopg_fails(
    "root-file-missing",
    "no_root_file",
    lambda s: changed(s.url, sslmode="verify-full", sslrootcert="/not/there/root.crt"),
)
psycopg_fails(
    "sslmode-weak", "weak_sslmode", lambda s: changed(s.url, sslmode="require", sslrootcert="system")
)
psycopg_fails("sslmode-invalid", "no_such_sslmode", lambda s: changed(s.url, sslmode="encrypted"))
psycopg_fails("password-refused", "wrong_password", lambda s: with_password(s.url, "not" + "it"))
psycopg_fails("password-missing", "no_password", lambda s: with_password(s.url, ""))
psycopg_fails("url-unreadable", "bare_percent", lambda s: with_password(s.url, "half%" + "of"))
psycopg_fails("database-missing", "no_such_database", lambda s: changed(s.url, base="nowhere"))
psycopg_fails("uri-parameter", "parameter_of_prisma", lambda s: changed(s.url, pgbouncer="true"))
psycopg_fails(
    "libpq-scheme", "scheme_of_sqlalchemy", lambda s: s.url.replace("postgresql:", "postgresql+psycopg:")
)
psycopg_fails(
    "startup-parameter",
    "search_path_pooled",
    lambda s: s.pooled.replace("options=", "options=-c%20search_path%3Dapp%20"),
)
psycopg_fails(
    "parameter-unknown", "unknown_setting", lambda s: s.url.replace("options=", "options=-c%20sparkle%3D1%20")
)

_SECOND = "create role second_one; grant second_one to current_user; create table if not exists kept (id int)"
_GONE = "drop role if exists second_one"
statement_fails("role-missing", "set_role", "set role nobody_here")
statement_fails("right-missing", "no_right", _GONE, _SECOND, "set role second_one", "select * from kept")
statement_fails(
    "not-owner", "alter_foreign", _GONE, _SECOND, "set role second_one", "alter table kept add a int"
)
statement_fails(
    "not-superuser", "superuser_only", _GONE, _SECOND, "set role second_one", "create role third_one"
)
statement_fails(
    "policy-refused-row",
    "policy",
    "drop table if exists guarded",
    "create table guarded (owner text)",
    "alter table guarded enable row level security",
    "create policy own on guarded with check (owner = 'me')",
    _GONE,
    _SECOND,
    "grant insert on guarded to second_one",
    "set role second_one",
    "insert into guarded values ('you')",
)
statement_fails("statement-timeout", "slow", "set statement_timeout = 50", "select pg_sleep(20)")
statement_fails(
    "read-only", "read_only", "set default_transaction_read_only = on", "create table never (id int)"
)
statement_fails("table-not-made", "no_table", "select * from not_made_here")
statement_fails("table-search-path", "no_table_pooled", "select * from not_on_the_path", pooled=True)
statement_fails("table-quoted", "capitals", 'select * from "Customers"')
statement_fails("prepared-exists", "prepared_twice", "prepare s0 as select 1", "prepare s0 as select 1")
statement_fails("prepared-gone", "prepared_never", "execute never_prepared")
statement_fails("in-transaction-block", "vacuum", "begin", "vacuum")


@provokes("transaction-aborted")
def aborted(shop: Shop) -> None:
    with psycopg.connect(shop.url) as connection:
        try:
            connection.execute("select 1/0")
        except psycopg.errors.DivisionByZero as error:
            error.__traceback__ = None
        try:
            connection.execute("select 1")
        except psycopg.Error as error:
            raise error from None


@provokes("cached-plan")
def changed_table(shop: Shop) -> None:
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("create table if not exists planned (a int)")
        connection.execute("select * from planned", prepare=True)
        with psycopg.connect(shop.url, autocommit=True) as other:
            other.execute("alter table planned add column b int")
        try:
            connection.execute("select * from planned", prepare=True)
        finally:
            connection.execute("drop table planned")


@provokes("lock-timeout")
def locked(shop: Shop) -> None:
    with psycopg.connect(shop.url) as holder, psycopg.connect(shop.url) as other:
        holder.execute("create table if not exists kept_locked (id int)")
        holder.commit()
        holder.execute("lock table kept_locked")
        other.execute("set lock_timeout = 50")
        other.execute("select * from kept_locked")


def _ended(shop: Shop, connection: psycopg.Connection) -> None:
    """End a session as the platform does; wait until its client may know."""
    (process,) = connection.execute("select pg_backend_pid()").fetchone()
    with psycopg.connect(shop.url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s)", (process,))
    select.select([connection.fileno()], [], [], 20)


@provokes("terminated-suspended")
def ended(shop: Shop) -> None:
    connection = psycopg.connect(shop.url, autocommit=True)
    _ended(shop, connection)
    try:
        connection.execute("select 1")
    finally:
        connection.close()


@provokes("closed-suspended")
def used_after_its_end(shop: Shop) -> None:
    connection = psycopg.connect(shop.url)
    connection.close()
    connection.execute("select 1")


@provokes("idle-in-transaction")
def idle_in_transaction(shop: Shop) -> None:
    with psycopg.connect(shop.url) as connection:
        connection.execute("set idle_in_transaction_session_timeout = 50")
        select.select([connection.fileno()], [], [], 20)
        connection.execute("select 1")


@provokes("role-limit")
def limited_role(shop: Shop) -> None:
    from urllib.parse import quote

    word = "long" + "enough" + "4all"
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("drop role if exists limited")
        connection.execute(
            sql.SQL("create role limited login connection limit 1 password {}").format(sql.Literal(word))
        )
    parts = sqlalchemy.make_url(shop.url).set(username="limited", password=quote(word))
    url = parts.render_as_string(hide_password=False)
    with psycopg.connect(url), psycopg.connect(url):
        pass


@provokes("timeout-wake")
def silent_server(shop: Shop) -> None:
    with listener(None) as port:
        psycopg.connect(f"postgresql://a@127.0.0.1:{port}/b", connect_timeout=2)


@provokes("server-without-tls")
def server_without_tls(shop: Shop) -> None:
    with listener(b"N") as port:
        psycopg.connect(f"postgresql://a@127.0.0.1:{port}/b?sslmode=require", connect_timeout=20)


@provokes("password-refused")
def wrong_password_psycopg2(shop: Shop) -> None:
    psycopg2.connect(with_password(shop.url, "not" + "it"))


@provokes("database-missing")
def no_such_database_psycopg2(shop: Shop) -> None:
    psycopg2.connect(changed(shop.url, base="nowhere"))


@provokes("client-pool-full")
def psycopg_pool_full(shop: Shop) -> None:
    with psycopg_pool.ConnectionPool(shop.url, min_size=1, max_size=1, timeout=20) as pool, pool.connection():
        pool.getconn(timeout=0.05)


@provokes("client-pool-closed")
def psycopg_pool_closed(shop: Shop) -> None:
    pool = psycopg_pool.ConnectionPool(shop.url, min_size=1, max_size=1, open=True)
    pool.close()
    pool.getconn()


@contextmanager
def _engine(url: str, driver: str, **settings):
    engine = sqlalchemy.create_engine(url.replace("postgresql:", f"postgresql+{driver}:"), **settings)
    try:
        yield engine
    finally:
        engine.dispose()


@provokes("client-pool-full")
def queue_pool_full(shop: Shop) -> None:
    with (
        _engine(shop.url, "psycopg", pool_size=1, max_overflow=0, pool_timeout=0.05) as engine,
        engine.connect(),
        engine.connect(),
    ):
        pass


@provokes("terminated-suspended")
def sqlalchemy_ended(shop: Shop) -> None:
    with _engine(shop.url, "psycopg") as engine, engine.connect() as connection:
        _ended(shop, connection.connection.driver_connection)
        connection.execute(sqlalchemy.text("select 1"))


@provokes("table-not-made")
def sqlalchemy_no_table(shop: Shop) -> None:
    with _engine(shop.url, "psycopg2") as engine, engine.connect() as connection:
        connection.execute(sqlalchemy.text("select 'password authentication failed' from not_made_here"))


@provokes("dialect-postgres")
def scheme_postgres(shop: Shop) -> None:
    sqlalchemy.create_engine("postgres://a@b/c")


@provokes("dialect-driver")
def scheme_unknown(shop: Shop) -> None:
    sqlalchemy.create_engine("postgresql+psycopg4://a@b/c")


@provokes("driver-missing")
def driver_missing(shop: Shop) -> None:
    sqlalchemy.create_engine("postgresql+pg8000://a@b/c")


@provokes("url-unreadable")
def no_url(shop: Shop) -> None:
    sqlalchemy.create_engine("")


@provokes("asyncpg-keyword")
def sslmode_for_asyncpg(shop: Shop) -> None:
    async def run() -> None:
        await asyncpg.connect(host="127.0.0.1", sslmode="require")

    asyncio.run(run())


@provokes("variable-missing")
def no_variable(shop: Shop) -> None:
    import os

    os.environ["SHOP_DATABASE_URL"]


def asyncpg_fails(expected: str, name: str, make: Callable[[Shop], str], **settings) -> None:
    """Note a connection string that asyncpg cannot connect with."""

    def run(shop: Shop) -> None:
        async def connect() -> None:
            await (await asyncpg.connect(make(shop), **settings)).close()

        asyncio.run(connect())

    run.__name__ = name
    PROVOKED.append((expected, run))


def _plain(shop: Shop) -> str:
    return changed(shop.url, without=("channel_binding",))


asyncpg_fails("parameter-unknown", "channel_binding_asyncpg", lambda s: s.url)
asyncpg_fails("startup-parameter", "channel_binding_pooled_asyncpg", lambda s: s.pooled)
asyncpg_fails("password-refused", "wrong_password_asyncpg", lambda s: with_password(_plain(s), "not" + "it"))
asyncpg_fails("database-missing", "no_such_database_asyncpg", lambda s: changed(_plain(s), base="nowhere"))
asyncpg_fails("sslmode-invalid", "no_such_sslmode_asyncpg", lambda s: changed(_plain(s), sslmode="encrypted"))
asyncpg_fails(
    "asyncpg-scheme", "scheme_asyncpg", lambda s: s.url.replace("postgresql:", "postgresql+asyncpg:")
)
asyncpg_fails("refused-local", "closed_port_asyncpg", lambda s: f"postgresql://a@127.0.0.1:{closed_port()}/b")
asyncpg_fails(
    "certificate-unknown",
    "other_authority_asyncpg",
    lambda s: changed(s.url, without=PLAIN),
    ssl=ssl.create_default_context(),
)


@provokes("timeout-wake")
def silent_server_asyncpg(shop: Shop) -> None:
    async def connect(port: int) -> None:
        await asyncpg.connect(f"postgresql://a@127.0.0.1:{port}/b", timeout=0.1)

    with listener(None) as port:
        asyncio.run(connect(port))


@provokes("operation-in-progress")
def two_tasks(shop: Shop) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(_plain(shop))
        try:
            slow = asyncio.create_task(connection.execute("select pg_sleep(0.3)"))
            await asyncio.sleep(0)
            try:
                await connection.execute("select 1")
            finally:
                await slow
        finally:
            await connection.close()

    asyncio.run(run())


@provokes("terminated-suspended")
def asyncpg_ended(shop: Shop) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(_plain(shop))
        try:
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")
        finally:
            connection.terminate()

    asyncio.run(run())
