"""Turn random schemas into each other and count how often the result is exactly the other one.

Run: python bench/diff.py [PAIRS] [FIRST_SEED]. BENCH_MAJOR=15 takes another release of PostgreSQL.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "postgres" / "ddl"))

from random_schemas import Slots, build, pair

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.ddl.schema import Schema, changes
from neondba.postgres.ddl.script import script
from neondba.postgres.scratch import neon_like_database, scratch_server

ROLES = ("ddl_reader", '"ddl Wríter"')


def made(session: Connection, slots: Slots) -> Schema:
    """Build a schema in an emptied database."""
    session.execute("drop owned by current_user cascade")
    build(session, slots)
    return schema_of(session)


def led(session: Connection, before: Schema, after: Schema) -> list[str]:
    """Run the script; give what went wrong."""
    found = script(before, after)
    for statement in found.statements:
        try:
            session.execute(trusted(statement.text))
        except psycopg.Error as error:
            return [f"{type(error).__name__}: {error}\n    in {statement.text}"]
    session.execute("reset all")
    now = schema_of(session)
    left = [each.model_dump_json() for each in changes(now, after)]
    if not left and now.fingerprint != after.fingerprint:
        left = ["fingerprints differ"]
    return left + [note for note in found.notes if "guess" in note and left]


def main() -> None:
    """Try pair after pair."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    wrong, statements, kinds = 0, 0, Counter[str]()
    begun = time.perf_counter()
    with scratch_server(int(os.environ.get("BENCH_MAJOR", "18"))) as server:
        with connect(server) as session:
            for role in ROLES:
                session.execute(trusted(f"create role {role}"))
        with connect(_database(server)) as session:
            for seed in range(first, first + pairs):
                one, other = pair(seed)
                after = made(session, other)
                before = made(session, one)
                kinds.update(value.kind for value in after.objects.values())
                statements += len(script(before, after).statements)
                for start, end in ((before, after), (None, before)):
                    # What a partition has by inheritance may be named otherwise than in the other schema.
                    bad = led(session, start or schema_of(session), end)
                    if bad:
                        wrong += 1
                        print(
                            f"seed {seed} {'forth' if start is before else 'back'}:",
                            *bad[:4],
                            sep="\n  ",
                            flush=True,
                        )
                        break
    print(f"{pairs} pairs, {wrong} wrong, {statements} statements, {time.perf_counter() - begun:.0f} s")
    print(dict(kinds))


def _database(server: Secret) -> Secret:
    return neon_like_database(server, "pairs")


if __name__ == "__main__":
    main()
