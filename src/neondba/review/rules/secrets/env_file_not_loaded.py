"""A variable is read from the environment, but nothing puts the `.env` file there.

A settings class reads `.env` for its own fields only; `os.getenv` sees what the process was started
with. The value in `.env` is then never used, and what comes instead (nothing, or another address) is
noticed late.

## Instead
```python bad path=app/settings.py case=apart
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    jwt_secret: str

    class Config:
        env_file = ".env"
```
```python bad path=app/db.py case=apart
import os

DATABASE_URL = os.getenv("DATABASE_URL")  # <- finding
```
```python good path=app/settings.py case=together
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    jwt_secret: str
    database_url: str

    class Config:
        env_file = ".env"
```
```python good path=app/db.py case=together
from app.settings import Settings

DATABASE_URL = Settings().database_url
```
## When it does not matter
Something loads the file: python-dotenv, compose, the runner; or the variable is the platform's own:
```python good path=app/settings.py case=loaded
from dotenv import load_dotenv
from pydantic_settings import BaseSettings

load_dotenv()

class Settings(BaseSettings):
    jwt_secret: str

    class Config:
        env_file = ".env"
```
```python good path=app/db.py case=loaded
import os

DATABASE_URL = os.getenv("DATABASE_URL")
PORT = os.getenv("PORT")
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.environment import Environment
from neondba.project.places import is_script, is_test
from neondba.project.python import PythonFiles
from neondba.project.settings_classes import SettingsClasses
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_DATABASE = re.compile(
    r"(?:^|_)(?:DATABASE_UR[LI]|DB_UR[LI]|POSTGRES_URL|DATABASE_DSN|SECRET|SECRET_KEY|PASSWORD)$"
)
_LOADERS = ("dotenv", "environs", "decouple", "dynaconf", "starlette.config")
_RUNNERS = re.compile(
    r"env_file|--env-file|EnvironmentFile|honcho|foreman|\bdirenv\b|secretKeyRef|envFrom|secrets\."
)
_STARTS = (
    ".yml",
    ".yaml",
    ".sh",
    "Makefile",
    "justfile",
    "Procfile",
    ".toml",
    ".service",
    "Dockerfile",
    "package.json",
)


@rule("NDB121", Category.ENV, Severity.MEDIUM)
def check(
    classes: SettingsClasses, environment: Environment, python: PythonFiles, tree: Tree
) -> Iterator[Finding]:
    """Report the first such reader beside a settings class that reads `.env` itself."""
    reading = [c for c in classes.all if ".env" in c.env_file]
    if not reading or next(python.containing(*_LOADERS), None) is not None:
        return
    fields = {v.upper() for c in reading for pair in c.fields.items() for v in pair}
    reads = [
        r for r in environment.reads
        if r.path.endswith(".py") and not r.from_class and _DATABASE.search(r.name) and r.name not in fields
        and not (is_test(r.path) or is_script(r.path))
    ]  # fmt: skip
    if not reads or any(_RUNNERS.search(tree.text(p) or "") for p in tree.named(suffix=_STARTS)):
        return
    read, settings = reads[0], reading[0]
    yield Finding(
        read.path,
        read.line,
        f"{read.path} reads {read.name} with os.getenv, and nothing loads .env into the environment: "
        f"{settings.name} in {settings.path} reads that file for its own fields only. {read.name} from "
        ".env is never used.",
        steps=(f"Declare {read.name.lower()} in {settings.name}, and read it from there.",),
        snippet=f"    {read.name.lower()}: str",
    )
