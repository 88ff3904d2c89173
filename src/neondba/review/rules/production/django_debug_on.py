"""Django runs in debug mode wherever it runs.

With `DEBUG = True` an error page shows settings, variables and the statement that failed to whoever caused
it, and each connection remembers every statement it has sent, until the memory is full.

## Instead
```python bad path=shop/settings.py case=fixed
INSTALLED_APPS = ["django.contrib.auth", "orders"]

DEBUG = True  # <- finding
```
```python good path=shop/settings.py case=fixed
import os

INSTALLED_APPS = ["django.contrib.auth", "orders"]

DEBUG = os.environ.get("DEBUG") == "1"
```
## When it does not matter
Settings of a developer's desk and of tests, and those where another line decides:
```python good path=shop/settings/dev.py case=desk
from .base import *

INSTALLED_APPS = ["django.contrib.auth", "debug_toolbar"]
DEBUG = True
```
```python good path=shop/settings.py case=decided
import os

INSTALLED_APPS = ["django.contrib.auth"]
DEBUG = True
if os.environ.get("PRODUCTION"):
    DEBUG = False
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps

_DESK = re.compile(
    r"(?:^|[/_.-])(?:dev|develop|development|local|debug|test|testing|ci|example)(?=[/_.-])", re.IGNORECASE
)
_SETTINGS = re.compile(r"(?:^|/)settings(?:/\w+)?\.py$")


@rule("NDB918", Category.PRODUCTION, Severity.MEDIUM)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report settings of Django in which DEBUG is on for good."""
    for file in apps(python, "INSTALLED_APPS"):
        if not _SETTINGS.search(file.path) or _DESK.search(file.path) or file.tree is None:
            continue
        said = [n for n in ast.walk(file.tree) if isinstance(n, ast.Assign) and _is_debug(n.targets[0])]
        others = _overridden(python, file.path)
        if (
            len(said) == 1
            and isinstance(said[0].value, ast.Constant)
            and said[0].value.value is True
            and not others
        ):
            yield Finding(
                file.path,
                said[0].lineno,
                f"{file.path} shows settings, variables and statements to whoever causes an error, in "
                "production too, and keeps every statement in memory.",
                steps=("Read DEBUG from the environment, and let it be off by default.",),
                snippet='DEBUG = os.environ.get("DEBUG") == "1"',
            )


def _is_debug(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "DEBUG"


def _overridden(python: PythonFiles, path: str) -> bool:
    """Tell whether other settings take these and say something else."""
    module = path.rpartition("/")[2].removesuffix(".py")
    taken = re.compile(rf"from [\w.]*\b{module} import \*")
    return any(f.path != path and taken.search(f.text) for f in python.containing("DEBUG = False"))
