"""Alembic gets an address in which a percent sign has a meaning of its own.

`set_main_option` writes into a ConfigParser, which takes `%` for the begin of an interpolation. An
address with a quoted character (`%40` for `@`) or `options=endpoint%3D…` stops every migration with
`invalid interpolation syntax`; and the error shows the whole address.

## Instead
```python bad path=alembic/env.py case=plain
from alembic import context
from app.settings import settings

context.config.set_main_option("sqlalchemy.url", settings.DATABASE_URL)  # <- finding
```
```python good path=alembic/env.py case=plain
from alembic import context
from app.settings import settings

context.config.set_main_option("sqlalchemy.url", settings.DATABASE_URL.replace("%", "%%"))
```
```python fixed path=alembic/env.py case=plain
from alembic import context
from app.settings import settings

context.config.set_main_option("sqlalchemy.url", settings.DATABASE_URL.replace("%", "%%"))
```
## When it does not matter
A value that was escaped before, one that has no percent sign, or one put into the section directly:
```python good path=alembic/env.py case=escaped
from alembic import context
from app.settings import settings

url = settings.DATABASE_URL.replace("%", "%%")
context.config.set_main_option("sqlalchemy.url", url)
context.config.set_main_option("sqlalchemy.url", "postgresql://localhost/shop")
section = context.config.get_section("alembic")
section["sqlalchemy.url"] = settings.DATABASE_URL
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import PythonFile, PythonFiles
from neondba.review.editing import replaced
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB207", Category.CONNECTION, Severity.LOW)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report addresses given to `set_main_option` as they are."""
    for file in python.containing("set_main_option"):
        if "%%" in file.text:
            continue
        for node in (call.node for call in file.calls):
            if not (isinstance(node.func, ast.Attribute) and node.func.attr == "set_main_option"):
                continue
            if len(node.args) == 2 and _text(node.args[0]) == "sqlalchemy.url" and not _text(node.args[1]):
                yield _finding(file, node, node.args[1])
                break


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _finding(file: PythonFile, call: ast.Call, value: ast.expr) -> Finding:
    plain = isinstance(value, (ast.Name, ast.Attribute))
    given = ast.unparse(value) if plain else "url"
    doubled = f'{given}.replace("%", "%%")'
    return Finding(
        file.path,
        call.lineno,
        f"A percent sign in {given if plain else 'the address'}, as in a quoted password, stops every "
        "migration "
        "with an interpolation error that shows the address.",
        steps=("Double the percent signs.",),
        snippet=f'{ast.unparse(call.func)}("sqlalchemy.url", {doubled})',
        edits=replaced(file.path, file.text, value, doubled) if plain else (),
    )
