"""The migration is written for another database than the project uses.

The project speaks to PostgreSQL, and the file holds MySQL, SQLite or Transact-SQL: back-quoted names,
`AUTO_INCREMENT`, `ENGINE=InnoDB`. PostgreSQL refuses it at the first such word, so the migration has never
run there, and the tables it should make are missing.

## Instead

```sql bad path=migrations/002_orders.sql case=mysql
CREATE TABLE `orders` (  -- <- finding
  `id` INT NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
```

```text bad path=requirements.txt case=mysql
psycopg[binary]
```

```sql good path=migrations/002_orders.sql case=postgres
create table orders (id bigint generated always as identity primary key);
```

## When it does not matter

The project has a driver for that database, too:

```sql good path=migrations/mysql/002_orders.sql case=both
CREATE TABLE `orders` (`id` INT NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB;
```

```text good path=requirements.txt case=both
psycopg[binary]
pymysql
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.sql import Role, SqlFile, SqlFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

MANIFESTS = ("package.json", "pyproject.toml", "go.mod", "Cargo.toml", "Pipfile", "Gemfile", "composer.json")
REQUIREMENTS = re.compile(r"(^|/)requirements[\w.-]*\.txt$|(^|/)requirements/[\w.-]+\.txt$")
POSTGRES = re.compile(
    r"psycopg|asyncpg|\bpg\b|pgx|lib/pq|\bpostgres(?:ql)?\b|neondatabase|tokio-postgres|pg8000", re.IGNORECASE
)
OTHERS = {
    "MySQL": r"mysql|mariadb|planetscale", "SQLite": r"sqlite|libsql|turso|d1\b",
    "Transact-SQL": r"mssql|pyodbc|tedious|sqlserver|pymssql", "Oracle": r"oracle|cx_",
    "ClickHouse": r"clickhouse",
}  # fmt: skip


@rule("NDB624", Category.MIGRATION, Severity.MEDIUM)
def check(sql: SqlFiles, tree: Tree) -> Iterator[Finding]:
    """Find migrations in another dialect in projects that only have a driver for PostgreSQL."""
    foreign = [f for f in sql.values() if f.role is Role.MIGRATION and f.dialect]
    if not foreign:
        return
    drivers = "\n".join(tree.text(p) or "" for p in [*tree.named(*MANIFESTS), *filter(_is_list, tree.paths)])
    if not POSTGRES.search(drivers):
        return
    told: set[str] = set()
    for file in foreign:
        wanted = OTHERS.get(str(file.dialect), re.escape(str(file.dialect)))
        folder = file.path.rpartition("/")[0]
        named = re.search(wanted, f"{drivers}\n{file.path}", re.IGNORECASE)
        if not named and folder not in told and _creates(file):
            told.add(folder)
            yield _finding(file)


def _is_list(path: str) -> bool:
    return bool(REQUIREMENTS.search(path))


def _creates(file: SqlFile) -> re.Match[str] | None:
    return re.search(r"^\s*(?:create|alter)\s+table\b", file.text, re.IGNORECASE | re.MULTILINE)


def _finding(file: SqlFile) -> Finding:
    match = _creates(file)
    start = match.end() if match else 0
    return Finding(
        file.path,
        file.text.count("\n", 0, start) + 1,
        f"This is {file.dialect}, and the project has a driver for PostgreSQL only: PostgreSQL refuses the "
        "file, so its tables are never made.",
        ("Write the statements for PostgreSQL, or delete the file if nothing runs it.",),
        "create table … (id bigint generated always as identity primary key);",
    )
