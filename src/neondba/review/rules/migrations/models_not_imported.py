"""Alembic does not see all models, so it forgets their tables or drops them.

`alembic revision --autogenerate` compares the database with the models that `env.py` has imported. A model
in a module that nobody imports there does not exist for it: its table is never made, and where the table is
there, the next revision drops it with all rows.

## Instead

```python bad path=alembic/env.py case=forgotten
from alembic import context

from app.base import Base
from app.users import User

target_metadata = Base.metadata  # <- finding
context.configure(target_metadata=target_metadata)
```

```python bad path=app/base.py case=forgotten
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass
```

```python bad path=app/users.py case=forgotten
from sqlalchemy.orm import Mapped, mapped_column

from app.base import Base


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
```

```python bad path=app/notes.py case=forgotten
from sqlalchemy.orm import Mapped, mapped_column

from app.base import Base


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
```

```python good path=alembic/env.py case=imported
from alembic import context
from sqlmodel import SQLModel

from app import models

target_metadata = SQLModel.metadata
context.configure(target_metadata=target_metadata)
```

```python good path=app/models.py case=imported
from sqlmodel import Field, SQLModel


class Note(SQLModel, table=True):
    id: int = Field(primary_key=True)
```

```python good path=alembic/env.py case=dotted
import app.models
from alembic import context
from app.settings import settings
from sqlmodel import SQLModel

target_metadata = SQLModel.metadata
context.configure(target_metadata=target_metadata)
```

```python good path=app/models.py case=dotted
from sqlmodel import Field, SQLModel


class Note(SQLModel, table=True):
    id: int = Field(primary_key=True)
```

```python good path=app/settings.py case=dotted
settings = {}
```

## When it does not matter

The modules are found as the program runs, or the models belong to another metadata:

```python good path=alembic/env.py case=walked
from importlib import import_module
from pkgutil import walk_packages

from alembic import context
from sqlmodel import SQLModel

import app

for found in walk_packages(app.__path__, "app."):
    import_module(found.name)
target_metadata = SQLModel.metadata
context.configure(target_metadata=target_metadata)
```

```python good path=app/models.py case=walked
from sqlmodel import Field, SQLModel


class Note(SQLModel, table=True):
    id: int = Field(primary_key=True)
```

A folder that env.py puts on the path is where its imports begin, and another program's model of the same
table adds nothing:

```python good path=phase_3/backend/alembic/env.py case=path
import sys
from pathlib import Path

from alembic import context
from sqlmodel import SQLModel

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from models.task import Task

target_metadata = SQLModel.metadata
```

```python good path=phase_3/worker/models.py case=path
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
```

```python good path=phase_3/backend/src/models/task.py case=path
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Class, PythonFile, PythonFiles
from neondba.project.schema import Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._application import NOT_THE_APP
from neondba.review.rules.migrations._shared import listed

DYNAMIC = ("import_module", "walk_packages", "iter_modules", "__import__", "exec(", "automap", "glob(")
FOLDER = re.compile(r"[\"'/](\w+)[\"']")
"""How a folder is named that goes onto the path: `parent / "src"`."""
DEEPEST = 6


@rule("NDB622", Category.MIGRATION, Severity.MEDIUM)
def check(python: PythonFiles, schema: Schema) -> Iterator[Finding]:
    """Find models that env.py does not import, directly or through other modules."""
    for file in python.containing("target_metadata"):
        if not file.path.endswith("env.py") or NOT_THE_APP.search(file.path):
            continue
        metadata = file.own_names.get("target_metadata")
        if not isinstance(metadata, ast.Attribute) or metadata.attr != "metadata":
            continue
        seen = _imported(python, file)
        owner = file.resolve(metadata.value)
        if seen is None or owner is None:
            continue
        models = [t for t in schema.definitions if t.source in ("sqlalchemy", "sqlmodel") and t.label]
        ours = [t for t in models if not NOT_THE_APP.search(t.path) and _belongs(python, t, owner)]
        beside = [t for t in ours if t.root and file.path.startswith(f"{t.root}/")]
        known = {t.name.key for t in ours if t.path in seen}
        missing = [t for t in beside or ours if t.path not in seen and t.name.key not in known]
        if missing:
            yield _finding(file, metadata.lineno, missing)


def _imported(python: PythonFiles, start: PythonFile) -> set[str] | None:
    """Give the files that importing one file runs; `None` where that is only known as it runs."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file.path in seen:
            continue
        seen.add(file.path)
        if any(word in file.text for word in DYNAMIC):
            return None
        for qualified in (*file.imports.values(), *_modules(file)):
            waiting += _files(python, qualified)
            for base in _added(start) if file is start else ():
                waiting += _files(python, f"{base}.{qualified}")
    return seen


def _added(file: PythonFile) -> list[str]:
    """Give the packages whose folder env.py puts on the path, so that imports leave their name out."""
    if "sys.path" not in file.text:
        return []
    above = file.module.split(".")[:-1]
    bases = [".".join(above[:length]) for length in range(1, len(above))]
    named = set(FOLDER.findall(file.text))
    return [*bases, *(f"{base}.{name}" for base in bases for name in named)]


def _modules(file: PythonFile) -> Iterator[str]:
    """Give the whole names of `import app.models`, which binds `app` alone."""
    for node in file.index.imports:
        for alias in node.names if isinstance(node, ast.Import) else ():
            first, _, rest = alias.name.partition(".")
            if rest and not alias.asname:
                yield f"{file.imports.get(first, first)}.{rest}"


def _files(python: PythonFiles, qualified: str) -> Iterator[PythonFile]:
    """Give the modules that an import of a qualified name runs: packages above it, too."""
    parts = qualified.removesuffix(".*").split(".")
    for length in range(1, len(parts) + 1):
        found = python.module(".".join(parts[:length]))
        if found is not None:
            yield found


def _belongs(python: PythonFiles, table: Table, owner: str) -> bool:
    """Tell whether a model's class descends from the class whose metadata counts."""
    file = python.get(table.path)
    class_ = next((c for c in file.classes if c.name == table.label), None) if file else None
    return bool(file and class_ and _descends(python, file, class_, owner, 0))


def _descends(python: PythonFiles, file: PythonFile, class_: Class, owner: str, depth: int) -> bool:
    wanted = python.definition(owner)
    for base in class_.bases:
        qualified = file.resolve(base) or ""
        found = python.definition(qualified)
        if qualified == owner or (found and wanted and found[1] is wanted[1]):
            return True
        inner = found[1] if found else None
        if found and isinstance(inner, Class) and depth < DEEPEST:
            higher = _descends(python, found[0], inner, owner, depth + 1)
            if higher:
                return True
    return False


def _finding(file: PythonFile, line: int, missing: list[Table]) -> Finding:
    names = listed(str(t.name) for t in missing[:6]) + (" and others" if len(missing) > 6 else "")
    modules = dict.fromkeys(t.path.removesuffix(".py").replace("/", ".") for t in missing)
    return Finding(
        file.path,
        line,
        f"autogenerate does not know {names}: nothing imports {'their' if len(missing) > 1 else 'its'} "
        "module here, so it leaves such tables out, and drops them where they are.",
        ("Import every module with models in env.py, or in the package that env.py imports.",),
        "\n".join(f"import {module}" for module in modules),
    )
