"""Rehearse eugene's example migrations on a real server: every unsafe one flagged, every safe one not.

Run: python bench/eugene.py GIT_DIRECTORY, a bare clone of kaaveland/eugene (MIT). Nothing of it is kept.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.migrations.rehearsal import rehearse_at
from neondba.migrations.rendering import impatient, measured_of
from neondba.migrations.results import Rehearsal, Reversibility
from neondba.postgres.scratch import neon_like_database, scratch_server
from neondba.project.tree import MemoryTree
from neondba.review import rule as rules
from neondba.review.engine import run

MARK = re.compile(r"^-- (\d+)\.sql\s*$", re.MULTILINE)
TOOL = {"package.json": '{"dependencies": {"postgres-migrations": "1", "pg": "8"}}'}


SETTLED = {
    ("E3", "bad"): "a new table: the server locks nothing that anybody uses",
    ("W13", "bad"): "a new type and a new table: the server locks nothing that anybody uses",
    ("E4", "good"): "the server refuses it as soon as the table has a row",
    (
        "E5",
        "good",
    ): "VALIDATE stands in one statement with DROP COLUMN: all rows are read behind ACCESS EXCLUSIVE",
    ("E10", "good"): "the table is written anew; eugene is told to ignore that (E5) in the file",
    ("E15", "good"): "the index is built behind SHARE; eugene is told to ignore that (E6) in the file",
    (
        "W12",
        "good",
    ): "all rows are read behind ACCESS EXCLUSIVE; eugene is told to ignore that (E2) in the file",
    (
        "W14",
        "good",
    ): "all rows are read behind ACCESS EXCLUSIVE; eugene is told to ignore that (E2) in the file",
}
"""Where we differ from eugene, and what the server showed."""


def shown(git: str, path: str) -> str:
    command = ["git", f"--git-dir={git}", "show", f"HEAD:{path}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def examples(git: str) -> list[tuple[str, str, str]]:
    """Give name, kind and text of each."""
    command = ["git", f"--git-dir={git}", "ls-tree", "-r", "--name-only", "HEAD", "eugene/examples"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    found = []
    for path in listed:
        *_, name, file = path.split("/")
        if file in ("bad.sql", "good.sql"):
            found.append((name, file.removesuffix(".sql"), shown(git, path)))
    return sorted(found, key=lambda each: (each[0][0], int(each[0][1:]), each[1]))


def files_of(text: str) -> dict[str, str]:
    parts = MARK.split(text)
    return {f"migrations/{int(parts[i]):03}_x.sql": parts[i + 1] for i in range(1, len(parts), 2)}


def by_rules(files: dict[str, str]) -> list[str]:
    outcome = run(
        MemoryTree({**files, **TOOL}), [r for code, r in rules._rules.items() if code.startswith("NDB6")]
    )
    return sorted({f.rule for f in outcome.findings if f.severity.value in ("critical", "high", "medium")})


def by_rehearsal(done: Rehearsal) -> list[str]:
    found = []
    for step in done.steps:
        felt = [lock for lock in step.locks if lock.is_notable]
        found += [f"{lock.mode} on {lock.relation} {lock.grows or ''}".strip() for lock in felt]
        if not felt and (hasty := impatient(step)):
            modes = {k.relation: k.mode for one in measured_of(step) for k in one.locks}
            found += [f"{modes[name]} on {name} waited for without lock_timeout" for name in hasty]
        if step.reversibility is Reversibility.FAILS:
            found.append(f"fails: {step.sentences[0]}")
    return list(dict.fromkeys(found))


def locks(done: Rehearsal) -> str:
    taken = [(k.mode, k.relation) for s in done.steps[1:] for one in measured_of(s) for k in one.locks]
    return ", ".join(f"{mode} {relation}" for mode, relation in dict.fromkeys(taken)) or "none"


def main(git: str) -> int:
    for file in sorted((Path(rules.__file__).parent / "rules").glob("*/*.py")):
        if not file.stem.startswith("_") and file.parent.name in ("migrations", "schema"):
            importlib.import_module(f"neondba.review.rules.{file.parent.name}.{file.stem}")
    differences = set()
    numbers = count()
    with scratch_server() as server, tempfile.TemporaryDirectory() as folder:
        ctx = Context(settings=Settings(state_dir=Path(folder) / "state", step_limit=30))
        print("| example | kind | rehearsal | rules | locks that PostgreSQL took |\n|---|---|---|---|---|")
        for name, kind, text in examples(git):
            files = files_of(text)
            place = Path(folder) / f"{name}-{kind}"
            for path, content in files.items():
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_text(content)
            done = rehearse_at(ctx, place, neon_like_database(server, f"eugene{next(numbers)}"))
            seen, said = by_rehearsal(done), by_rules(files)
            if bool(seen) != (kind == "bad"):
                differences.add((name, kind))
            cells = (name, kind, "; ".join(seen) or "-", ", ".join(said) or "-", locks(done))
            print("| " + " | ".join(cells) + " |")
    for name, kind in sorted(differences | set(SETTLED)):
        print(f"{name} {kind}: {SETTLED.get((name, kind), 'NOT SETTLED')}")
    return int(differences != set(SETTLED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
