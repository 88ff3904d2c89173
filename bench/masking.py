"""Measure an anonymised branch: a million rows of people and their orders, and a search for originals.

Run: python bench/masking.py. BENCH_ROWS="1000000" sets the rows of all tables together; BENCH_FOLDER the
folder of the local Neon. The machine's load is printed, because other work on it counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from neondba.branches.mask_create import anonymised_branch
from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.postgres.connect import connect

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
FOLDER = Path(os.environ.get("BENCH_FOLDER", tempfile.gettempdir()))
MARK = "qjorig"
"""Begins every original: no mask makes it."""

TABLES = """
create table people (
    id bigint generated always as identity primary key,
    email text not null unique,
    full_name text not null,
    phone text not null,
    street text not null,
    birth_date date not null,
    last_ip inet,
    plan text not null
);
create index on people (full_name);
create table orders (
    id bigint generated always as identity primary key,
    email text not null references people (email),
    amount numeric(10, 2) not null,
    note text,
    made_at timestamptz not null
);
create index on orders (email);
"""
FILL = """
insert into people (email, full_name, phone, street, birth_date, last_ip, plan)
select '{mark}' || i || '@{mark}' || i % 5000 || '.com', '{mark}' || i || ' {mark}' || i / 7,
       '+4930' || 10000000 + i, i % 200 || ' {mark}' || i % 9000 || ' Road', date '1950-01-01' + i % 18000,
       '10.0.0.0'::inet + i, case when i % 5 = 0 then 'pro' else 'free' end
from generate_series(1, {half}) i;
insert into orders (email, amount, note, made_at)
select '{mark}' || i || '@{mark}' || i % 5000 || '.com', i % 1000,
       case when i % 10 = 0 then '{mark} asked for it' end, timestamptz '2026-01-01' + i * interval '1 second'
from generate_series(1, {half}) i;
"""


def found_in(folder: Path) -> int:
    """Count the files of a folder that hold the mark, whatever its case."""
    said = subprocess.run(["grep", "-rlaiF", MARK, str(folder)], capture_output=True, text=True, check=False)
    return len(said.stdout.splitlines())


def load() -> str:
    """Say how busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f}"


def main() -> None:
    """Make the rows, mask them, search for originals."""
    place = Path(tempfile.mkdtemp(prefix="neondba-bench-", dir=FOLDER))
    place.chmod(0o711)
    state = place / "state"
    begun = time.perf_counter()

    def tell(text: str, _share: float | None) -> None:
        print(f"  {time.perf_counter() - begun:7.1f} s  {text}", flush=True)

    ctx = Context(settings=Settings(state_dir=state), folder=place, listener=tell)
    try:
        with platform.client(ctx) as client:
            made = client.create_project("bench", branch="main")
            url = client.connection_uri(made.project.id, made.branch.id, "neondb", "neondb_owner")
            with connect(url) as session:
                for text in (TABLES, FILL.format(mark=MARK, half=ROWS // 2), "analyze"):
                    session.execute(text)
            print(
                f"{ROWS:,} rows are there; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors",
                flush=True,
            )
            begun = time.perf_counter()
            masked = anonymised_branch(client, ctx, made.project, made.branch, "masked")
            took = time.perf_counter() - begun
            print(f"{masked.rows:,} rows masked in {took:.1f} s; {load()}", flush=True)
            data = next(each for each in (state / "local").rglob(masked.made.branch.id) if each.is_dir())
            parent = next(each for each in (state / "local").rglob(made.branch.id) if each.is_dir())
            left, here = found_in(data), found_in(parent)
            print(f"files with an original: {left} of the masked branch, {here} of its parent")
    finally:
        launch.stop(state)
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
