"""The application starts although its migration has failed.

A shell script goes on after a command that fails, unless it says `set -e` or joins the commands with
`&&`. A script in JavaScript that prints the error and ends by itself has exit status 0. Whoever deploys
sees success, and the new code runs on the old schema.

## Instead

```bash bad path=entrypoint.sh
#!/bin/sh
echo "Running migrations..."
alembic upgrade head  # <- finding
uvicorn main:app --host 0.0.0.0
```

```bash good path=entrypoint.sh
#!/bin/sh
set -e
alembic upgrade head
exec uvicorn main:app --host 0.0.0.0
```

```bash bad path=start.sh case=swallowed
#!/bin/bash
set -euo pipefail
npx prisma migrate deploy || echo "no migrations"  # <- finding
node server.js
```

```javascript bad path=scripts/migrate.mjs case=script
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { db, pool } from "./db.mjs";

async function main() {
  try {
    await migrate(db, { migrationsFolder: "drizzle" });
  } catch (error) {  // <- finding
    console.error("Migration failed", error);
  } finally {
    await pool.end();
  }
}

main();
```

```javascript good path=scripts/migrate.mjs case=script
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { db, pool } from "./db.mjs";

async function main() {
  try {
    await migrate(db, { migrationsFolder: "drizzle" });
  } catch (error) {
    console.error("Migration failed", error);
    process.exitCode = 1;
  } finally {
    await pool.end();
  }
}

main();
```

## When it does not matter

The commands hang together, the failure is answered, or the migration is the last command:

```bash good path=run.sh case=joined
#!/bin/sh
alembic upgrade head && exec uvicorn main:app
```

```bash good path=begin.sh case=answered
#!/bin/sh
if ! npx prisma migrate deploy; then
  exit 1
fi
node server.js
```

```bash good path=migrate.sh case=last
#!/bin/sh
cd "$(dirname "$0")"
alembic upgrade head
```

```bash good path=deploy.sh case=exits
#!/bin/sh
alembic upgrade head || exit 1
uvicorn main:app
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

SET_E = "set -e"
_SCRIPTS = (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts")
_COMMAND = re.compile(
    r"^\s*(?:(?:uv run|poetry run|pipenv run|python3? -m|npx|bunx|pnpm(?: exec| dlx)?|yarn|npm (?:exec|run)|"
    r"bun(?: run)?) )*(?:-\S+ )*(?:alembic(?: -c \S+)? upgrade|prisma migrate deploy|drizzle-kit migrate|"
    r"(?:python3? )?(?:\./)?manage\.py migrate|db:migrate|knex migrate:latest)\b(?P<rest>[^#\n]*)"
)
_STOPS = re.compile(r"^\s*set\s+(?:-\w*e|-o\s+errexit)|^#!.*\s-\w*e\b", re.MULTILINE)
_SERVES = re.compile(
    r"\b(?:uvicorn|gunicorn|hypercorn|fastapi run|node|npm (?:run )?start|next start|python3? \S+)\b|\"\$@\""
)
_SWALLOWED = re.compile(r"\|\|\s*(?:true|:|echo\b|printf\b)(?![^#\n]*\bexit\b)")
_CATCH = re.compile(r"\}\s*catch\s*(?:\([^)\n]*\)\s*)?\{(?P<body>[^{}]*)\}")
_RUNS = re.compile(
    r"await\s+(?:migrate\(|[\w.]*\b(?:query|execute|unsafe|sql|\$executeRaw\w*)\b)|await\s+sql`"
)
_TELLS = re.compile(r"\bthrow\b|process\.exit|\breject\(|exitCode|\breturn\s+\w|\bcontinue\b|status")
_NAMED = re.compile(r"(?:^|/)[^/]*migrat[^/]*$", re.IGNORECASE)


@rule("NDB635", Category.MIGRATION, Severity.MEDIUM)
def check(tree: Tree) -> Iterator[Finding]:
    """Look into shell scripts that migrate and serve, and into migration scripts."""
    for path in tree.named(suffix=(".sh", "Procfile")):
        if not is_test(path):
            yield from _shell(path, tree.text(path) or "")
    for path in tree.having(_SCRIPTS, ("catch",)):
        if _NAMED.search(path) and not is_test(path):
            yield from _script(path, tree.text(path) or "")


def _shell(path: str, text: str) -> Iterator[Finding]:
    """Report the first migration whose failure changes nothing."""
    stops = _STOPS.search(text) is not None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        found = _COMMAND.match(line)
        if found is None:
            continue
        swallowed = _SWALLOWED.search(found["rest"]) is not None
        rest = lines[number + 1 :]
        serves = any(_SERVES.search(r) for r in rest if not r.lstrip().startswith(("#", "echo")))
        joined = re.search(r"&&|\|\||\\\s*$|;\s*then", found["rest"]) or any("$?" in r for r in rest[:3])
        if serves and (swallowed or not (stops or joined)):
            yield _finding(path, number + 1, "the commands below it run", SET_E)
            return


def _script(path: str, text: str) -> Iterator[Finding]:
    """Report the first catch of a script that ends as if all had gone well."""
    if "export default function" in text or "export async function" in text or "NextResponse" in text:
        return
    for found in _CATCH.finditer(text):
        before = text[: found.start()]
        attempt = before[before.rfind("try") :]
        looped = re.search(r"\bfor\s*(?:await\s*)?\(|\bwhile\s*\(|\.forEach\(", before) is not None
        if not _RUNS.search(attempt) or _TELLS.search(found["body"]) or looped:
            continue
        if re.search(r"process\.exit(?:Code)?\b\D{0,6}[1-9]", text[found.end() :]):
            continue
        yield _finding(path, before.count("\n") + 1, "the script ends with status 0", "process.exitCode = 1;")
        return


def _finding(path: str, line: int, then: str, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"When the migration fails, {then} all the same: the deployment goes on, and the new code meets "
        "the old schema.",
        (
            ("Begin the script with `set -e`, or stop it with `|| exit 1`.",)
            if snippet == SET_E
            else ("End with another status than 0 after a failure.",)
        ),
        snippet,
    )
