"""Open the connections that were written: with our driver, and with the project's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from neondba.connections.setup_results import Verified
from neondba.connections.setup_urls import Reach, client_of, value
from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, mask_text
from neondba.project.stack import App
from neondba.project.stack_variables import Use, Variable

LIMIT: Final = 60
"""Seconds for the project's own driver."""
_PYTHON: Final = {
    "sqlalchemy+psycopg": ("sqlalchemy", "psycopg"),
    "sqlalchemy+asyncpg": ("sqlalchemy", "asyncpg"),
    "psycopg": ("psycopg",),
    "psycopg2": ("psycopg2",),
    "sqlalchemy+psycopg2": ("sqlalchemy", "psycopg2"),
    "asyncpg": ("asyncpg",),
}
_LACKS: Final = r"\b(?:ImportError|ModuleNotFoundError|NoSuchModuleError)\b"
_SAYS: Final = "select current_user || ' on PostgreSQL ' || current_setting('server_version')"
_SCRIPTS: Final = {
    "sqlalchemy": """
import os, sys
from sqlalchemy import create_engine, text
with create_engine(os.environ["NEONDBA_SETUP_URL"]).connect() as c:
    sys.stdout.write(str(c.execute(text(os.environ["NEONDBA_SETUP_SQL"])).scalar()))
""",
    "sqlalchemy+asyncpg": """
import asyncio, os, sys
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
async def main():
    engine = create_async_engine(os.environ["NEONDBA_SETUP_URL"])
    async with engine.connect() as c:
        sys.stdout.write(str((await c.execute(text(os.environ["NEONDBA_SETUP_SQL"]))).scalar()))
    await engine.dispose()
asyncio.run(main())
""",
    "asyncpg": """
import asyncio, asyncpg, os, sys
async def main():
    c = await asyncpg.connect(os.environ["NEONDBA_SETUP_URL"])
    sys.stdout.write(str(await c.fetchval(os.environ["NEONDBA_SETUP_SQL"])))
    await c.close()
asyncio.run(main())
""",
    "psycopg": """
import os, sys
try:
    import psycopg as driver
except ImportError:
    import psycopg2 as driver
c = driver.connect(os.environ["NEONDBA_SETUP_URL"])
cursor = c.cursor()
cursor.execute(os.environ["NEONDBA_SETUP_SQL"])
sys.stdout.write(str(cursor.fetchone()[0]))
c.close()
""",
    "node-postgres": """
const { Client } = require("pg");
(async () => {
  const c = new Client({ connectionString: process.env.NEONDBA_SETUP_URL });
  await c.connect();
  process.stdout.write(Object.values((await c.query(process.env.NEONDBA_SETUP_SQL)).rows[0])[0]);
  await c.end();
})().catch((e) => { process.stderr.write(String(e.message)); process.exit(1); });
""",
    "postgres.js": """
const load = require("postgres");
const sql = (load.default || load)(process.env.NEONDBA_SETUP_URL, { max: 1 });
(async () => {
  process.stdout.write(Object.values((await sql.unsafe(process.env.NEONDBA_SETUP_SQL))[0])[0]);
  await sql.end();
})().catch((e) => { process.stderr.write(String(e.message)); process.exit(1); });
""",
}


def verified(ctx: Context, environment: str, reach: Reach) -> Iterator[Verified]:
    """Open a pooled and a direct session with our own driver.

    Raises:
        Problem: one cannot be opened.
    """
    pairs: tuple[tuple[Literal["pooled", "direct"], ConnectionString], ...]
    pairs = (("pooled", reach.pooled), ("direct", reach.direct))
    for path, url in pairs:
        yield opened(ctx, environment, path, url)


def opened(
    ctx: Context, environment: str, path: Literal["pooled", "direct"], url: ConnectionString
) -> Verified:
    """Open one session with our own driver.

    Raises:
        Problem: it cannot be opened.
    """
    from neondba.postgres.connect import connect

    ctx.progress(f"Connecting to {environment}, {path}")
    began = ctx.clock.monotonic()
    with connect(url.render()) as session:
        row = session.execute(_SAYS + " as said").fetchone()
    took = f"{(ctx.clock.monotonic() - began) * 1000:.0f} ms"
    said = f"{row['said'] if row else '?'}, {took}"
    return Verified(environment=environment, path=path, driver="psycopg", ok=True, said=said)


