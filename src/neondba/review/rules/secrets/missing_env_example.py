"""Code reads variables, and no `.env.example` names them.

Whoever sets up the project, a second environment or a preview finds out by failing what has to be
set. A committed file with names and no values is the contract between code and environment.

## Instead
```python bad path=backend/config.py case=missing
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    database_url: str  # <- finding
    better_auth_secret: str
    mail_key: str
```
```text bad path=.gitignore case=missing
.env
```
```bash fixed path=.env.example case=missing
DATABASE_URL=
BETTER_AUTH_SECRET=
MAIL_KEY=
```
```python good path=backend/config.py case=present
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    database_url: str
    better_auth_secret: str
    mail_key: str
```
```bash good path=backend/.env.example case=present
DATABASE_URL=
BETTER_AUTH_SECRET=
MAIL_KEY=
```
```typescript bad path=src/db.ts case=script
export const url = process.env.DATABASE_URL;
```
```json bad path=package.json case=script
{"name": "shop", "dependencies": {"pg": "8"}}  // <- finding
```
An example without a line says as little:
```bash bad path=.env.example case=empty
# <- finding
```
```python bad path=app.py case=empty
import os

KEY = os.environ["DATABASE_URL"]
```
A file of one part names nothing of the other's:
```javascript bad path=api/index.js case=part
const url = process.env.DATABASE_URL;
const secret = process.env.JWT_SECRET;
```
```json bad path=api/package.json case=part
{"name": "api"}  // <- finding
```
```bash bad path=web/.env.example case=part
VITE_API_URL=
```
## When it does not matter
One or two variables that the README explains; variables with usable defaults:
```python good path=app.py case=few
import os

DATABASE_URL = os.environ["DATABASE_URL"]
```
```markdown good path=README.md case=few
Set `DATABASE_URL` first.
```
```python good path=config.py case=defaults
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    log_level: str = "info"
    timezone: str = "UTC"
    title: str = "Shop"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.environment import Environment, Read
from neondba.project.gitignore import Ignores
from neondba.project.places import is_script, is_test
from neondba.project.services import Services
from neondba.project.tree import Tree
from neondba.review.editing import appended
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import has_example, some, unnamed

_GIVEN = frozenset(
    [
        "HOME",
        "PATH",
        "PWD",
        "USER",
        "SHELL",
        "TMPDIR",
        "CI",
        "PORT",
        "NODE_ENV",
        "VERCEL",
        "VERCEL_URL",
        "HOSTNAME",
        "TZ",
        "LANG",
        "DEBUG",
    ]
)


@rule("NDB113", Category.ENV, Severity.LOW)
def check(environment: Environment, ignores: Ignores, tree: Tree, services: Services) -> Iterator[Finding]:
    """Report the first reader of a project that documents none of its variables."""
    needed = [r for r in environment.reads if r.required and _is_needed(r)]
    names = list(dict.fromkeys(r.name for r in sorted(needed, key=_rank)))
    empty = [f.path for f in environment.files if f.is_example and not (tree.text(f.path) or "").strip()]
    if names and empty and all(f.path in empty for f in environment.files if f.is_example):
        yield _empty(empty[0], names)
        return
    if has_example(tree) or ignores.ignores(".env.example") or _tracks_one(environment, tree):
        yield from _parts(environment, ignores, tree, services)
        return
    explained = "\n".join(tree.text(p) or "" for p in tree.named(suffix=(".md", ".rst")) if p.count("/") <= 1)
    if len(names) < 3 and all(name in explained for name in names):
        return
    yield _missing(tree, needed, names, ".env.example")


def _parts(environment: Environment, ignores: Ignores, tree: Tree, services: Services) -> Iterator[Finding]:
    """Find parts of the project whose variables stand in no example, of theirs or of others."""
    for folder, reads in unnamed(environment, tree, services).items():
        target = f"{folder}/.env.example"
        needed = [r for r in reads if _is_needed(r)]
        if len(needed) > 1 and not ignores.ignores(target):
            yield _missing(tree, needed, [r.name for r in needed], target)


def _missing(tree: Tree, needed: list[Read], names: list[str], target: str) -> Finding:
    first = min(needed, key=lambda r: (_rank(r), r.path, r.line))
    manifest = _manifest(tree, first)
    return Finding(
        manifest or first.path,
        1 if manifest else first.line,
        f"{first.path} needs {some(names)} "
        f"from its environment, and no {target} says so. Whoever sets up another environment "
        "finds out by failing.",
        steps=(f"Commit a {target} with these names and no values.",),
        snippet="\n".join(f"{name}=" for name in names),
        edits=appended(target, None, *(f"{name}=" for name in names)),
    )


def _manifest(tree: Tree, read: Read) -> str:
    """Give the package.json of a program in JavaScript: it has no settings class to point to."""
    if read.path.endswith(".py"):
        return ""
    found = [p for p in tree.named("package.json") if read.path.startswith(p.removesuffix("package.json"))]
    return max(found, key=len, default="")


def _empty(path: str, names: list[str]) -> Finding:
    return Finding(
        path,
        1,
        f"{path} is empty, but the program needs {some(names)} from its environment. Whoever copies it "
        "finds out by failing.",
        steps=("Write the names, without values, into it.",),
        snippet="\n".join(f"{name}=" for name in names),
        edits=appended(path, "", *(f"{name}=" for name in names)),
    )


def _tracks_one(environment: Environment, tree: Tree) -> bool:
    """Tell whether git has a file of variables, which then names them."""
    return any(tree.is_tracked(file.path) and not file.is_test for file in environment.files)


def _is_needed(read: Read) -> bool:
    return read.name not in _GIVEN and not is_test(read.path) and not is_script(read.path)


def _rank(read: Read) -> int:
    """Put settings classes first, then the address of the database."""
    return 0 if read.from_class else 1 if "DATABASE" in read.name or "POSTGRES" in read.name else 2
