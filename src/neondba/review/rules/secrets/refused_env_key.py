"""The example of variables names one that the settings class refuses.

A settings class of pydantic-settings that reads a `.env` file refuses every key in it that is no field,
unless it says otherwise. Whoever copies the example gets `Extra inputs are not permitted` instead of a
running program.

## Instead
```python bad path=app/config.py case=refused
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")

    database_url: str
```
```bash bad path=.env.example case=refused
DATABASE_URL=
MAIL_FROM=  # <- finding
```
```python good path=app/config.py case=ignored
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: str
```
```bash good path=.env.example case=ignored
DATABASE_URL=
MAIL_FROM=
```
## When it does not matter
Keys that are fields, in whatever letters; examples of another program; classes that read no file:
```python good path=api/config.py case=fields
from pydantic import Field
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    database_url: str
    sender: str = Field(alias="MAIL_FROM")

    class Config:
        env_file = ".env"
```
```bash good path=api/.env.example case=fields
DATABASE_URL=
MAIL_FROM=
```
```bash good path=web/.env.example case=fields
NEXT_PUBLIC_API_URL=
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.environment import EnvFile, Environment
from neondba.project.settings_classes import SettingsClass, SettingsClasses
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import some


@rule("NDB120", Category.ENV, Severity.MEDIUM)
def check(classes: SettingsClasses, environment: Environment) -> Iterator[Finding]:
    """Report the first refused key of an example that a strict class reads a copy of."""
    for settings in classes.all:
        if settings.extra != "forbid" or settings.env_file.strip("\"'") != ".env" or not settings.is_closed:
            continue
        for example in environment.files:
            if example.is_example and _is_read(settings, example):
                refused = [e for e in example.entries if not _takes(settings, e.key)]
                if refused and len(refused) < len(example.entries):
                    yield _finding(settings, example, refused[0].line, [e.key for e in refused])


def _is_read(settings: SettingsClass, example: EnvFile) -> bool:
    """Tell whether a copy of the example lies where the class, started in its project's folder, reads."""
    folder, _, name = example.path.rpartition("/")
    if not re.fullmatch(r"\.?env\.(?:example|sample|template|dist)", name):
        return False
    known = sum(_takes(settings, entry.key) for entry in example.entries)
    inside = not folder or settings.path.startswith(f"{folder}/")
    return inside and known * 2 >= len(example.entries)


def _takes(settings: SettingsClass, key: str) -> bool:
    lowered = key.lower()
    if "?" in settings.fields.values() or not lowered.startswith(settings.prefix.lower()):
        return True
    names = {settings.prefix.lower() + field.lower() for field in settings.fields}
    return lowered in names | {v.lower() for v in settings.fields.values()} or "__" in key


def _finding(settings: SettingsClass, example: EnvFile, line: int, keys: list[str]) -> Finding:
    return Finding(
        example.path,
        line,
        f"{settings.name} in {settings.path} reads .env and has no field for {some(keys)}: with a copy of "
        f"{example.path} the program stops at its start.",
        steps=(
            f'Say extra="ignore" in {settings.name}, or declare the fields.',
            "Or take the keys out of the example.",
        ),
        snippet='    model_config = SettingsConfigDict(env_file=".env", extra="ignore")',
        evidence=f"{keys[0]}=…",
        masked=True,
    )
