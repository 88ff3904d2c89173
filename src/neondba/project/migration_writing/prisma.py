"""Write Prisma migrations: one folder a change, in the order of its time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from neondba.project.migration_writing.change import Change
from neondba.project.tree import Tree

STAMP = "%Y%m%d%H%M%S"


def folder_of(tree: Tree, path: str) -> str | None:
    """Give the migrations folder of a schema file; `None` where the project has no migrations."""
    parts = path.split("/")[:-1]
    if path.endswith(".sql"):
        return "/".join(parts[:-1])
    for depth in range(len(parts), -1, -1):
        for name in ("migrations", "prisma/migrations"):
            folder = "/".join([*parts[:depth], name])
            if any(p.startswith(f"{folder}/") and p.endswith("/migration.sql") for p in tree.paths):
                return folder
    return None


def files(folder: str, change: Change, now: datetime, taken: set[str]) -> dict[str, str]:
    """Give the migration's file; a change that runs outside a transaction is alone in it, as it must be."""
    slug = re.sub(r"\W+", "_", change.name.lower()).strip("_")
    used = {p.removeprefix(f"{folder}/")[:14] for p in taken if p.startswith(f"{folder}/")}
    last = max((stamp for stamp in used if stamp.isdigit()), default="")
    moment = now
    while f"{moment:{STAMP}}" <= last:
        moment = max(moment, _moment(last, now)) + timedelta(seconds=1)
    text = "\n".join(statement.rstrip().rstrip(";") + ";" for statement in change.up)
    head = "-- CreateIndex\n" if text.lower().startswith("create index") else ""
    return {f"{folder}/{moment:{STAMP}}_{slug}/migration.sql": f"{head}{text}\n"}


def _moment(stamp: str, now: datetime) -> datetime:
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=now.tzinfo)
    except ValueError:
        return now
