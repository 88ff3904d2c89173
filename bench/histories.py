"""Walk through real migration histories; at each revision turn the schema before into the one after.

Run: python bench/histories.py NAME alembic PYTHON VERSIONS [FOLDER …]
     python bench/histories.py NAME sql 'GLOB' [PRELUDE.sql …]
     python bench/histories.py NAME child COMMAND [ARGUMENT …]   (like support/alembic_steps.py, URL last)
The project's own tool (or its SQL) makes each revision; the script is applied to a copy of what was
there before, forth and back, and both catalogs must be equal. Nothing of a project is kept here.
"""

from __future__ import annotations

import glob
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.ddl.schema import Schema, changes
from neondba.postgres.ddl.script import script
from neondba.postgres.scratch import scratch_server
from neondba.postgres.sql_text import pieces

HERE = Path(__file__).parent
COUNTED = ("revisions", "failed themselves", "without change", "equal", "wrong", "statements")
Step = tuple[str, Callable[[], str | None]]
"""A revision's name, and what makes it; it gives what went wrong."""


def main() -> None:
    """Walk one history."""
    name, kind, *given = sys.argv[1:]
    begun = time.perf_counter()
    with scratch_server() as server, connect(server) as admin:
        admin.execute("create database history")
        url = Secret(server.reveal().replace("/postgres?", "/history?"))
        steps = {"alembic": _alembic, "sql": _sql, "child": _child}[kind](url, *given)
        counts = _walked(server, admin, url, steps)
    print(f"{name}: {counts} in {time.perf_counter() - begun:.0f} s")


def _walked(server: Secret, admin: Connection, url: Secret, steps: Iterator[Step]) -> dict[str, int]:
    counts = dict.fromkeys(
        ("revisions", "failed themselves", "without change", "equal", "wrong", "statements"), 0
    )
    copy = Secret(server.reveal().replace("/postgres?", "/copy?"))
    before: Schema | None = None
    for name, make in steps:
        before = before or _seen(url)
        counts["revisions"] += 1
        admin.execute("drop database if exists copy with (force)")
        admin.execute("create database copy template history")
        failed = make()
        if failed:
            counts["failed themselves"] += 1
            print(f"  {name}: {failed}", flush=True)
        after = _seen(url)
        if not changes(before, after):
            counts["without change"] += 1
            continue
        with connect(copy) as session:
            bad = _led(session, before, after) or _led(session, schema_of(session), before, "back ")
        counts["statements"] += len(script(before, after).statements)
        counts["wrong" if bad else "equal"] += 1
        if bad:
            print(f"  {name}:", *bad[:5], sep="\n    ", flush=True)
        before = after
    return counts


def _seen(url: Secret) -> Schema:
    with connect(url) as session:
        return schema_of(session)


def _led(session: Connection, before: Schema, after: Schema, way: str = "") -> list[str]:
    for statement in script(before, after).statements:
        try:
            session.execute(trusted(statement.text))
        except psycopg.Error as error:
            return [f"{way}{type(error).__name__}: {error}", statement.text]
    session.execute("reset all")
    return [way + each.model_dump_json() for each in changes(schema_of(session), after)]


def _sql(url: Secret, pattern: str, *preludes: str) -> Iterator[Step]:
    for file in [*preludes, *sorted(glob.glob(pattern, recursive=True))]:  # noqa: PTH207 - it is absolute
        yield "/".join(Path(file).parts[-2:]), lambda file=file: _run_file(url, Path(file))


def _run_file(url: Secret, file: Path) -> str | None:
    failed = None
    with connect(url) as session:
        for piece in pieces(file.read_text(encoding="utf-8")):
            try:
                session.execute(trusted(piece.text))
            except psycopg.Error as error:
                failed = failed or f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return failed


def _alembic(url: Secret, python: str, *places: str) -> Iterator[Step]:
    script = str(HERE / "support" / "alembic_steps.py")
    return _child(url, python, script, *places)


def _child(url: Secret, *command: str) -> Iterator[Step]:
    host = url.reveal().partition("host=")[2]
    command = (*command, f"postgresql+psycopg2://scratch@/history?host={host}")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        stdin, stdout = child.stdin, child.stdout
        for number in range(int(stdout.readline() or 0)):

            def step() -> str | None:
                stdin.write("next\n")
                stdin.flush()
                said = stdout.readline().strip()
                return None if said.endswith(" done") else said

            yield f"revision {number + 1}", step


if __name__ == "__main__":
    main()
