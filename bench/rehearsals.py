"""Rehearse three migrations on pgbench's data on the local Neon, on a file-cloning volume and a plain folder.

Run: python bench/rehearsals.py. BENCH_SIZES="1" sets gigabytes; BENCH_FOLDER where; BENCH_FS xfs or btrfs.
The bar: under 30 s at 1 GB where files clone, and no branch left, also after kill -9.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("BENCH_SIZES", "1")
from branches import FOLDER, KIND, ROWS_A_GB, SIZES, volume
from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.local import launch, platform
from neondba.postgres.connect import connect, trusted

MIGRATIONS = {
    "001_note.sql": (
        "alter table pgbench_accounts add column note text;",
        "alter table pgbench_accounts drop column note;",
    ),
    "002_index.sql": (
        "create index accounts_bid on pgbench_accounts (bid);",
        "drop index accounts_bid;",
    ),
    "003_not_null.sql": (
        "alter table pgbench_accounts alter column abalance set not null;",
        "alter table pgbench_accounts alter column abalance drop not null;",
    ),
}


FILL = """
create table pgbench_accounts (aid int not null, bid int, abalance int, filler char(84));
insert into pgbench_accounts select n, (n - 1) / 100000 + 1, 0, '' from generate_series(1, {rows}) n;
alter table pgbench_accounts add primary key (aid);
vacuum (analyze) pgbench_accounts;
"""


def filled(ctx: Context, size: float) -> str:
    with platform.client(ctx) as client:
        made = client.create_project("bench")
        url = client.connection_uri(made.project.id, made.branch.id, "neondb", "neondb_owner")
    rows = round(size * ROWS_A_GB)
    with connect(url) as session:
        for text in FILL.format(rows=rows).split(";")[:-1]:
            session.execute(trusted(text))
        row = session.execute(
            "select pg_size_pretty(pg_database_size(current_database())) as size"
        ).fetchone()
        print(f"  database: {row['size'] if row else '?'}, load average {os.getloadavg()[0]:.1f}", flush=True)
    return made.project.id


def branches(ctx: Context, project: str) -> list[str]:
    with platform.client(ctx) as client:
        return [each.name for each in client.branches(project) if not each.default]


def command(ctx: Context, place: Path, *more: str) -> subprocess.Popen[str]:
    words = [
        sys.executable,
        "-m",
        "neondba",
        "migration",
        "rehearse",
        str(place),
        "--project",
        "bench",
        *more,
    ]
    environment = {**os.environ, "NEONDBA_STATE_DIR": str(ctx.settings.state_dir)}
    return subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def measure(folder: Path, size: float) -> None:
    ctx = Context(settings=Settings(state_dir=folder / "state"))
    place = folder / "project"
    (place / "migrations").mkdir(parents=True)
    for name, (up, down) in MIGRATIONS.items():
        (place / "migrations" / name).write_text(f"{up}\n-- Down\n{down}\n")
    try:
        project = filled(ctx, size)
        for more in ((), ("--load",)):
            began = time.perf_counter()
            run = command(ctx, place, *more)
            said, _ = run.communicate()
            took = time.perf_counter() - began
            left = branches(ctx, project)
            print(f"  rehearsal {' '.join(more)}: {took:.1f} s, exit {run.returncode}, left: {left}")
            print("    " + "\n    ".join(said.splitlines()), flush=True)
        run = command(ctx, place)
        while not branches(ctx, project):
            time.sleep(0.05)
        time.sleep(2)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        print(f"  after kill -9: {branches(ctx, project)}")
        began = time.perf_counter()
        command(ctx, place).communicate()
        print(
            f"  after the next run ({time.perf_counter() - began:.1f} s): {branches(ctx, project)}",
            flush=True,
        )
    finally:
        launch.stop(ctx.settings.state_dir)


def main() -> None:
    for size in SIZES:
        with volume(KIND) as mount:
            if mount is None:
                print(f"no file-cloning volume: making one needs root, loop devices and mkfs.{KIND}")
            else:
                print(f"{KIND} in a loop file")
                measure(mount, size)
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            print(f"plain folder {FOLDER}")
            measure(Path(folder), size)


if __name__ == "__main__":
    main()
