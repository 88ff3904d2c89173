"""Git passes the migrations by, so each environment has a history of its own.

A generated migration is the record of what ran. Where it stays on one machine, a colleague and the
deployment generate others, in another order and under other names: nobody can build the schema again,
and the tool takes the tables that are there for new ones.

## Instead

```text bad path=.gitignore case=drizzle
node_modules
drizzle/  # <- finding
```

```typescript bad path=drizzle.config.ts case=drizzle
import { defineConfig } from "drizzle-kit";

export default defineConfig({ dialect: "postgresql", schema: "./src/schema.ts", out: "./drizzle" });
```

```json bad path=package.json case=drizzle
{ "scripts": { "db:migrate": "drizzle-kit migrate" } }
```

```text good path=.gitignore case=drizzle
node_modules
```

```typescript good path=drizzle.config.ts case=drizzle
import { defineConfig } from "drizzle-kit";

export default defineConfig({ dialect: "postgresql", schema: "./src/schema.ts", out: "./drizzle" });
```

```text bad path=backend/.gitignore case=alembic
__pycache__
alembic/versions/*.py  # <- finding
```

```ini bad path=backend/alembic.ini case=alembic
[alembic]
script_location = alembic
```

```text bad path=.gitignore case=prisma
prisma/migrations  # <- finding
```

```prisma bad path=prisma/schema.prisma case=prisma
model Tag {
  id String @id
}
```

```text bad path=.gitignore case=folder
drizzle  # <- finding
```

```typescript bad path=db/migrate.ts case=folder
import { migrate } from "drizzle-orm/vercel-postgres/migrator";
import { db } from "./client";

await migrate(db, { migrationsFolder: "drizzle" });
```

## When it does not matter

The migrations were added in spite of the pattern, or the project keeps them elsewhere:

```text good path=.gitignore case=elsewhere
drizzle/
```

```typescript good path=drizzle.config.ts case=elsewhere
import { defineConfig } from "drizzle-kit";

export default defineConfig({ dialect: "postgresql", schema: "./src/schema.ts", out: "./db/migrations" });
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import join, normpath

from neondba.project.gitignore import Ignores
from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_CONFIGS = ("drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs", "drizzle.config.mts")
_OUT = re.compile(
    r"^\s*out\s*:\s*[\"'`](?P<out>[^\"'`$]+)[\"'`]|[{,]\s*out\s*:\s*[\"'](?P<one>[^\"']+)[\"']",
    re.MULTILINE,
)
_FOLDER = re.compile(r"migrationsFolder\s*:\s*[\"'`](?P<out>[^\"'`$]+)[\"'`]")
_SCRIPTS = (".ts", ".js", ".mjs", ".mts")
_LOCATION = re.compile(r"^\s*script_location\s*=\s*(?:%\(here\)s/)?(?P<out>[\w./-]+)\s*$", re.MULTILINE)


@rule("NDB636", Category.MIGRATION, Severity.HIGH)
def check(tree: Tree, ignores: Ignores) -> Iterator[Finding]:
    """Report the pattern that hides the folder of a tool's migrations."""
    told: set[tuple[str, int]] = set()
    for folder, file in _places(tree):
        inside = folder + "/" if folder else ""
        if any(p.startswith(inside) and not p.endswith((".gitkeep", "README")) for p in tree.paths):
            continue
        decided = ignores.deciding(inside + file)
        if decided is None or decided.negated or (decided.path, decided.line) in told:
            continue
        told.add((decided.path, decided.line))
        yield Finding(
            decided.path,
            decided.line,
            f"The pattern {decided.text} keeps the migrations in {folder} out of git: every environment "
            "makes its own, and the schema of production can not be built again.",
            (f"Remove {decided.text}, or except {folder} from it.", f"Commit what is in {folder}."),
            f"!{folder}/",
        )


def _places(tree: Tree) -> Iterator[tuple[str, str]]:
    """Give the folders of migrations, and the name of a file that a tool would put there."""
    for path in tree.named(*_CONFIGS):
        found = None if is_test(path) else _OUT.search(tree.text(path) or "")
        out = (found["out"] or found["one"]) if found else "drizzle"
        yield _beside(path, out), "0000_first.sql"
    packages = {path.rpartition("/")[0] for path in tree.named("package.json")}
    for path in tree.having(_SCRIPTS, ("migrationsFolder",)):
        if not is_test(path) and (given := _FOLDER.search(tree.text(path) or "")):
            above = [f for f in packages if path.startswith(f"{f}/" if f else "")]
            yield normpath(join(max(above, key=len, default=""), given["out"])), "0000_first.sql"
    for path in tree.named("schema.prisma"):
        yield _beside(path, "migrations"), "20250101000000_first/migration.sql"
    for path in tree.named("alembic.ini"):
        found = _LOCATION.search(tree.text(path) or "")
        if found:
            yield _beside(path, f"{found['out']}/versions"), "0123456789ab_first.py"


def _beside(path: str, out: str) -> str:
    return normpath(join(path.rpartition("/")[0], out))