def with_own_driver(ctx: Context, root: Path, environment: str, app: App, reach: Reach) -> Iterator[Verified]:
    """Open the same with the driver that the program itself uses, where it is installed."""
    uses: tuple[tuple[Literal["pooled", "direct"], Use], ...]
    uses = (("pooled", Use.POOLED), ("direct", Use.DIRECT))
    if app.serverless is not None and reach.authority is not None:
        said = "it calls Neon's own addresses; the note below tells how it finds the local Neon"
        driver = "the project's serverless driver"
        yield Verified(environment=environment, path="pooled", driver=driver, ok=None, said=said)
    for path, use in uses:
        scheme = next((v.scheme for v in app.using(Use.POOLED)), "")
        variable = next(iter(app.using(use)), Variable("DATABASE_URL", use, "", 0, scheme))
        client = client_of(app, variable)
        url = _as_turned(app, client, value(app, variable, reach))
        if client == "psycopg2" and url.reveal().startswith("postgresql+"):
            client = "sqlalchemy+psycopg2"
        program = _program(root / app.folder, client)
        if program is None:
            continue
        ctx.progress(f"Connecting to {environment}, {path}, with the project's own {client}")
        folder = None if client in _PYTHON else root / app.folder
        foreign = client in _PYTHON and not Path(program[0]).is_relative_to(root)
        yield _run(program, folder, url, environment, path, client, foreign=foreign)


def _as_turned(app: App, client: str, url: Secret) -> Secret:
    """Give the address as the code hands it on, where it changes the scheme itself."""
    driver = app.handling.turned_to
    if not driver or "+" in url.reveal().partition("://")[0]:
        return url
    text = url.reveal().replace("postgresql://", f"postgresql+{driver}://", 1)
    return Secret(text.replace("sslmode=", "ssl=", 1) if client == "sqlalchemy+asyncpg" else text)


def _program(folder: Path, client: str) -> list[str] | None:
    """Give the command that runs a driver's script; nothing where the driver is not installed."""
    if client in _PYTHON:
        python = _python_of(folder)
        names = _PYTHON[client]
        if python is None or not _imports(python, names):
            return None
        key = client if client in _SCRIPTS else "sqlalchemy" if client.startswith("sqlalchemy") else "psycopg"
        return [str(python), "-c", _SCRIPTS[key]]
    package = {"node-postgres": "pg", "postgres.js": "postgres"}.get(client)
    node = shutil.which("node")
    if package is None or node is None:
        return None
    place = next((p for p in (folder, *folder.parents) if (p / "node_modules" / package).is_dir()), None)
    return [node, "-e", _SCRIPTS[client]] if place else None


def _python_of(folder: Path) -> Path | None:
    """Give the interpreter of the project's virtual environment: beside it, or the active one."""
    active = os.environ.get("VIRTUAL_ENV")
    places = [p / name for p in (folder, *list(folder.parents)[:3]) for name in (".venv", "venv")]
    places += [Path(active)] if active else []
    return next((p / "bin" / "python" for p in places if (p / "bin" / "python").exists()), None)


def _imports(python: Path, names: tuple[str, ...]) -> bool:
    probe = f"import importlib.util as u, sys; sys.exit(not all(u.find_spec(n) for n in {names!r}))"
    try:
        done = subprocess.run([python, "-I", "-c", probe], capture_output=True, timeout=LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _run(
    program: list[str],
    folder: Path | None,
    url: Secret,
    environment: str,
    path: Literal["pooled", "direct"],
    client: str,
    *,
    foreign: bool,
) -> Verified:
    """Run a driver's script; Python in an empty folder, so that no module of the project gets in between."""
    # Names that lead libpq elsewhere are the shell's, not the program's.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    around = {**kept, "NEONDBA_SETUP_URL": url.reveal(), "NEONDBA_SETUP_SQL": _SAYS}
    ok: bool | None = False
    said = ""
    try:
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run(
                program, env=around, cwd=folder or empty, capture_output=True, text=True, timeout=LIMIT,
                check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        ok = done.returncode == 0
        if not ok and foreign and "Error: " in done.stderr and re.search(_LACKS, done.stderr):
            ok = None  # The program has an environment of its own somewhere, with what this one lacks.
        said = done.stdout.strip() if ok else _last(done.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        said = type(error).__name__
    return Verified(
        environment=environment, path=path, driver=f"the project's {client}", ok=ok, said=_masked(said, url)
    )


def _last(text: str) -> str:
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith("(Background")
    ]
    return lines[-1][:300] if lines else "it ended without a word"


def _masked(text: str, url: Secret) -> str:
    from neondba.connections.setup_urls import read

    found = read(url)
    password = found.password.reveal() if found and found.password else ""
    return mask_text(text.replace(password, "***") if password else text)
