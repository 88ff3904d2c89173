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

## When it does not matter

The folder is there, whatever the path is relative to:

```ini good path=backend/alembic.ini case=there
[alembic]
script_location = %(here)s/alembic
```

```python good path=backend/alembic/env.py case=there
from alembic import context
```
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory, Revision
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

LOCATION = re.compile(r"^[ \t]*script_location[ \t]*=[ \t]*(?P<path>[^\s#;]+)", re.MULTILINE)
GONE = {"sqlmodel.sql.sqltypes.GUID": "sqlalchemy.Uuid"}
"""Names that current releases of a library no longer have, and what took their place."""
BUILTINS = frozenset(dir(builtins))


@rule("NDB633", Category.MIGRATION, Severity.HIGH)
def check(tree: Tree, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find Alembic folders and names that are not there."""
    for path in tree.named("alembic.ini"):
        yield from _folder(tree, path)
    for _, revision in alembic.revisions:
        yield from _names(revision)


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


def _names(revision: Revision) -> Iterator[Finding]:
    tree = revision.file.tree
    if tree is None or "*" in revision.file.imports:
        return
    known = _bound(tree) | BUILTINS
    for name in ("upgrade", "downgrade"):
        for node in ast.walk(revision.function(name) or ast.Pass()):
            if missing := _missing(node, known):
                yield _finding(revision, node, missing)
                return


def _bound(tree: ast.Module) -> set[str]:
    """Give every name that the file sets anywhere: as a rule, one that is set elsewhere is no mistake."""
    found: set[str] = {"__file__", "__name__"}
    for node in ast.walk(tree):
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
    if isinstance(node, ast.Attribute) and ast.unparse(node) in GONE:
        return ast.unparse(node)
    return ""


def _finding(revision: Revision, node: ast.AST, missing: str) -> Finding:
    line: int = getattr(node, "lineno", revision.line)
    if missing in GONE:
        return Finding(
            revision.path,
            line,
            f"Revision {revision.id} fails: SQLModel no longer has {missing}.",
            (f"Use {GONE[missing]} instead; the column stays the same.",),
            "sa.Uuid()",
        )
    return Finding(
        revision.path,
        line,
        f"Revision {revision.id} fails with a NameError: nothing defines `{missing}`.",
        ("Import it at the top of the revision, and in script.py.mako for the next ones.",),
        f"import {missing}",
    )
