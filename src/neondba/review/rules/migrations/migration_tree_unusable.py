"""Alembic cannot load the migrations: a folder or a name is missing.

`script_location` names a folder without `env.py`, or a revision uses a name that it never imports: what
autogenerate writes for SQLModel's strings needs `import sqlmodel`, for instance. Alembic then fails before
it does anything, and the tables are never made.

## Instead

```ini bad path=alembic.ini case=folder
[alembic]
script_location = backend/migrations  # <- finding
```

```python bad path=alembic/versions/b2_note.py case=name
from alembic import op
import sqlalchemy as sa

revision = "b2"
down_revision = None


def upgrade():
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString()),  # <- finding
    )
```

```python good path=alembic/versions/b2_note.py case=imported
from alembic import op
import sqlalchemy as sa
import sqlmodel

revision = "b2"
down_revision = None


def upgrade():
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString()),
    )
```

SQLModel dropped its own type for a UUID; the first revision that has it is told:

```text bad path=requirements.txt case=gone
sqlmodel>=0.0.22
```

```python bad path=alembic/versions/a1_owner.py case=gone
from alembic import op
import sqlalchemy as sa
import sqlmodel

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "owners",
        sa.Column("id", sqlmodel.sql.sqltypes.GUID(), primary_key=True),  # <- finding
    )
```

```python bad path=alembic/versions/a2_note.py case=gone
from alembic import op
import sqlalchemy as sa
import sqlmodel

revision = "a2"
down_revision = "a1"


def upgrade():
    op.add_column("owners", sa.Column("tenant", sqlmodel.sql.sqltypes.GUID(), nullable=True))
```

## When it does not matter

The folder is there, whatever the path is relative to:

```ini good path=backend/alembic.ini case=there
[alembic]
script_location = %(here)s/alembic
```

```python good path=backend/alembic/env.py case=there
from alembic import context
```

The installed SQLModel still has its old type for a UUID (gone since 0.0.20):

```text good path=requirements.txt case=old
sqlmodel==0.0.18
```

```python good path=alembic/versions/c3_owner.py case=old
from alembic import op
import sqlalchemy as sa
import sqlmodel

revision = "c3"
down_revision = None


def upgrade():
    op.create_table("owners", sa.Column("id", sqlmodel.sql.sqltypes.GUID(), primary_key=True))
```
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import replace

from neondba.project.alembic_history import AlembicHistory, Revision
from neondba.project.python_index import walk
from neondba.project.sqlmodel_version import has_release
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

LOCATION = re.compile(r"^[ \t]*script_location[ \t]*=[ \t]*(?P<path>[^\s#;]+)", re.MULTILINE)
GONE = "sqlmodel.sql.sqltypes.GUID"
GONE_SINCE = 20
"""SQLModel 0.0.20 took SQLAlchemy's own type for a UUID and dropped this one."""
BUILTINS = frozenset(dir(builtins))


@rule("NDB633", Category.MIGRATION, Severity.HIGH)
def check(tree: Tree, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find Alembic folders and names that are not there."""
    for path in tree.named("alembic.ini"):
        yield from _folder(tree, path)
    gone: list[Finding] = []
    for _, revision in alembic.revisions:
        for node, missing in _names(revision):
            if missing != GONE:
                yield _finding(revision, node, missing)
            elif has_release(tree, revision.path, GONE_SINCE) is not False:
                gone.append(_gone(revision, node))
    if gone:
        yield replace(gone[0], also=tuple((f.path, f.line) for f in gone[1:]))


def _folder(tree: Tree, path: str) -> Iterator[Finding]:
    text = tree.text(path) or ""
    match = LOCATION.search(text)
    if match is None or ":" in match["path"]:
        return
    named = re.sub(r"%\(here\)s/?|^\./", "", match["path"]).strip("/")
    base = path.rpartition("/")[0]
    places = {named, f"{base}/{named}".strip("/")}
    if "%(" in named or ".." in named or any(f"{place}/env.py" in tree.paths for place in places):
        return
    if any(p.endswith(f"{named.rpartition('/')[2]}/env.py") for p in tree.paths):
        return
    yield Finding(
        path,
        text.count("\n", 0, match.start()) + 1,
        f"Every alembic command fails: {named} holds no env.py, so no migration can make the tables.",
        (f"Bring {named} back from git, or make it with `alembic init {named}`.",
         "Write the first revision from the models, and run it."),
        f"alembic init {named}",
    )  # fmt: skip


def _names(revision: Revision) -> Iterator[tuple[ast.AST, str]]:
    """Give the first name of a revision that is not there."""
    tree = revision.file.tree
    if tree is None or "*" in revision.file.imports:
        return
    known = _bound(tree) | BUILTINS
    for name in ("upgrade", "downgrade"):
        for node in walk(revision.function(name) or ast.Pass()):
            if missing := _missing(node, known):
                yield node, missing
                return


def _bound(tree: ast.Module) -> set[str]:
    """Give every name that the file sets anywhere: as a rule, one that is set elsewhere is no mistake."""
    found: set[str] = {"__file__", "__name__"}
    for node in walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.ExceptHandler):
            found.add(str(node.name))
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


def _missing(node: ast.AST, known: set[str]) -> str:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in known:
        return node.id
    return GONE if isinstance(node, ast.Attribute) and ast.unparse(node) == GONE else ""


def _gone(revision: Revision, node: ast.AST) -> Finding:
    return Finding(
        revision.path,
        getattr(node, "lineno", revision.line),
        f"Revision {revision.id} fails: SQLModel has no {GONE} since 0.0.{GONE_SINCE}.",
        ("Use sqlalchemy.Uuid instead, in each revision; the column stays the same.",),
        "sa.Uuid()",
    )


def _finding(revision: Revision, node: ast.AST, missing: str) -> Finding:
    return Finding(
        revision.path,
        getattr(node, "lineno", revision.line),
        f"Revision {revision.id} fails with a NameError: nothing defines `{missing}`.",
        ("Import it at the top of the revision, and in script.py.mako for the next ones.",),
        f"import {missing}",
    )
