"""One call away from an empty database.

`drop_all` and `DROP SCHEMA … CASCADE` delete every table with its rows, in whatever database the
environment happens to name. Nothing here makes sure that it is a development branch; one shell with the
production URL is enough.

## Instead

```python bad path=scripts/reset_db.py
from app.models import Base, engine

Base.metadata.drop_all(bind=engine)  # <- finding
Base.metadata.create_all(bind=engine)
```

```sh
neondba branch create scratch
```

```python good path=scripts/reset_db.py
from app.models import Base, engine
from app.settings import settings

if settings.environment == "development":
    Base.metadata.drop_all(bind=engine)
```

## When it does not matter

Tests throw their own database away:

```python good path=tests/conftest.py
from app.models import Base, engine

Base.metadata.drop_all(bind=engine)
```

```python good path=scripts/reset_db.py
import sys

from app.models import Base, engine
from app.settings import settings


def reset():
    if settings.is_production:
        sys.exit("never in production")
    Base.metadata.drop_all(bind=engine)


if __name__ == "__main__":
    reset()
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Call, PythonFile, PythonFiles
from neondba.project.sqlalchemy_types import last_name
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._application import NOT_THE_APP, callers, guarded

DROP_SCHEMA = re.compile(
    r"\bdrop\s+(?:schema\s+(?:if\s+exists\s+)?public\b|database\b(?:\s+if\s+exists)?(?:\s+(?P<name>\w+))?)",
    re.IGNORECASE,
)
REFUSES = re.compile(
    r"prod|environment|\benv\b|debug|confirm|yes|are you sure|input\(|localhost|sqlite", re.IGNORECASE
)
OPTION = re.compile(
    r"^(?:args|arguments|options|opts|parsed|ns|cli|params)\.\w*(?:reset|drop|clear|wipe|recreate|force|fresh|clean)\w*$|"
    r"^[\"']--\w*(?:reset|drop|clear|wipe|recreate|force|fresh|clean)[\w-]*[\"'] in sys\.argv",
    re.IGNORECASE,
)
"""An option of the command line that says what will happen to whoever gives it."""
RUNS = frozenset({"execute", "exec_driver_sql", "executescript"})


@rule("NDB616", Category.MIGRATION, Severity.HIGH)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Find resets of the whole database outside tests without a condition."""
    for file in python.containing("drop_all", "drop schema", "DROP SCHEMA", "drop database", "DROP DATABASE"):
        if NOT_THE_APP.search(file.path) or "down_revision" in file.text:
            continue
        for call in file.calls:
            if _resets(file, call.node) and _is_reached(python, file, call) and not _asks(file, call):
                yield Finding(
                    file.path,
                    call.node.lineno,
                    "Run with the production URL in the environment, this deletes every table and all rows.",
                    ("Refuse to run unless the environment says development, before anything is dropped.",
                     "Better: throw a branch away and make a new one from its parent."),
                    'if settings.environment != "development":\n    raise SystemExit("only in development")',
                    severity=Severity.MEDIUM if _waits(python, file, call) else None,
                )  # fmt: skip


def _is_reached(python: PythonFiles, file: PythonFile, call: Call) -> bool:
    """Tell whether the code runs: at import, in a script, or called by something; and without a condition."""
    if guarded(file, call):
        return False
    function = call.function
    return function is None or "__main__" in file.text or any(callers(python, file, function))


def _waits(python: PythonFiles, file: PythonFile, call: Call) -> bool:
    """Tell whether every call of the function waits for an option that says what it does."""
    calls = list(callers(python, file, call.function)) if call.function else [(file, call)]
    return bool(calls) and all(_was_told(where, one) for where, one in calls)


def _was_told(file: PythonFile, call: Call) -> bool:
    """Tell whether a call waits for an option of that name: `if args.reset:`."""
    scope: ast.AST | None = call.function.node if call.function else file.tree
    return any(
        node.lineno <= call.node.lineno <= (node.end_lineno or 0) and OPTION.search(ast.unparse(node.test))
        for node in (ast.walk(scope) if scope else ())
        if isinstance(node, ast.If)
    )


def _resets(file: PythonFile, node: ast.Call) -> bool:
    if last_name(node) == "drop_all":
        return isinstance(node.func, ast.Attribute)
    if any(isinstance(a, ast.Attribute) and a.attr == "drop_all" for a in node.args):
        return True
    found = DROP_SCHEMA.search(ast.unparse(node.args[0])) if last_name(node) in RUNS and node.args else None
    return found is not None and not _is_a_copy(file, found["name"])


def _is_a_copy(file: PythonFile, database: str | None) -> bool:
    """Tell whether the code itself makes the database as the copy of another one."""
    named = rf"\bcreate\s+database\s+{database}\s+(with\s+)?template\b"
    return database is not None and bool(re.search(named, file.text, re.IGNORECASE))


def _asks(file: PythonFile, call: Call) -> bool:
    """Tell whether the function looks at the environment or asks before it drops."""
    lines = file.text.split("\n")
    first = call.function.line if call.function else 1
    return bool(REFUSES.search("\n".join(lines[first : call.node.lineno - 1]))) if call.function else False
