"""Files for a folder that has none: a small program that connects, and the project's own configuration."""

from __future__ import annotations

from typing import Final

from neondba.connections.setup_stacks import Start
from neondba.project.stack import App

SETTINGS: Final = '''"""Settings of the program, read from the environment and from .env."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the database is. Values never stand in the code."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: SecretStr
    """Through the pooler: for requests."""
    database_url_unpooled: SecretStr
    """Past the pooler: for migrations, LISTEN and long sessions."""


settings = Settings()
'''
_PLAIN: Final = '''"""Connect to the database and say which it is."""

import psycopg

from settings import settings

with psycopg.connect(settings.database_url.get_secret_value()) as connection:
    row = connection.execute("select current_user, current_setting('server_version')").fetchone()
    print(f"Connected as {row[0]} to PostgreSQL {row[1]}.")
'''
_DATABASE: Final = '''"""The engine, and a session for each piece of work."""

from collections.abc import Iterator

from sqlalchemy.orm import Session
{imports}
from settings import settings

engine = create_engine(
    settings.database_url.get_secret_value(),
    pool_pre_ping=True,  # The compute may have slept since the last query.
    pool_recycle=240,  # Neon suspends after five quiet minutes: connections go first.
    pool_size=5,
    max_overflow=5,
)


def get_session() -> Iterator[Session]:
    """Give a session, and close it afterwards."""
    with Session(engine) as session:
        yield session
'''
_FASTAPI: Final = '''"""The application."""

from typing import Annotated

from fastapi import Depends, FastAPI
from sqlmodel import Session, text

from database import get_session

app = FastAPI()


@app.get("/health")
def health(session: Annotated[Session, Depends(get_session)]) -> dict[str, str]:
    """Say whether the database answers."""
    version = session.connection().execute(text("select current_setting('server_version')")).scalar_one()
    return {"database": version}
'''
_SQLALCHEMY: Final = '''"""Connect to the database and say which it is."""

from sqlalchemy import text

from database import engine

with engine.connect() as connection:
    row = connection.execute(text("select current_user, current_setting('server_version')")).one()
    print(f"Connected as {row[0]} to PostgreSQL {row[1]}.")
'''
PRISMA_CONFIG: Final = """import "dotenv/config";
import { defineConfig, env } from "prisma/config";

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  // Migrations go past the pooler; the program itself reads DATABASE_URL.
  datasource: { url: env("DATABASE_URL_UNPOOLED") },
});
"""
_PRISMA_SCHEMA: Final = """generator client {
  provider = "prisma-client"
  output   = "../generated/prisma"
}

datasource db {
  provider = "postgresql"
}

model Note {
  id        Int      @id @default(autoincrement())
  text      String
  createdAt DateTime @default(now()) @db.Timestamptz
}
"""
_PRISMA_MAIN: Final = """import "dotenv/config";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/prisma/client";

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL });
const prisma = new PrismaClient({ adapter });

console.log(await prisma.$queryRaw`select current_user, current_setting('server_version')`);
await prisma.$disconnect();
"""
DRIZZLE_CONFIG: Final = """import "dotenv/config";
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./src/schema.ts",
  out: "./drizzle",
  // Migrations go past the pooler; the program itself reads DATABASE_URL.
  dbCredentials: { url: process.env.DATABASE_URL_UNPOOLED! },
});
"""
_DRIZZLE_SCHEMA: Final = """import { integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const note = pgTable("note", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  text: text().notNull(),
  createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
});
"""
_DRIZZLE_MAIN: Final = """import "dotenv/config";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
const db = drizzle(pool);

console.log((await db.execute(sql`select current_user, current_setting('server_version')`)).rows);
await pool.end();
"""
_NEXT_DB: Final = """import { Pool } from "pg";

const kept = globalThis as unknown as { pool?: Pool };

// One pool for the process: in development each reload would open another.
export const pool = (kept.pool ??= new Pool({ connectionString: process.env.DATABASE_URL, max: 5 }));
"""
_NEXT_ROUTE: Final = """import { pool } from "../../lib/db";

export const dynamic = "force-dynamic";

export async function GET() {
  const { rows } = await pool.query("select current_setting('server_version') as version");
  return Response.json({ database: rows[0].version });
}
"""
_NEXT_LAYOUT: Final = """export default function Layout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
"""
_NEXT_PAGE: Final = """export default function Page() {
  return <a href="/health">health</a>;
}
"""
_GO_MAIN: Final = """package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/joho/godotenv"
)

func main() {
	// Where the platform sets the variables there is no .env.
	_ = godotenv.Load()
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal("DATABASE_URL cannot be read")
	}
	defer pool.Close()
	var role, version string
	row := pool.QueryRow(ctx, "select current_user, current_setting('server_version')")
	if err := row.Scan(&role, &version); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Connected as %s to PostgreSQL %s.\\n", role, version)
}
"""
_DJANGO_SETTINGS: Final = '''"""Settings of the project, read from the environment and from .env."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

SECRET_KEY = env("SECRET_KEY", default="set-me-outside-development")
DEBUG = env.bool("DEBUG", default=True)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
ROOT_URLCONF = "config.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Django keeps its own connections; server-side cursors need a session, which the pooler does not keep.
DATABASES = {
    "default": {
        **env.db("DATABASE_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
'''
_DJANGO_URLS: Final = '''"""Where requests go."""

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path


def health(request: HttpRequest) -> JsonResponse:
    """Say whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version')")
        return JsonResponse({"database": cursor.fetchone()[0]})


urlpatterns = [path("health", health)]
'''
_DJANGO_MANAGE: Final = '''"""Run Django's commands."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
execute_from_command_line(sys.argv)
'''


