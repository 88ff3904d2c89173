"""Settle squawk's rules about locks on a real server: run the SQL of their tests on tables made up for it.

Run: python bench/squawk.py GIT_DIRECTORY, a bare clone of sbdchd/squawk (Apache-2.0, MIT). Nothing is kept.
"""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import count

from neondba.core.secret import Secret
from neondba.migrations.measuring import Before, measured
from neondba.migrations.results import BLOCKING, Measured
from neondba.migrations.tools.sql_session import SqlSession
from neondba.postgres.alone import stands_alone
from neondba.postgres.applied import parts_of
from neondba.postgres.connect import Refused, ask, connect, trusted
from neondba.postgres.scratch import neon_like_database, scratch_server
from neondba.postgres.statement import AlterTable, CreateIndex, CreateTable, Name, Transaction
from neondba.postgres.statements import parse

RULES = (
    "adding_field_with_default", "adding_foreign_key_constraint", "adding_not_null_field",
    "adding_primary_key_constraint", "constraint_missing_not_valid", "disallow_unique_constraint",
    "changing_column_type", "require_concurrent_index_creation", "require_concurrent_reindex",
)  # fmt: skip
TEST = re.compile(r"fn (\w+)\(\) \{(.*?)\n    \}", re.DOTALL)
TEXT = re.compile(r"r(#+)\"(.*?)\"\1", re.DOTALL)


def tests(git: str, rule: str) -> list[tuple[str, str, bool]]:
    """Give name, SQL and whether squawk warns."""
    path = f"HEAD:crates/squawk_linter/src/rules/{rule}.rs"
    command = ["git", f"--git-dir={git}", "show", path]
    source = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = []
    for name, body in TEST.findall(source):
        text = TEXT.search(body)
        if text and ("lint_errors" in body or "lint_ok" in body):
            found.append((name, text[2], "lint_errors" in body))
    return found


def quoted(name: str | Name) -> str:
    if isinstance(name, Name):
        return ".".join(quoted(part) for part in (name.schema, name.name) if part)
    return '"' + name.replace('"', '""') + '"'


def tables(sql: str) -> dict[str, set[str]]:
    """Give the tables that must be there, with the columns that are spoken of."""
    found: dict[str, set[str]] = {}
    made: set[str] = set()
    for one in parse(sql):
        match one.action:
            case CreateTable(table):
                made.add(quoted(table))
            case AlterTable(table, changes):
                columns = found.setdefault(quoted(table), set())
                for change in changes:
                    added = {c.column.name for c in changes if c.column}
                    if change.kind in ("set not null", "alter type") and change.name not in {None, *added}:
                        columns.add(str(change.name))
                    if change.constraint:
                        columns |= set(change.constraint.columns)
                    references = change.constraint.references if change.constraint else None
                    if references:
                        found.setdefault(quoted(references.table), set()).update(
                            references.columns or ("id",)
                        )
            case CreateIndex(table, columns=names):
                found.setdefault(quoted(table), set()).update(name for name in names if name)
    return {table: columns for table, columns in found.items() if table not in made}


def settled(url: Secret, sql: str) -> list[Measured] | str:
    """Run a test's SQL on tables with rows; give what was measured, or why it could not be run."""
    with connect(url) as session:
        for table, columns in tables(sql).items():
            listed = ", ".join(f"{quoted(column)} int" for column in sorted(columns | {"id"}))
            values = ", ".join("n" for _ in columns | {"id"})
            session.execute(trusted(f"create table if not exists {table} ({listed})"))
            session.execute(trusted(f"insert into {table} select {values} from generate_series(1, 1000) n"))
            for column in columns:
                session.execute(trusted(f"create unique index on {table} ({quoted(column)})"))
        rows = ask(session, "filenodes")
        names = {str(row["name"]) for row in rows}
        files = {int(row["oid"]): int(row["filenode"]) for row in rows}
    statements = [s for s in parse(sql) if not isinstance(s.action, Transaction)]
    worker = SqlSession(url)
    found: list[Measured] = []
    for part in (p for s in statements for p in parts_of("x", [(s.text, not stands_alone(s))])):
        result = worker.run([part], 20, lambda: None)
        if result.failure:
            worker.close()
            return result.failure.said.splitlines()[0]
        found += measured(result, Before(names, files, dict.fromkeys(names, 1000), 1000))
    worker.close()
    return found


def main(git: str) -> int:
    numbers, agreed, untried = count(), 0, 0
    with scratch_server() as server:
        print("| rule | test | squawk | PostgreSQL | lock | statement |\n|---|---|---|---|---|---|")
        for rule in RULES:
            for name, sql, warns in tests(git, rule):
                try:
                    seen = settled(neon_like_database(server, f"squawk{next(numbers)}"), sql)
                except Refused as refused:
                    seen = str(refused).splitlines()[0]
                if isinstance(seen, str):
                    untried += 1
                    print(f"untried {rule} {name}: {seen}", file=sys.stderr)
                    continue
                felt = [m for m in seen if m.work and any(k.mode in BLOCKING for k in m.locks)]
                if bool(felt) == warns:
                    agreed += 1
                    continue
                one = felt[0] if felt else next((m for m in seen if m.locks), seen[0] if seen else None)
                lock = ", ".join(k.mode for k in one.locks) if one else ""
                work = one.work or "nothing grows with the table" if one else "nothing"
                text = " ".join(one.text.split())[:90] if one else ""
                print(f"| {rule} | {name} | {'warns' if warns else 'passes'} | {work} | {lock} | `{text}` |")
    print(f"\nagreed: {agreed}; could not be run on made-up tables: {untried}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
