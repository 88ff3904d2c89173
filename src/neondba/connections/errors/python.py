"""What Python drivers, SQLAlchemy and their surroundings say themselves."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_BOTH: Final = (Concern.ADDRESS, Concern.ENGINE)

ENTRIES: Final = (
    Entry(
        "asyncpg-keyword",
        "asyncpg does not take this argument of the URL",
        (r"connect\(\) got an unexpected keyword argument '(?P<name>\w+)'",),
        "SQLAlchemy hands every query parameter of the URL to asyncpg.connect(), which knows ssl but neither "
        "sslmode nor channel_binding.",
        (
            "Write ssl=require in place of sslmode=require, and take channel_binding out.",
            "Or take both off and pass connect_args={'ssl': 'require'}.",
        ),
        sources.SQLALCHEMY,
        concerns=_BOTH,
        snippet="asyncpg-url",
    ),
    Entry(
        "uri-parameter",
        "libpq does not know a parameter of the URL",
        (r"invalid uri query parameter: \W*(?P<name>\w+)", r"invalid connection option \W*(?P<name>\w+)"),
        "The string was written for another client: pgbouncer, connection_limit, pool_timeout and schema "
        "are Prisma's.",
        ("Take the parameter out of the string that Python uses.",),
        sources.PSYCOPG,
        concerns=_BOTH,
        snippet="without-parameter",
        over=("url-unreadable",),
    ),
    Entry(
        "dialect-postgres",
        "SQLAlchemy does not know postgres://",
        (
            r"can't load plugin: sqlalchemy\.dialects:postgres\b",
            r"nosuchmoduleerror.{0,80}dialects:postgres\b",
        ),
        "SQLAlchemy 1.4 and newer want postgresql://.",
        ("Write postgresql+psycopg:// (or +asyncpg, +psycopg2) at the start of the URL.",),
        sources.SQLALCHEMY,
        concerns=_BOTH,
        snippet="sqlalchemy-scheme",
        over=("dialect-driver",),
    ),
    Entry(
        "dialect-driver",
        "SQLAlchemy has no driver of this name",
        (r"can't load plugin: sqlalchemy\.dialects:(?P<name>postgresql\.\w+|[\w.]+)",),
        "The part after the + in the URL names no driver that is installed and known.",
        ("Use postgresql+psycopg://, +asyncpg:// or +psycopg2://, and install that driver.",),
        sources.SQLALCHEMY,
        concerns=_BOTH,
        snippet="sqlalchemy-scheme",
    ),
    Entry(
        "driver-missing",
        "The driver is not installed",
        (
            r"no module named '?(?P<name>psycopg2?|asyncpg|pg8000|psycopg_pool)'?",
            r"no pq wrapper available",
            r"couldn't import psycopg '(?:c|binary|python)' implementation",
            r"error loading psycopg2? (?:or psycopg2? )?module",
        ),
        "The URL chooses a driver that this environment lacks: postgresql:// is psycopg2 in SQLAlchemy 2.0 "
        "and psycopg 3 in 2.1.",
        (
            "Install it (psycopg[binary]), or name the driver that you have in the URL: "
            "postgresql+psycopg://.",
        ),
        sources.SQLALCHEMY,
        concerns=_BOTH,
        snippet="sqlalchemy-scheme",
    ),
    Entry(
        "async-driver",
        "An async engine got a synchronous driver",
        (r"asyncio extension requires an async driver",),
        "create_async_engine was given postgresql:// or +psycopg2.",
        ("Write postgresql+psycopg:// (it does both) or postgresql+asyncpg://.",),
        sources.SQLALCHEMY,
        concerns=_BOTH,
        snippet="sqlalchemy-scheme",
    ),
    Entry(
        "greenlet-missing",
        "SQLAlchemy's async side lacks greenlet",
        (r"requires that the python 'greenlet' library is installed", r"no module named '?greenlet"),
        "SQLAlchemy 2.1 no longer installs greenlet by itself.",
        ("Install sqlalchemy[asyncio].",),
        sources.SQLALCHEMY,
    ),
    Entry(
        "missing-greenlet",
        "Lazy loading, or a sync call, inside async code",
        (r"missinggreenlet", r"greenlet_spawn has not been called"),
        "An attribute was loaded outside `await`, or the sync engine was given an async driver.",
        ("Load with selectinload, or expire_on_commit=False; for sync code use +psycopg.",),
        sources.SQLALCHEMY,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "asyncpg-scheme",
        "asyncpg does not take SQLAlchemy's form of the URL",
        (r"invalid dsn: scheme is expected to be",),
        "asyncpg.connect() knows postgresql:// and postgres://, not postgresql+asyncpg://.",
        ("Take +asyncpg off where asyncpg itself is called.",),
        sources.ASYNCPG,
        concerns=_BOTH,
    ),
    Entry(
        "libpq-scheme",
        "libpq does not take SQLAlchemy's form of the URL",
        (
            r"missing \W*=\W* after \W*postgres(?:ql)?\+\w+",
            r"invalid dsn: missing",
            r"missing \W*=\W* after \W*jdbc:",
            r"invalid connection option \W*(?:postgres(?:ql)?\+\w+|jdbc):",
        ),
        "psycopg knows postgresql:// and postgres://, not postgresql+psycopg:// nor jdbc:.",
        ("Take the +driver part off where the driver itself, psql or pg_dump gets the string.",),
        sources.PSYCOPG,
        concerns=_BOTH,
        over=("url-unreadable", "uri-parameter"),
    ),
    Entry(
        "operation-in-progress",
        "Two tasks use one connection at a time",
        (
            r"another operation is in progress",
            r"another command is already in progress",
            r"concurrent operations are not permitted",
            r"this session is provisioning a new connection",
        ),
        "A session or connection is shared between tasks (asyncio.gather, one global session).",
        ("One session per task: make it inside the task, from the session maker.",),
        sources.ASYNCPG,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "other-loop",
        "The pool belongs to another event loop",
        (r"attached to a different loop", r"event loop is closed", r"bound to a different event loop"),
        "An engine made at import is used under several loops: tests, Celery, asyncio.run in a row.",
        ("Make the engine inside the loop, or use NullPool in tests; dispose of it before the loop ends.",),
        sources.SQLALCHEMY,
        concerns=(Concern.ENGINE,),
    ),
    Entry(
        "windows-loop",
        "psycopg needs another event loop on Windows",
        (r"psycopg cannot use the 'proactoreventloop'",),
        "psycopg's async side works with the selector loop only.",
        ("asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy()) before the loop starts.",),
        sources.PSYCOPG,
    ),
    Entry(
        "django-improper",
        "Django found no settings of the database",
        (
            r"settings\.databases is improperly configured",
            r"supply the (?:engine|name) value",
            r"improperlyconfigured: set the (?P<name>\w+) environment variable",
        ),
        "DATABASES is empty: the variable that it is built from is not set where the program runs.",
        ("Set the variable, or load the .env file before the settings read it.",),
        sources.GENERAL,
        concerns=(Concern.VARIABLE,),
        snippet="read-variable",
    ),
    Entry(
        "variable-missing",
        "The program's own variable is missing",
        (
            r"keyerror: '(?P<name>(?:\w*_)?(?:database_url|postgres_url|pg\w+|dsn|db_url)\w*)'",
            r"environment variable not found: (?P<name>\w+)",
            r"\bp1012\b(?=.{0,300}environment variable)",
            r"(?:missing|cannot resolve) environment variable:? (?P<name>\w+)",
            r"expected string or url object, got none",
            r"validation errors? for settings (?P<name>\w+) field required",
        ),
        "The variable with the connection string is not set where the program runs.",
        ("Set it there, or load the .env file: neondba setup writes both.",),
        sources.GENERAL,
        concerns=(Concern.VARIABLE,),
        snippet="read-variable",
        over=("prisma-schema-invalid",),
    ),
)
