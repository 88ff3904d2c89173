"""A migration file is run by hand, and nothing records that it ran.

The files are numbered, but no tool keeps track of them: nobody can tell which database has which of them.
Running one again stops half way at the first thing that exists; forgetting one shows when a query fails.

## Instead

```sql bad path=backend/migrations/001_tasks.sql
create table tasks (id bigint primary key);  -- <- finding
create index tasks_id on tasks (id);
```

Let a tool run them and keep a table of what ran (Alembic, dbmate, goose, Atlas, Prisma, Drizzle). Until
then, write each file so that it may run twice:

```sql good path=backend/migrations/001_tasks.sql
create table if not exists tasks (id bigint primary key);
create index if not exists tasks_id on tasks (id);
```

## When it does not matter

A tool runs the files:

```sql good path=supabase/migrations/20240101000000_tasks.sql
create table tasks (id bigint primary key);
```

```sql good path=db/migrations/001_tasks.sql
-- migrate:up
create table tasks (id bigint primary key);
-- migrate:down
drop table tasks;
```

```sql good path=migrations/V1__tasks.sql
create table tasks (id bigint primary key);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.statement import AlterTable, CreateEnum, CreateIndex, CreateTable, Statement
from neondba.project.sql import NUMBERED, SqlFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

MANIFESTS = (
    *("package.json", "pyproject.toml", "requirements.txt", "go.mod", "Cargo.toml", "Makefile", "Gemfile"),
    *("composer.json", "build.gradle", "pom.xml", "docker-compose.yml", "compose.yaml", "Dockerfile"),
)
CODE = (".py", ".ts", ".js", ".mjs", ".go", ".rs", ".sh", ".rb", ".java", ".kt")
TOOLS = re.compile(
    r"migrat(?:e|ion)s?[_-]?(?:history|applied|log|versions?)|schema_(?:migrations|version)|applied_migrations"
    r"|\b_migrations\b|golang-migrate|node-pg-migrate|postgres-migrations|umzug|knex|dbmate|goose|flyway|liquibase"
    r"|kysely|typeorm|sequelize|sqlx|refinery|diesel|yoyo|sqitch|drizzle-kit|atlasgo|rambler|tern\b",
    re.IGNORECASE,
)


@rule("NDB613", Category.MIGRATION, Severity.LOW)
def check(tree: Tree, sql: SqlFiles) -> Iterator[Finding]:
    """Find numbered SQL files without a tool that cannot run twice."""
    histories = [
        h for h in sql.histories if h.tool is None and any(NUMBERED.match(_name(f.path)) for f in h.files)
    ]
    if not histories or _a_tool_runs_them(tree):
        return
    for history in histories:
        for file in history.files:
            first = None if file.backward else next((s for s in file.statements if _only_once(s)), None)
            if first is not None:
                yield Finding(
                    file.path,
                    first.line,
                    f"Nothing records that {_name(file.path)} ran; run again, it stops here.",
                    ("Let a migration tool run the files and record what ran.",
                     "Until then, write IF NOT EXISTS, and keep a script that leads back."),
                    _snippet(first),
                )  # fmt: skip


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _only_once(statement: Statement) -> bool:
    action = statement.action
    if isinstance(action, CreateTable | CreateIndex):
        return not action.if_not_exists and not (isinstance(action, CreateTable) and action.temporary)
    if isinstance(action, AlterTable):
        return any(c.kind == "add column" and not c.if_exists for c in action.changes)
    return isinstance(action, CreateEnum)


def _a_tool_runs_them(tree: Tree) -> bool:
    """Look for a known tool, or for a table in which the project's own runner keeps track."""
    if any(TOOLS.search(tree.text(path) or "") for path in tree.named(*MANIFESTS)):
        return True
    return any(
        TOOLS.search(text)
        for path in tree.named(suffix=CODE)
        if (text := tree.text(path)) and "migration" in text and ("INSERT" in text.upper())
    )


def _snippet(statement: Statement) -> str:
    head = statement.text.split("\n", 1)[0]
    return re.sub(
        r"\b(table|index(?:\s+concurrently)?|add\s+column)\s+",
        r"\1 if not exists ",
        head,
        count=1,
        flags=re.IGNORECASE,
    )
