"""Hold our runs of Prisma's and Drizzle's files beside the tools' own migrators, both ways round.

Run: python bench/migration_tools.py NODE_FOLDER, where `npm install drizzle-orm pg @prisma/adapter-pg
@prisma/driver-adapter-utils @prisma/schema-engine-wasm` was run. Each must find nothing left to do.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "migrations"))

from test_tools import DRIZZLE, PRISMA

from neondba.core.secret import Secret
from neondba.migrations.tools.detect import open_source, source_of
from neondba.migrations.tools.migrator import pending
from neondba.postgres.connect import connect
from neondba.postgres.scratch import neon_like_database, scratch_server

HERE = Path(__file__).parent
TOOLS = (("drizzle", DRIZZLE, "drizzle"), ("prisma", PRISMA, "prisma/migrations"))


def theirs(tool: str, node: Path, url: Secret, folder: Path) -> str:
    parts = urlsplit(url.reveal())
    script = node / f"{tool}_migrate.mjs"
    shutil.copy(HERE / "support" / script.name, script)
    given = [parse_qs(parts.query)["host"][0], parts.path[1:], parts.username or "", str(folder)]
    done = subprocess.run(["node", script, *given], cwd=node, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr[-500:]


def ours(root: Path, url: Secret) -> int:
    with connect(url) as session, open_source(source_of(root), root, url, session) as migrator:
        waiting = pending(migrator)
        migrator.prepare()
        for revision in waiting:
            assert migrator.step("up", revision.id, 20, lambda: None).failure is None
        return len(waiting)


def main(node: Path) -> None:
    with scratch_server() as server, tempfile.TemporaryDirectory() as folder:
        for tool, files, place in TOOLS:
            root = Path(folder) / tool
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            first, second = (neon_like_database(server, f"{tool}{n}") for n in (1, 2))
            done = ours(root, first)
            print(f"{tool}: ours ran {done}; then theirs: {theirs(tool, node, first, root / place)}")
            said = theirs(tool, node, second, root / place)
            print(f"{tool}: theirs: {said}; then ours ran {ours(root, second)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
