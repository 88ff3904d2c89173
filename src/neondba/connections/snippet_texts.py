"""The texts of changes: settings of pools, lines of code, changes to connection strings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from neondba.neon.connection_string import ConnectionString

KEYWORDS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "pool-lifetime": {
        "sqlalchemy": {"pool_pre_ping": "True", "pool_recycle": "280"},
        "asyncpg": {"max_inactive_connection_lifetime": "240.0"},
        "psycopg": {"check": "ConnectionPool.check_connection", "max_idle": "240"},
    },
    "connect-timeout": {
        "sqlalchemy": {"connect_args": "{'connect_timeout': 15}"},
        "sqlalchemy+asyncpg": {"connect_args": "{'timeout': 15}"},
        "asyncpg": {"timeout": "15"},
        "psycopg": {"kwargs": "{'connect_timeout': 15}"},
    },
    "pool-size": {
        "sqlalchemy": {"pool_size": "10", "max_overflow": "10", "pool_timeout": "30"},
        "asyncpg": {"min_size": "0", "max_size": "20"},
        "psycopg": {"min_size": "0", "max_size": "20", "timeout": "30"},
    },
    "no-statement-cache": {
        "sqlalchemy": {"connect_args": "{'prepare_threshold': None}"},
        "sqlalchemy+asyncpg": {"connect_args": "{'statement_cache_size': 0}"},
        "asyncpg": {"statement_cache_size": "0"},
        "psycopg": {"kwargs": "{'prepare_threshold': None}"},
    },
}
"""Keyword arguments to add, by snippet and by whose settings a call takes."""

_POOL_NODE: Final = (
    "const pool = new Pool({ connectionString: process.env.DATABASE_URL, idleTimeoutMillis: 60_000,\n"
    "  connectionTimeoutMillis: 15_000, keepAlive: true });\n"
    "pool.on('error', (error) => console.error('idle client', error.message));"
)
_ENGINE: Final = "engine = create_engine(os.environ['DATABASE_URL'], pool_pre_ping=True, pool_recycle=280)"

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "pool-lifetime": {
        "sqlalchemy": _ENGINE,
        "asyncpg": "pool = await asyncpg.create_pool(os.environ['DATABASE_URL'], min_size=0,\n"
        "    max_inactive_connection_lifetime=240)",
        "psycopg": "pool = ConnectionPool(os.environ['DATABASE_URL'], min_size=0, max_idle=240,\n"
        "    check=ConnectionPool.check_connection)",
        "node": _POOL_NODE,
        "go": "config.MaxConnIdleTime = 4 * time.Minute\nconfig.HealthCheckPeriod = time.Minute",
    },
    "connect-timeout": {
        "psycopg": "psycopg.connect(os.environ['DATABASE_URL'], connect_timeout=15)",
        "sqlalchemy": "engine = create_engine(os.environ['DATABASE_URL'], "
        "connect_args={'connect_timeout': 15})",
        "asyncpg": "await asyncpg.connect(os.environ['DATABASE_URL'], timeout=15)",
        "node": _POOL_NODE,
        "prisma": 'DATABASE_URL="postgresql://…?sslmode=require&connect_timeout=15"',
        "go": "config.ConnConfig.ConnectTimeout = 15 * time.Second",
    },
    "pool-size": {
        "sqlalchemy": "engine = create_engine(os.environ['DATABASE_URL'], pool_size=10, max_overflow=10)",
        "asyncpg": "pool = await asyncpg.create_pool(os.environ['DATABASE_URL'], min_size=0, max_size=20)",
        "psycopg": "pool = ConnectionPool(os.environ['DATABASE_URL'], min_size=0, max_size=20)",
        "node": "const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 });",
        "prisma": 'DATABASE_URL="postgresql://…?sslmode=require&connection_limit=10&pool_timeout=20"',
        "go": "config.MaxConns = 20",
    },
    "no-statement-cache": {
        "asyncpg": "await asyncpg.connect(os.environ['DATABASE_URL'], statement_cache_size=0)",
        "psycopg": "psycopg.connect(os.environ['DATABASE_URL'], prepare_threshold=None)",
        "prisma": 'url       = env("DATABASE_URL")\ndirectUrl = env("DIRECT_URL")',
        "go": "config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe",
    },
    "retry": {
        "sqlalchemy": "for pause in (0.1, 0.5, 2):\n    try:\n"
        "        with Session(engine) as session, session.begin():\n            return work(session)\n"
        "    except (OperationalError, InterfaceError):\n"
        "        time.sleep(pause * random.uniform(0.5, 1.5))\nraise Unavailable",
        "asyncpg": "for pause in (0.1, 0.5, 2):\n    try:\n"
        "        async with pool.acquire() as connection, connection.transaction():\n"
        "            return await work(connection)\n"
        "    except (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, OSError):\n"
        "        await asyncio.sleep(pause * random.uniform(0.5, 1.5))\nraise Unavailable",
        "psycopg": "for pause in (0.5, 1, 2, 4):\n    try:\n"
        "        connection = psycopg.connect(os.environ['DATABASE_URL'], connect_timeout=15)\n        "
        "break\n    except psycopg.OperationalError:\n        time.sleep(pause * random.uniform(0.5, 1.5))",
        "node": "for (const pause of [500, 1000, 2000, 4000]) {\n"
        "  try { client = await pool.connect(); break; }\n"
        "  catch { await new Promise((done) => setTimeout(done, pause * (0.5 + Math.random()))); }\n}",
    },
    "short-transaction": {
        "sqlalchemy": "with Session(engine) as session, session.begin():\n    …  # database work alone\n"
        "# slow work comes after",
        "node": "await client.query('begin');\n…  // database work alone\nawait client.query('commit');\n"
        "// slow work comes after",
    },
    "read-variable": {
        "psycopg": "from dotenv import load_dotenv\n\nload_dotenv()\nurl = os.environ['DATABASE_URL']  # "
        "fails at once when it is missing",
        "node": "import 'dotenv/config';\n\nconst url = process.env.DATABASE_URL;\n"
        "if (!url) throw new Error('DATABASE_URL is not set');",
    },
    "encode-password": {
        "psycopg": "from urllib.parse import quote\n\nquote(password, safe='')",
        "node": "encodeURIComponent(password)",
        "go": "url.UserPassword(role, password).String()",
    },
    "node-attempts": {
        "node": "import net from 'node:net';\n\nnet.setDefaultAutoSelectFamilyAttemptTimeout(1000);"
    },
    "websocket": {
        "node": "import { neonConfig, Pool } from '@neondatabase/serverless';\nimport ws from 'ws';\n\n"
        "neonConfig.webSocketConstructor = ws;"
    },
    "serverless-driver": {
        "node": "import { neon } from '@neondatabase/serverless';\n\n"
        "const sql = neon(process.env.DATABASE_URL!);\nconst rows = await sql`select 1`;"
    },
    "prisma-adapter": {
        "prisma": "import { PrismaPg } from '@prisma/adapter-pg';\n\n"
        "const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL });\n"
        "const prisma = new PrismaClient({ adapter });"
    },
    "prisma-config": {
        "prisma": "// prisma.config.ts\nimport 'dotenv/config';\nimport { defineConfig, env } from "
        "'prisma/config';\n\nexport default defineConfig({\n  schema: 'prisma/schema.prisma',\n"
        "  datasource: { url: env('DIRECT_URL') },\n});"
    },
}
"""Code by snippet and stack; the first stack is shown where none is known."""


def _parameter(name: str, value: str | None) -> Callable[[ConnectionString, str], ConnectionString]:
    def change(url: ConnectionString, _said: str) -> ConnectionString:
        return with_parameter(url, name, value)

    return change


def with_parameter(url: ConnectionString, name: str, value: str | None) -> ConnectionString:
    """Set a parameter where it stands, add it, or take it out."""
    kept = [(k, value if k == name else v) for k, v in url.parameters if k != name or value is not None]
    if value is not None and all(k != name for k, _ in kept):
        kept.append((name, value))
    return replace(url, parameters=tuple((k, v) for k, v in kept if v is not None))


def _without(url: ConnectionString, said: str) -> ConnectionString:
    return with_parameter(url, said, None) if said else url


def _endpoint(url: ConnectionString, _said: str) -> ConnectionString:
    return with_parameter(url, "options", f"endpoint={url.endpoint_id or 'ep-NAME'}")


def _system_roots(url: ConnectionString, _said: str) -> ConnectionString:
    return with_parameter(with_parameter(url, "sslmode", "verify-full"), "sslrootcert", "system")


URL_CHANGES: Final[Mapping[str, Callable[[ConnectionString, str], ConnectionString]]] = {
    "asyncpg-url": lambda url, _said: url.with_driver("asyncpg"),
    "endpoint-option": _endpoint,
    "sslmode": _parameter("sslmode", "verify-full"),
    "root-certificates": _system_roots,
    "use-pooled": lambda url, _said: url.pooled(),
    "direct-for-migrations": lambda url, _said: url.direct(),
    "without-parameter": _without,
    "sqlalchemy-scheme": lambda url, _said: url.with_driver("psycopg"),
    "prisma-timeout": _parameter("connect_timeout", "15"),
}
"""Changes to a connection string; the second argument is the name in the error's text."""
