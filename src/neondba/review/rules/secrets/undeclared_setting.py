"""Code reads a setting that the settings class does not have.

`settings.NAME` for a field that nobody declared raises `AttributeError`: at import the program does not
start, in a function the request fails that comes by there first.

## Instead
```python bad path=app/config.py case=undeclared
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    database_url: str

settings = Settings()
```
```python bad path=app/main.py case=undeclared
from app.config import settings

ORIGINS = [settings.frontend_url or "http://localhost:3000"]  # <- finding
```
```python good path=app/config.py case=declared
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    database_url: str
    frontend_url: str = ""

settings = Settings()
```
```python good path=app/main.py case=declared
from app.config import settings

ORIGINS = [settings.frontend_url or "http://localhost:3000"]
```
## When it does not matter
Methods, properties, what a base class or the library gives, and classes that take any name:
```python good path=app/config.py case=others
from pydantic_settings import BaseSettings

class Common(BaseSettings):
    name: str = "shop"

class Settings(Common):
    database_url: str

    @property
    def is_local(self):
        return "localhost" in self.database_url

class Open(BaseSettings):
    model_config = {"extra": "allow"}

settings = Settings()
free = Open()
```
```python good path=app/main.py case=others
from app.config import free, settings

print(settings.name, settings.is_local, settings.model_dump(), free.anything)
if hasattr(settings, "debug"):
    print(settings.debug)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.settings_classes import SettingsClass, SettingsClasses
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB119", Category.ENV, Severity.MEDIUM)
def check(classes: SettingsClasses, python: PythonFiles) -> Iterator[Finding]:
    """Report each name once, at the first place that reads it."""
    closed = {name: found for name, found in classes.instances.items() if found.is_closed}
    if not closed:
        return
    told = set()
    for file in python.containing(*{name.rpartition(".")[2] + "." for name in closed}):
        if is_test(file.path) or file.tree is None:
            continue
        for node, found in _reads(file, closed):
            key = (found.name, node.attr)
            if key not in told and not found.has(node.attr) and f'"{node.attr}"' not in file.text:
                told.add(key)
                yield _finding(file, node, found)


def _reads(
    file: PythonFile, closed: dict[str, SettingsClass]
) -> Iterator[tuple[ast.Attribute, SettingsClass]]:
    names = {local for local in (*file.imports, *file.own_names) if file.resolve(ast.Name(local)) in closed}
    if not names or file.tree is None:
        return
    bound = {p.name for f in file.functions for p in f.parameters}
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if isinstance(node.value, ast.Name) and node.value.id in names - bound:
            yield node, closed[file.resolve(node.value) or ""]


def _finding(file: PythonFile, node: ast.Attribute, found: SettingsClass) -> Finding:
    return Finding(
        file.path,
        node.lineno,
        f"{found.name} in {found.path} has no {node.attr}: this line raises AttributeError.",
        steps=(f"Declare {node.attr} in {found.name}, or read a name that is there.",),
        snippet=f'    {node.attr}: str = ""',
    )
