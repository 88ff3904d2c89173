"""Kill a merge at random points: the target is as it was before, or as it was to be, and nothing between.

Run: python bench/merges.py. MERGE_POINTS (20) is how many merges are killed, MERGE_SEED (5) from where
chance begins. After each kill the next merge goes through. Exit status 1 if a target was ever half done.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "branches"))

from merging import SCHEMA, Pair
from neon_world import World

from neondba.local import launch
from neondba.postgres.connect import connect, trusted

POINTS = int(os.environ.get("MERGE_POINTS", "20"))
SEED = int(os.environ.get("MERGE_SEED", "5"))
CHANGE = """
alter table users add city text not null default 'none', add visits bigint not null default 0;
create index users_city on users (city);
create table orders (id bigint primary key, user_id int not null references users, at timestamptz);
insert into plans values (7, 'more', 70);
create function next_plan(i int) returns int language sql as 'select i + 1';
drop view cheap;
"""


def command(pair: Pair, *more: str) -> list[str]:
    """Give the command that merges a pair's branches, with the rows of its plans."""
    given = ["branch", "merge", pair.named("feature"), "--into", pair.named("main"), "--no-migration"]
    where = ["--data", "plans", "--project", pair.project, "--state-dir", str(pair.world.state)]
    return [sys.executable, "-m", "neondba", *given, *where, *more]


def consent(pair: Pair) -> str:
    """Give the hash of the plan that the next merge has."""
    shown = subprocess.run(command(pair, "--dry-run"), capture_output=True, text=True, check=False)
    found = re.search(r"\b[0-9a-f]{12}\b(?!\.)", shown.stdout.rpartition("confirm")[2] or shown.stdout)
    assert found, shown.stdout + shown.stderr
    return found[0]


def state(pair: Pair) -> tuple[str, list[object]]:
    """Give what is compared: the schema of the target, and the rows that were to come."""
    rows = pair.rows("main", "select id from plans order by id")
    return pair.schema("main").fingerprint, rows


def main() -> int:
    """Kill, look, and merge again."""
    chance = random.Random(SEED)
    folder = Path(tempfile.mkdtemp(prefix="neondba-merges-"))
    world = World(folder / "state")
    project = world.call("project.create", name="merging", branch="trunk").name
    with connect(Pair(world, project, 0).url_of("trunk")) as session:
        session.execute(trusted(SCHEMA))
    seen = {"before": 0, "after": 0, "half": 0}
    usual = 0.0
    try:
        for number in range(POINTS + 1):
            pair = Pair(world, project, number).begin()
            pair.on("feature", CHANGE)
            before, wanted = state(pair), (pair.schema("feature").fingerprint, [(1,), (2,), (3,), (7,)])
            agreed = consent(pair)
            began = time.monotonic()
            process = subprocess.Popen(
                command(pair, "--confirm", agreed), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            if number:
                time.sleep(chance.uniform(0.5, usual * 1.05))
                process.kill()
            _, said = process.communicate()
            if not number:
                assert process.returncode == 0, said.decode()
                usual = time.monotonic() - began
                print(f"a merge takes {usual:.1f} s")
            else:
                now = state(pair)
                what = "before" if now == before else "after" if now == wanted else "half"
                seen[what] += 1
                print(f"{number:3d}  {what}")
                if what == "before":
                    again = subprocess.run(
                        command(pair, "--confirm", consent(pair)), capture_output=True, text=True, check=False
                    )
                    assert state(pair) == wanted, again.stdout + again.stderr
            pair.end()
    finally:
        launch.stop(world.state)
    print(f"{POINTS} merges killed: {seen['before']} as before, {seen['after']} merged, {seen['half']} half")
    return 1 if seen["half"] else 0


if __name__ == "__main__":
    sys.exit(main())
