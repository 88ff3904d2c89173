"""The settings in the names of each library, as code to paste."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping
from typing import Final

from neondba.connections.pool_code import CodePool
from neondba.connections.pool_inputs import Inputs
from neondba.connections.pool_libraries import Name
from neondba.connections.pool_results import Setting
from neondba.connections.pool_sizes import Sizes
from neondba.neon.connection_string import mask_text


def settings(inputs: Inputs, sizes: Sizes) -> tuple[Setting, ...]:
    """Give the change for the pool at hand; for the usual libraries where no pool was found."""
    main = inputs.main
    if not inputs.found:
        names: tuple[Name, ...] = (
            "sqlalchemy",
            "psycopg-pool",
            "asyncpg",
            "node-postgres",
            "prisma-adapter",
            "pgxpool",
        )
        return tuple(_setting(CodePool(name, "", 0), sizes, inputs) for name in names)
    return (_setting(main, sizes, inputs),)


def _setting(pool: CodePool, sizes: Sizes, inputs: Inputs) -> Setting:
    code = _call(pool, sizes) if pool.engine is not None and not inputs.serverless else None
    text = code or _TEXTS[pool.library](sizes, bool(inputs.serverless)).replace("ADAPTER", pool.word)
    where = pool.place if pool.path else ""
    if numbers := variable_values(pool, sizes):
        text += "\n# in the environment:\n" + "\n".join(f"{name}={value}" for name, value in numbers.items())
    return Setting(library=pool.of.title, where=where, snippet=text)


def variable_values(pool: CodePool, sizes: Sizes) -> dict[str, str]:
    """Give the values of the variables that the code reads its sizes from."""
    ours = {
        "size": str(sizes.kept if pool.library == "sqlalchemy" else sizes.most),
        "overflow": str(sizes.overflow),
        "pool_timeout": f"{sizes.pool_timeout:g}",
    }
    return {variable: ours[name] for name, variable in pool.variables.items() if name in ours}


def keywords(pool: CodePool, sizes: Sizes) -> dict[str, str]:
    """Give the keyword arguments of a Python pool, as code."""
    timeout = f"{sizes.connect_timeout:g}"
    asyncpg = pool.engine is not None and "asyncpg" in pool.engine.file.text
    if pool.library == "sqlalchemy":
        argument = "timeout" if asyncpg else "connect_timeout"
        return {
            "pool_size": str(sizes.kept),
            "max_overflow": str(sizes.overflow),
            "pool_timeout": f"{sizes.pool_timeout:g}",
            "pool_pre_ping": "True",
            "pool_recycle": "280",
            "connect_args": f"{{'{argument}': {timeout}}}",
        }
    if pool.library == "asyncpg":
        return {
            "min_size": "0",
            "max_size": str(sizes.most),
            "timeout": timeout,
            "max_inactive_connection_lifetime": "240.0",
        }
    if pool.library == "psycopg-pool":
        return {
            "min_size": "0",
            "max_size": str(sizes.most),
            "timeout": f"{sizes.pool_timeout:g}",
            "max_idle": "240",
            "check": f"{pool.engine.factory if pool.engine else 'ConnectionPool'}.check_connection",
            "kwargs": f"{{'connect_timeout': {timeout}}}",
        }
    return {}


def _call(pool: CodePool, sizes: Sizes) -> str | None:
    """Write the call as it is with these arguments; `None` where the library is set otherwise."""
    wanted = keywords(pool, sizes)
    if pool.engine is None or not wanted:
        return None
    call = with_keywords(pool.engine.call, wanted)
    head = ast.unparse(call.func)
    parts = [ast.unparse(each) for each in call.args]
    parts += [
        f"{k.arg}={ast.unparse(k.value)}" if k.arg else f"**{ast.unparse(k.value)}" for k in call.keywords
    ]
    return mask_text(f"{head}(\n" + "".join(f"    {part},\n" for part in parts) + ")")


def with_keywords(call: ast.Call, wanted: Mapping[str, str]) -> ast.Call:
    """Give the call with these arguments: numbers anew, dictionaries with an entry more."""
    made = copy.deepcopy(call)
    for name, text in wanted.items():
        value = ast.parse(text, mode="eval").body
        there = next((keyword for keyword in made.keywords if keyword.arg == name), None)
        if there is None:
            made.keywords.append(ast.keyword(arg=name, value=value))
        elif isinstance(value, ast.Dict):
            if isinstance(there.value, ast.Dict):
                known = {ast.unparse(key) for key in there.value.keys if key}
                for key, item in zip(value.keys, value.values, strict=True):
                    if key is not None and ast.unparse(key) not in known:
                        there.value.keys.append(key)
                        there.value.values.append(item)
        elif isinstance(there.value, ast.Constant):
            there.value = value
    return made


def _sqlalchemy(sizes: Sizes, serverless: bool) -> str:
    if serverless:
        return _null(sizes, serverless)
    return (
        "engine = create_engine(\n    os.environ['DATABASE_URL'],\n"
        f"    pool_size={sizes.kept},\n    max_overflow={sizes.overflow},\n"
        f"    pool_timeout={sizes.pool_timeout:g},\n    pool_pre_ping=True,\n    pool_recycle=280,\n"
        f"    connect_args={{'connect_timeout': {sizes.connect_timeout:g}}},\n)"
    )


def _null(sizes: Sizes, _serverless: bool) -> str:
    return (
        "engine = create_engine(\n    os.environ['DATABASE_URL'],  # pooled: the pooler keeps connections\n"
        f"    poolclass=NullPool,\n    connect_args={{'connect_timeout': {sizes.connect_timeout:g}}},\n)"
    )


def _asyncpg(sizes: Sizes, _serverless: bool) -> str:
    return (
        f"pool = await asyncpg.create_pool(os.environ['DATABASE_URL'], min_size=0, max_size={sizes.most},\n"
        f"    timeout={sizes.connect_timeout:g}, max_inactive_connection_lifetime=240)"
    )


def _psycopg(sizes: Sizes, _serverless: bool) -> str:
    return (
        f"pool = ConnectionPool(os.environ['DATABASE_URL'], min_size=0, max_size={sizes.most},\n"
        f"    timeout={sizes.pool_timeout:g}, max_idle=240, check=ConnectionPool.check_connection,\n"
        f"    kwargs={{'connect_timeout': {sizes.connect_timeout:g}}})"
    )


def _django(sizes: Sizes, _serverless: bool) -> str:
    return (
        "# DATABASES['default'], without psycopg's pool: one connection for each thread\n"
        "'CONN_MAX_AGE': 240,\n'CONN_HEALTH_CHECKS': True,\n"
        "'DISABLE_SERVER_SIDE_CURSORS': True,  # through the pooler\n"
        f"'OPTIONS': {{'connect_timeout': {sizes.connect_timeout:g}}},\n"
        f"# gunicorn: --threads {sizes.most} at most"
    )


def _django_pool(sizes: Sizes, _serverless: bool) -> str:
    return (
        "# DATABASES['default']\n'CONN_MAX_AGE': 0,  # the pool keeps them\n"
        f"'OPTIONS': {{'pool': {{'min_size': 0, 'max_size': {sizes.most}, 'timeout': {sizes.pool_timeout:g}, "
        f"'max_idle': 240}},\n            'connect_timeout': {sizes.connect_timeout:g}}},"
    )


def _node(sizes: Sizes, _serverless: bool) -> str:
    wait = int(max(sizes.pool_timeout, sizes.connect_timeout) * 1000)
    return (
        "const pool = new Pool({\n  connectionString: process.env.DATABASE_URL,\n"
        f"  max: {sizes.most},\n"
        f"  connectionTimeoutMillis: {wait:_},  // for a free connection and for a new one\n"
        "  idleTimeoutMillis: 60_000,\n});\n"
        "pool.on('error', (error) => console.error('idle connection lost', error.message));"
    )


def _postgres_js(sizes: Sizes, _serverless: bool) -> str:
    return (
        "const sql = postgres(process.env.DATABASE_URL!, {\n"
        f"  max: {sizes.most},\n  connect_timeout: {sizes.connect_timeout:g},\n  idle_timeout: 60,\n"
        "  prepare: false,  // through the pooler\n});"
    )


def _prisma(sizes: Sizes, _serverless: bool) -> str:
    return f'DATABASE_URL="postgresql://…?sslmode=require&{prisma_parameters(sizes)}"'


def prisma_parameters(sizes: Sizes) -> str:
    """Write the parameters that Prisma up to 6 reads off its address."""
    return "&".join(f"{name}={value}" for name, value in prisma_values(sizes).items())


def prisma_values(sizes: Sizes) -> dict[str, str]:
    """Give the parameters that Prisma up to 6 reads off its address."""
    return {
        "connection_limit": str(sizes.most),
        "pool_timeout": f"{sizes.pool_timeout:g}",
        "connect_timeout": f"{sizes.connect_timeout:g}",
    }


def _adapter(sizes: Sizes, _serverless: bool) -> str:
    wait = int(max(sizes.pool_timeout, sizes.connect_timeout) * 1000)
    return (
        "const adapter = new ADAPTER({\n  connectionString: process.env.DATABASE_URL,\n"
        f"  max: {sizes.most},  // Prisma 7 reads no connection_limit off the address\n"
        f"  connectionTimeoutMillis: {wait:_},\n  idleTimeoutMillis: 60_000,\n}});\n"
        "const prisma = new PrismaClient({ adapter });"
    )


def _http(_sizes: Sizes, _serverless: bool) -> str:
    return "const sql = neon(process.env.DATABASE_URL!);  // nothing to size"


def _pgxpool(sizes: Sizes, _serverless: bool) -> str:
    return (
        'config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))\n'
        f"config.MaxConns = {sizes.most}\nconfig.MinConns = 0\nconfig.MaxConnIdleTime = 4 * time.Minute\n"
        f"config.ConnConfig.ConnectTimeout = {sizes.connect_timeout:g} * time.Second"
    )


def _database_sql(sizes: Sizes, _serverless: bool) -> str:
    return (
        f"db.SetMaxOpenConns({sizes.most})\ndb.SetMaxIdleConns({sizes.kept})\n"
        "db.SetConnMaxIdleTime(4 * time.Minute)"
    )


_TEXTS: Final[Mapping[Name, Callable[[Sizes, bool], str]]] = {
    "sqlalchemy": _sqlalchemy,
    "sqlalchemy-null": _null,
    "asyncpg": _asyncpg,
    "psycopg-pool": _psycopg,
    "django": _django,
    "django-pool": _django_pool,
    "node-postgres": _node,
    "postgres.js": _postgres_js,
    "prisma": _prisma,
    "prisma-adapter": _adapter,
    "neon-http": _http,
    "pgxpool": _pgxpool,
    "database-sql": _database_sql,
}
