"""Texts of the files of a small beginning in Python and Go."""

from __future__ import annotations

from typing import Final

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
PLAIN: Final = '''"""Connect to the database and say which it is."""

import psycopg

from settings import settings

with psycopg.connect(settings.database_url.get_secret_value()) as connection:
    row = connection.execute("select current_user, current_setting('server_version')").fetchone()
    print(f"Connected as {row[0]} to PostgreSQL {row[1]}.")
'''
DATABASE: Final = '''"""The engine, and a session for each piece of work."""

from collections.abc import Iterator

{imports}

from settings import settings

engine = create_engine(
    settings.database_url.get_secret_value(),
    pool_pre_ping=True,  # The compute may have slept since the last query.
    pool_recycle=240,  # Neon suspends after five quiet minutes: connections go first.
    pool_size=5,
    max_overflow=5,
    connect_args={{"connect_timeout": 15}},  # Waking takes under a second; a lost packet must not hang.
)


def get_session() -> Iterator[Session]:
    """Give a session, and close it afterwards."""
    with Session(engine) as session:
        yield session
'''
FASTAPI: Final = '''"""The application."""

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
SQLALCHEMY: Final = '''"""Connect to the database and say which it is."""

from sqlalchemy import text

from database import engine

with engine.connect() as connection:
    row = connection.execute(text("select current_user, current_setting('server_version')")).one()
    print(f"Connected as {row[0]} to PostgreSQL {row[1]}.")
'''
GO_MAIN: Final = """package main

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
DJANGO_SETTINGS: Final = '''"""Settings of the project, read from the environment and from .env."""

import os
from pathlib import Path

import environ
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# Without one, sessions end with the process: set it outside development.
SECRET_KEY = os.environ.get("SECRET_KEY") or get_random_secret_key()
DEBUG = env.bool("DEBUG", default=False)
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
DJANGO_URLS: Final = '''"""Where requests go."""

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
DJANGO_MANAGE: Final = '''"""Run Django's commands."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
execute_from_command_line(sys.argv)
'''