def _package(name: str, run: str, needs: dict[str, str], dev: dict[str, str]) -> str:
    def block(entries: dict[str, str]) -> str:
        return ",\n".join(f'    "{key}": "{version}"' for key, version in entries.items())

    return (
        f'{{\n  "name": "{name}",\n  "private": true,\n  "type": "module",\n  "scripts": {{ {run} }},\n'
        f'  "dependencies": {{\n{block(needs)}\n  }},\n  "devDependencies": {{\n{block(dev)}\n  }}\n}}\n'
    )


_TSX: Final = {"tsx": "^4", "typescript": "^5"}
_PG: Final = {"pg": "^8"}
_PG_TYPES: Final = {"@types/pg": "^8", "@types/node": "^22"}


def files_of(start: Start) -> dict[str, str]:
    """Give the files of a small beginning, by path."""
    sqlmodel = _DATABASE.format(imports="from sqlmodel import create_engine\n").replace(
        "from sqlalchemy.orm import Session\nfrom sqlmodel import create_engine",
        "from sqlmodel import Session, create_engine",
    )
    alchemy = _DATABASE.format(imports="from sqlalchemy import create_engine\n").replace(
        "from sqlalchemy.orm import Session\nfrom sqlalchemy import create_engine",
        "from sqlalchemy import create_engine\nfrom sqlalchemy.orm import Session",
    )
    driver = "psycopg[binary]>=3.2\npydantic-settings>=2.6\n"
    made: dict[Start, dict[str, str]] = {
        "plain": {"settings.py": SETTINGS, "main.py": _PLAIN, "requirements.txt": driver},
        "sqlalchemy": {
            "settings.py": SETTINGS, "database.py": alchemy, "main.py": _SQLALCHEMY,
            "requirements.txt": "sqlalchemy>=2\n" + driver,
        },
        "fastapi": {
            "settings.py": SETTINGS, "database.py": sqlmodel, "main.py": _FASTAPI,
            "requirements.txt": "fastapi[standard]>=0.115\nsqlmodel>=0.0.22\n" + driver,
        },
        "django": {
            "manage.py": _DJANGO_MANAGE, "config/__init__.py": "", "config/settings.py": _DJANGO_SETTINGS,
            "config/urls.py": _DJANGO_URLS,
            "requirements.txt": "django>=5\ndjango-environ>=0.11\npsycopg[binary]>=3.2\n",
        },
        "prisma": {
            "package.json": _package(
                "app", '"start": "tsx index.ts"',
                {"@prisma/adapter-pg": "^7", "@prisma/client": "^7", "dotenv": "^17", **_PG},
                {"prisma": "^7", **_TSX, **_PG_TYPES},
            ),
            "prisma.config.ts": PRISMA_CONFIG,
            "prisma/schema.prisma": _PRISMA_SCHEMA, "index.ts": _PRISMA_MAIN,
        },
        "drizzle": {
            "package.json": _package(
                "app", '"start": "tsx src/index.ts"', {"drizzle-orm": "^0.44", "dotenv": "^17", **_PG},
                {"drizzle-kit": "^0.31", **_TSX, **_PG_TYPES},
            ),
            "drizzle.config.ts": DRIZZLE_CONFIG,
            "src/schema.ts": _DRIZZLE_SCHEMA, "src/index.ts": _DRIZZLE_MAIN,
        },
        "next": {
            "package.json": _package(
                "app", '"dev": "next dev", "build": "next build", "start": "next start"',
                {"next": "^15", "react": "^19", "react-dom": "^19", **_PG},
                {"typescript": "^5", "@types/react": "^19", **_PG_TYPES},
            ),
            "lib/db.ts": _NEXT_DB, "app/health/route.ts": _NEXT_ROUTE, "app/layout.tsx": _NEXT_LAYOUT,
            "app/page.tsx": _NEXT_PAGE,
        },
        "go": {
            "go.mod": "module app\n\ngo 1.23\n\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.7.2\n"
            "\tgithub.com/joho/godotenv v1.5.1\n)\n",
            "main.go": _GO_MAIN,
        },
    }  # fmt: skip
    return made[start]


NEXT: Final[dict[Start, tuple[str, ...]]] = {
    "plain": ("pip install -r requirements.txt && python main.py",),
    "sqlalchemy": ("pip install -r requirements.txt && python main.py",),
    "fastapi": ("pip install -r requirements.txt && fastapi dev main.py",),
    "django": ("pip install -r requirements.txt && python manage.py runserver",),
    "prisma": ("npm install && npx prisma generate && npx prisma migrate dev --name first && npm start",),
    "drizzle": ("npm install && npx drizzle-kit generate && npx drizzle-kit migrate && npm start",),
    "next": ("npm install && npm run dev",),
    "go": ("go mod tidy && go run .",),
}


def ignored_by_tools(start: Start) -> tuple[str, ...]:
    """Give the folders of a beginning's tools that git should pass by."""
    if start == "go":
        return ()
    if start in ("prisma", "drizzle", "next"):
        return (
            "node_modules",
            *(("generated",) if start == "prisma" else (".next",) if start == "next" else ()),
        )
    return (".venv", "__pycache__")


def settings_place(app: App, paths: frozenset[str]) -> str | None:
    """Give the path of a settings module for Python code that has none; nothing where both are taken."""
    prefix = f"{app.folder}/" if app.folder else ""
    package = next(
        (f"{prefix}{name}/" for name in ("app", "src/app") if f"{prefix}{name}/__init__.py" in paths), prefix
    )
    return next(
        (p for p in (f"{package}settings.py", f"{package}database_settings.py") if p not in paths), None
    )
