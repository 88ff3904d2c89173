"""The Alembic history is broken, so `alembic upgrade head` fails.

Every revision names the one before it. Two ends (`heads`) make `upgrade head` refuse to choose; a parent
that is not there, two revisions of one id, or revisions that wait for each other make Alembic fail before
it does anything. Two branches that each add a revision and are then merged in git do this silently.

## Instead

```python bad path=alembic/versions/a1_first.py case=heads
revision = "a1"
down_revision = None
```

```python bad path=alembic/versions/b1_left.py case=heads
revision = "b1"
down_revision = "a1"
```

```python bad path=alembic/versions/b2_right.py case=heads
revision = "b2"  # <- finding
down_revision = "a1"
```

```python good path=alembic/versions/a1_first.py case=line
revision = "a1"
down_revision = None
```

```python good path=alembic/versions/b1_left.py case=line
revision = "b1"
down_revision = "a1"
```

```python good path=alembic/versions/b2_right.py case=line
revision = "b2"
down_revision = "b1"
```

```python bad path=alembic/versions/c1_lost.py
revision = "c1"
down_revision = "b9"  # <- finding
```

## When it does not matter

Branches on purpose carry labels, and a merge revision joins two heads:

```python good path=alembic/versions/a1_first.py case=merge
revision = "a1"
down_revision = None
```

```python good path=alembic/versions/b1_left.py case=merge
revision = "b1"
down_revision = "a1"
```

```python good path=alembic/versions/b2_right.py case=merge
revision = "b2"
down_revision = "a1"
```

```python good path=alembic/versions/c1_merge.py case=merge
revision = "c1"
down_revision = ("b1", "b2")
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory, History, Revision
from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB612", Category.MIGRATION, Severity.HIGH)
def check(alembic: AlembicHistory, python: PythonFiles) -> Iterator[Finding]:
    """Find histories that Alembic cannot walk."""
    for history in alembic.histories:
        yield from _missing(history)
        yield from _heads(history)
        for file in python.unparsed:
            if file.path.rpartition("/")[0] == history.folder:
                yield Finding(
                    file.path, file.line,
                    f"Alembic loads every file in {history.folder}: this one is no Python, so all fails.",
                    (f"Repair it: {file.reason}.",),
                )  # fmt: skip


def _missing(history: History) -> Iterator[Finding]:
    for revision, parent in history.missing:
        yield Finding(
            revision.path, revision.parent_line,
            f"Alembic fails: {revision.id} follows {parent}, which no file defines.",
            ("Bring the file of the missing revision back from git, or",
             "set down_revision to the revision that databases really have."),
            f"git log --all --oneline -S '{parent}' -- {history.folder}",
        )  # fmt: skip
    for revision, other in history.twins:
        yield Finding(
            revision.path, revision.line,
            f"{other.path} has the id {revision.id} too; Alembic never runs one of them.",
            ("Give one of them an id of its own, and point its children there.",),
            "alembic revision -m '…'  # makes a fresh id",
        )  # fmt: skip
    for revision in history.cycle[:1]:
        yield Finding(
            revision.path, revision.parent_line,
            f"Revision {revision.id} waits for itself, so Alembic refuses the whole history.",
            ("Set down_revision to the revision that came before it.",),
            "alembic history",
        )  # fmt: skip


def _heads(history: History) -> Iterator[Finding]:
    heads = [h for h in history.heads if not _labelled(h)]
    if len(heads) < 2 or history.missing or any(_labelled(r) for r in history.revisions):
        return
    first, *others = heads
    for head in others:
        yield Finding(
            head.path, head.line,
            f"`alembic upgrade head` refuses to choose: {first.id} and {head.id} both are last.",
            (f"Set down_revision of {head.id} to {first.id} if no database has it yet.",
             "Otherwise join them with a merge revision."),
            f"alembic merge -m 'join heads' {first.id} {head.id}",
        )  # fmt: skip


def _labelled(revision: Revision) -> bool:
    labels = revision.file.own_names.get("branch_labels")
    return isinstance(labels, ast.expr) and not (isinstance(labels, ast.Constant) and labels.value is None)
