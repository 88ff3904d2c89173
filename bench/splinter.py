"""Run splinter's own test SQL on a real server, and look with both: its lints, and our rules.

    python bench/splinter.py CHECKOUT [--all]

CHECKOUT is a work tree of supabase/splinter. Every statement of `test/sql` is run in order. Wherever a test
asks a lint, the lint is asked, and then our rule. Printed for each lint: the objects that it names, whether
ours is on the same ones, and whether ours is silent wherever the lint is.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Row, connect, trusted
from neondba.postgres.looking import look
from neondba.postgres.scratch import scratch_server
from neondba.postgres.sql_text import pieces
from neondba.project.database import Database
from neondba.project.facts import Facts
from neondba.project.tree import MemoryTree
from neondba.review.engine import run
from neondba.review.rule import rules

OURS = {
    "0001": ("NDB801",), "0003": ("NDB806",), "0004": ("NDB740",), "0005": ("NDB804",), "0006": ("NDB807",),
    "0007": ("NDB440",), "0008": ("NDB441",), "0009": ("NDB802",), "0010": ("NDB448",), "0011": ("NDB450",),
    "0013": ("NDB442", "NDB443"), "0014": ("NDB747",), "0015": ("NDB445",), "0016": ("NDB451",),
    "0017": ("NDB452",), "0018": ("NDB746",), "0021": ("NDB745",), "0022": ("NDB748",), "0023": ("NDB443",),
    "0024": ("NDB444",), "0028": ("NDB449",), "0029": ("NDB449",),
}  # fmt: skip
PLATFORM = {
    "0002": "about auth.users, the user table of that platform",
    "0012": "a page of documentation; there is no SQL",
    "0019": "queues of pgmq behind that platform's API",
    "0020": "no test SQL; our NDB810 has a page of its own",
    "0025": "buckets of that platform's storage",
    "0026": "pg_graphql, which only that platform serves",
    "0027": "pg_graphql, which only that platform serves",
}
NO_FAULT = {
    (
        "0001",
        "public.bbb bbb_foo_bar_fkey",
    ): "an index on the same columns in another order serves the key as well",
    ("0024", "public.posts insert_no_with_check"): "PostgreSQL refuses every INSERT under such a policy",
    ("0017", ""): "a setting of that platform's API; the roles may read the table all the same",
}
"""Where we differ on purpose; tests/review/catalog/test_splinter.py shows each on a real server."""
MORE = ("policy_name", "fkey_name", "column", "arguments")
ASKED = re.compile(r'lint\."((\d{4})_\w+)"')


@dataclass
class Tally:
    """What came of one lint."""

    faults: dict[str, list[bool]] = field(default_factory=dict)
    """Object, and for each time the lint names it whether ours is on it."""
    silent: int = 0
    loud: list[str] = field(default_factory=list)
    """What ours said where the lint said nothing."""


def main() -> int:
    checkout = Path(sys.argv[1])
    tallies: dict[str, Tally] = defaultdict(Tally)
    with scratch_server(autovacuum_naptime="86400", log_min_messages="panic") as url:
        with connect(url) as session:
            session.execute("create database lints")
        with connect(inside(url, "lints")) as session:
            prepare(session, checkout)
        for file in sorted((checkout / "test" / "sql").glob("0*.sql")):
            if file.stem[:4] in OURS:
                with connect(url) as session:
                    session.execute(trusted(f"create database t{file.stem[:4]} template lints"))
                with connect(inside(url, f"t{file.stem[:4]}")) as session:
                    play(session, file, tallies[file.stem[:4]])
    return printed(tallies)


def inside(url: Secret, database: str) -> Secret:
    return Secret(url.reveal().replace("@/postgres", f"@/{database}"))


def prepare(session: Connection, checkout: Path) -> None:
    for file in [checkout / "test" / "fixtures.sql", *sorted((checkout / "lints").glob("*.sql"))]:
        for piece in pieces(file.read_text()):
            try:
                session.execute(trusted(piece.text))
            except psycopg.Error as error:
                print(f"{file.name}: {str(error).splitlines()[0]}", file=sys.stderr)


def play(session: Connection, file: Path, tally: Tally) -> None:
    for piece in pieces(file.read_text()):
        asked = ASKED.search(piece.text)
        # Counters are written when a transaction ends, so this test has to do without one.
        if file.stem[:4] == "0005" and piece.text.strip().lower() in ("begin", "rollback"):
            continue
        if not asked:
            session.execute(trusted(piece.text))
            continue
        theirs = session.execute(trusted(f'select * from lint."{asked[1]}"')).fetchall()
        ours = found(session, OURS[asked[2]])
        compare(tally, theirs, ours)


def found(session: Connection, codes: tuple[str, ...]) -> list[str]:
    """Say what our rules find now: object, message and evidence of each finding."""
    touch_tables(session)
    rows, refused = look(session)
    assert not refused, refused
    server: Row = {**rows["server"][0], "counted_days": 30.0}
    facts = Facts(MemoryTree({}))
    facts.put(Database, Database("splinter's test", True, {**rows, "server": [server]}))
    outcome = run(facts.tree, [rules()[code] for code in codes], facts)
    assert not outcome.not_checked, outcome.not_checked
    return [f"{f.path.removeprefix('database:')} {f.message} {f.evidence.text}" for f in outcome.findings]


def touch_tables(session: Connection) -> None:
    """Read each table once: a table that nobody reads says nothing about its indexes."""
    rows = session.execute(
        "select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables"
    ).fetchall()
    for row in rows:
        session.execute(trusted(f"select count(*) from {row['name']}"))
    session.execute("select pg_stat_force_next_flush()")


def compare(tally: Tally, theirs: list[Row], ours: list[str]) -> None:
    for row in theirs:
        name = named(row)
        hit = any(all(word in said for word in words(row)) for said in ours)
        tally.faults.setdefault(name, []).append(hit)
    if not theirs:
        tally.silent += not ours
        tally.loud += ours


def named(row: Row) -> str:
    data = metadata(row)
    if not data.get("name"):
        return str(row["cache_key"])
    more = [data[key] for key in MORE if data.get(key)]
    return " ".join([f"{data.get('schema', '')}.{data['name']}".lstrip("."), *more])


def words(row: Row) -> list[str]:
    """Give what must stand in a finding for it to be about the same object."""
    data = metadata(row)
    return [str(data[key]) for key in ("name", *MORE) if data.get(key)]


def metadata(row: Row) -> dict[str, str]:
    data = row["metadata"]
    return data if isinstance(data, dict) else json.loads(data)


def printed(tallies: dict[str, Tally]) -> int:
    open_ = 0
    print(f"{'lint':5} {'ours':15} {'object':46} {'found':7} silent where it is")
    for lint, tally in sorted(tallies.items()):
        first = [lint, " ".join(OURS[lint]), f"{tally.silent} of {tally.silent + len(tally.loud)}"]
        for name, hits in sorted(tally.faults.items()):
            why = "" if all(hits) else NO_FAULT.get((lint, name), "MISSED")
            open_ += why == "MISSED"
            print(f"{first[0]:5} {first[1]:15} {name[:46]:46} {sum(hits)} of {len(hits)}  {first[2]:8} {why}")
            first = ["", "", ""]
        for said in tally.loud:
            why = NO_FAULT.get((lint, ""), "MORE")
            open_ += why == "MORE"
            print(f"{'':21} said where the lint is silent: {said[:60]}… ({why})")
    for lint, why in PLATFORM.items():
        print(f"{lint:5} {'-':15} {why}")
    return open_


if __name__ == "__main__":
    sys.exit(main())
