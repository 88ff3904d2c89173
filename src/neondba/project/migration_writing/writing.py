"""Choose the migration tool that a finding's table belongs to, and let it write the change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from neondba.project.alembic_history import AlembicHistory, History
from neondba.project.facts import Facts
from neondba.project.migration_writing import alembic, plain_sql, prisma
from neondba.project.migration_writing.change import Change
from neondba.project.tree import Tree


@dataclass
class Written:
    """What a change becomes: new files, or a step that only the project's own tool can take."""

    files: dict[str, str] = field(default_factory=dict)
    step: str = ""
    """A command that the user still has to run."""
    why_not: str = ""
    """Why nothing could be written."""


class Migrations:
    """Write changes one after the other, each following the one before."""

    def __init__(self, tree: Tree, facts: Facts, now: datetime) -> None:
        self._tree, self._now = tree, now
        self._histories = facts.get(AlembicHistory).histories
        self._alembic: dict[str, alembic.Writer] = {}
        self._added: set[str] = set()

    def write(self, change: Change, path: str) -> Written:
        """Give the files of the migration that carries a change for a table defined in a file."""
        if path.endswith(".prisma") or "/migration.sql" in path:
            return self._kept(self._prisma(change, path))
        if path.endswith((".ts", ".mts", ".js")):
            return self._drizzle(path)
        if path.endswith(".sql"):
            return self._kept(self._plain(change, path))
        return self._kept(self._with_alembic(change, path))

    def _kept(self, written: Written) -> Written:
        self._added |= written.files.keys()
        return written

    def _with_alembic(self, change: Change, path: str) -> Written:
        if not self._histories:
            return Written(why_not="no Alembic revisions were found for it to follow")
        history = max(self._histories, key=lambda h: (_shared(h.folder, path), h.folder))
        known = self._alembic.get(history.folder)
        if known is None:
            if reason := _unsound(history):
                return Written(why_not=reason)
            known = self._alembic[history.folder] = alembic.Writer(self._tree, history, self._now)
        name, text = known.write(change)
        return Written({f"{history.folder}/{name}".lstrip("/"): text})

    def _prisma(self, change: Change, path: str) -> Written:
        folder = prisma.folder_of(self._tree, path)
        if folder is None:
            return Written(step="npx prisma db push")
        return Written(prisma.files(folder, change, self._now, {*self._tree.paths, *self._added}))

    def _drizzle(self, path: str) -> Written:
        config = [p for p in self._tree.paths if re.match(r"drizzle\.config\.\w+$", p.rpartition("/")[2])]
        if not config:
            return Written(why_not="no drizzle.config was found")
        nearest = max(config, key=lambda p: _shared(p.rpartition("/")[0], path))
        folder = nearest.rpartition("/")[0]
        return Written(
            step=f"cd {folder} && npx drizzle-kit generate" if folder else "npx drizzle-kit generate"
        )

    def _plain(self, change: Change, path: str) -> Written:
        try:
            return Written(plain_sql.files(self._tree, path, change, self._now, self._added))
        except plain_sql.Unsuited as why:
            return Written(why_not=str(why))


def _unsound(history: History) -> str:
    if history.missing or history.twins or history.cycle:
        return f"the revisions in {history.folder} do not form one history"
    if len(history.heads) != 1:
        return f"{history.folder} has {len(history.heads)} heads: merge them first"
    return ""


def _shared(folder: str, path: str) -> int:
    """Count the folders that two places have in common."""
    count = 0
    for one, other in zip(folder.split("/"), path.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count
