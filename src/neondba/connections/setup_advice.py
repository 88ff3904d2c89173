"""What a program lacks before it can use what was written: a driver, or somebody who reads `.env`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from neondba.project.stack import App
from neondba.project.stack_variables import inside
from neondba.project.tree import Tree

_DRIVERS: Final = ("psycopg", "psycopg-binary", "psycopg2", "psycopg2-binary", "asyncpg", "pg8000")
_ORMS: Final = ("sqlalchemy", "sqlmodel", "flask-sqlalchemy", "django")
_READERS: Final = (
    "dotenv", "env_file", "environ.Env", "environs", "decouple", "--env-file", "EnvFile", "env-file",
)  # fmt: skip
"""Words in code, manifests and scripts that tell of who reads files of variables."""
_WHERE: Final = (
    ".py",
    ".ts",
    ".js",
    ".mjs",
    ".cjs",
    ".go",
    ".json",
    ".toml",
    ".txt",
    ".yml",
    ".yaml",
    "Makefile",
    ".sh",
)
_THEMSELVES: Final = ("next", "vite", "nuxt", "@remix-run/dev", "astro", "@sveltejs/kit", "@nestjs/config")
"""Packages that read `.env` by themselves."""


def advice(app: App, tree: Tree) -> Iterator[str]:
    """Say what is missing, in sentences."""
    if app.language == "python" and app.has(*_ORMS) and not app.has(*_DRIVERS):
        yield (
            f"No driver for PostgreSQL is among the packages of {app.folder or 'this program'}: "
            "pip install 'psycopg[binary]'"
        )
    if app.variables and not _reads_files(app, tree):
        how = "node --env-file=.env …" if app.language == "node" else "set -a; . ./.env; set +a"
        yield f"Nothing in {app.folder or 'this folder'} reads .env. Before the program starts: {how}"


def _reads_files(app: App, tree: Tree) -> bool:
    if app.has(*_THEMSELVES) or (app.is_prisma and (app.prisma_major or 0) < 7):
        return True
    return any(inside(path, app.folder) or "/" not in path for path in tree.having(_WHERE, _READERS))
