"""No ignore rule keeps the project's `.env` file out of git.

The code reads its variables, so sooner or later somebody writes a `.env` file; the next
`git add .` publishes it. The rule costs one line and must be there before the file is.

## Instead
```python bad path=app/settings.py case=missing
import os

DATABASE_URL = os.environ["DATABASE_URL"]
```
```text bad path=.gitignore case=missing
__pycache__/  # <- finding
```
```text fixed path=.gitignore case=missing
__pycache__/
.env
.env.*
!.env.example
```
```python good path=app/settings.py case=present
import os

DATABASE_URL = os.environ["DATABASE_URL"]
```
```text good path=.gitignore case=present
__pycache__/
.env
```
A project without any `.gitignore`:
```python bad path=app/settings.py case=nothing
import os

DATABASE_URL = os.environ["DATABASE_URL"]  # <- finding
```
```text fixed path=.gitignore case=nothing
.env
.env.*
!.env.example
```
Stand-ins in a file that git tracks, and nothing that will ever hide it:
```bash bad path=api/.env case=kept
SECRET_KEY=your-secret-key-here  # <- finding
```
```python bad path=api/app.py case=kept
import os

SECRET_KEY = os.environ["SECRET_KEY"]
```
## When it does not matter
A rule in the folder of the code, or one for many spellings; a project that reads no secret:
```javascript good path=web/db.js case=nested
export const url = process.env.DATABASE_URL;
```
```text good path=web/.gitignore case=nested
.env*
!.env.example
```
```text good path=.gitignore case=nested
dist/
```
```python good path=tool.py case=harmless
import os

print(os.environ.get("HOME"))
```
```text good path=.gitignore case=harmless
dist/
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from neondba.project.environment import Environment, Read
from neondba.project.gitignore import Ignores
from neondba.project.places import is_script, is_test
from neondba.project.tree import FolderTree, Tree
from neondba.review.editing import appended
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets.tracked_env_file import is_real

_SECRET: Final = re.compile(
    r"(?:^|_)(?:DATABASE_URL|POSTGRES_URL|DB_URL|SECRET\w*|PASSWORD|API_KEY|TOKEN|PRIVATE_KEY)$"
)


@rule("NDB111", Category.ENV, Severity.MEDIUM)
def check(environment: Environment, ignores: Ignores, tree: Tree) -> Iterator[Finding]:
    """Report one place: the root's ignore file, else the manifest, else the first reader."""
    reads = [
        r
        for r in environment.reads
        if _SECRET.search(r.name) and not is_test(r.path) and not is_script(r.path)
    ]
    if not reads or (isinstance(tree, FolderTree) and tree.tracked is None):
        return
    if isinstance(tree, FolderTree) and not (tree.folder / ".git").exists():
        return
    kept = [f for f in environment.files if tree.is_tracked(f.path) and f.path.endswith(".env")]
    if kept:
        if not ignores.rules and not any(is_real(entry) for entry in kept[0].entries):
            yield _kept(kept[0].path, reads[0])
        return
    folders = _roots(reads)
    if any(ignores.ignores(f"{folder}.env") for folder in folders):
        return
    yield _finding(tree, reads[0], local=ignores.ignores(".env.local"))


def _roots(reads: list[Read]) -> set[str]:
    """Give the folders in which a `.env` may lie: every one above a reader."""
    folders = {""}
    for read in reads:
        parts = read.path.split("/")[:-1]
        folders |= {"/".join(parts[: i + 1]) + "/" for i in range(len(parts))}
    return folders


def _kept(path: str, read: Read) -> Finding:
    return Finding(
        path,
        1,
        f"git tracks {path}, and the project has no .gitignore: the first real value of {read.name} that "
        "somebody fills in is published with the next commit.",
        steps=(
            f"Rename {path} to {path}.example.",
            "Add these lines to .gitignore.",
        ),
        snippet=".env\n.env.*\n!.env.example",
        evidence=f"{read.name}=…",
        masked=True,
    )


def _finding(tree: Tree, read: Read, *, local: bool) -> Finding:
    manifest = next(
        (p for p in ("package.json", "pyproject.toml", "requirements.txt") if p in tree.paths), ""
    )
    there = ".gitignore" in tree.paths
    path, line = (".gitignore", 1) if there else (manifest, 1) if manifest else (read.path, read.line)
    lacks = "no rule in .gitignore keeps .env out of git" if there else "the project has no .gitignore"
    return Finding(
        path,
        line,
        f"{read.path} reads {read.name}, and {lacks}: the first git add . after somebody writes a .env file "
        "publishes it.",
        steps=("Add these lines to .gitignore.", "Ship a .env.example with the names of the variables."),
        snippet=".env\n.env.*\n!.env.example",
        severity=Severity.LOW if local else None,
        edits=appended(
            ".gitignore", tree.text(".gitignore") if there else None, ".env", ".env.*", "!.env.example"
        ),
    )
