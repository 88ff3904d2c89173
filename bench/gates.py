"""Run the statement tests of other read-only gates against ours: bypasses and false refusals.

Usage: python bench/gates.py MIRRORS

MIRRORS holds clones of crystaldba/postgres-mcp, bytebase/dbhub and xataio/agent, as
`owner+name/repo` (bare or with a work tree). Their statements are read from there and never kept.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from neondba.postgres.connect import Connection, connect
from neondba.postgres.reading import calls_refused, read
from neondba.postgres.scratch import scratch_server


class Case(NamedTuple):
    """A statement of another project's tests, and what it expects."""

    source: str
    sql: str
    passes: bool


def shown(mirrors: Path, repository: str, path: str) -> str:
    """Give a file of a clone as it stands at its head."""
    command = ["git", "-C", str(mirrors / repository / "repo"), "show", f"HEAD:{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def postgres_mcp(text: str) -> Iterator[Case]:
    """Read its test functions: those that expect an error hold statements to refuse."""
    for function in ast.parse(text).body:
        if not isinstance(function, ast.AsyncFunctionDef) or not function.name.startswith("test_"):
            continue
        passes = "pytest.raises" not in ast.unparse(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and "quer" in ast.unparse(node.targets[0]):
                values = node.value.elts if isinstance(node.value, ast.List) else [node.value]
                for value in values:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield Case("postgres-mcp", value.value, passes)


def dbhub(text: str) -> Iterator[Case]:
    """Read its calls; statements of other dialects only count where they must be refused."""
    assigned = ""
    call = re.compile(
        r"const sql\s*=\s*\"(?P<set>(?:[^\"\\]|\\.)*)\"|"
        r"(?:isReadOnlySQL|areAllStatementsReadOnly)\(\s*(?:\"(?P<text>(?:[^\"\\]|\\.)*)\"|sql),\s*"
        r"\"(?P<dialect>\w+)\"\s*\)\s*\)\.toBe\((?P<is>true|false)\)|"
        r"\[\"(?P<listed>\w+)\",\s*\"(?P<one>(?:[^\"\\]|\\.)*)\"\]",
    )
    for found in call.finditer(text):
        if found["set"] is not None:
            assigned = found["set"]
        elif found["listed"] is not None:
            yield Case("dbhub", _unescaped(found["one"]), passes=False)
        elif found["dialect"] == "postgres" or found["is"] == "false":
            yield Case("dbhub", _unescaped(found["text"] or assigned), found["is"] == "true")


def xata(text: str) -> Iterator[Case]:
    """Read its calls: what is no single statement must be refused."""
    call = re.compile(
        r"isSingleStatement\(\s*(?:'(?P<a>(?:[^'\\]|\\.)*)'|\"(?P<b>(?:[^\"\\]|\\.)*)\")\s*\)\s*\)"
        r"\.toBe\((?P<is>true|false)\)"
    )
    for found in call.finditer(text):
        yield Case("xata", _unescaped(found["a"] or found["b"] or ""), found["is"] == "true")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text)


def why_refused(session: Connection, sql: str) -> str | None:
    """Ask the first two gates; the third, the server, refuses whatever still writes."""
    found = read(sql)
    return found.refused or "; ".join(calls_refused(session, found.calls)) or None


def main(mirrors: Path) -> int:
    """Print each disagreement, then the counts."""
    cases = [
        *postgres_mcp(shown(mirrors, "crystaldba+postgres-mcp", "tests/unit/sql/test_safe_sql.py")),
        *dbhub(shown(mirrors, "bytebase+dbhub", "src/utils/__tests__/allowed-keywords.test.ts")),
        *xata(shown(mirrors, "xataio+agent", "apps/dbagent/src/lib/targetdb/unsafe-explain.test.ts")),
    ]
    passed = refused = agreed = 0
    with scratch_server() as url, connect(url) as session:
        for case in cases:
            why = why_refused(session, case.sql)
            if case.passes == (why is None):
                agreed += 1
                continue
            word = f"we refuse: {why}" if why else "we let it through"
            passed, refused = passed + (why is None), refused + (why is not None)
            print(f"{case.source}: {' '.join(case.sql.split())[:90]!r}: {word}")
    print(
        f"{len(cases)} statements: {agreed} agree, {passed} pass only here, {refused} are refused only here"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
