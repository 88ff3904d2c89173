"""Carry the statements into migrations of the project's own tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from neondba.access.plan_present import Present
from neondba.access.policies_text import short
from neondba.postgres.ddl.names import last, namespace, plain, quote_ident
from neondba.project.alembic_history import AlembicHistory
from neondba.project.facts import Facts
from neondba.project.migration_writing.change import Change
from neondba.project.migration_writing.drizzle import written as with_drizzle
from neondba.project.migration_writing.writing import Migrations, Written
from neondba.project.sql import SqlFiles
from neondba.project.tree import Tree

NAME: Final = "row level security"
ALONE: Final = "row_level_security.sql"


@dataclass(frozen=True)
class MissingIndex:
    """An index that a predicate wants."""

    table: str
    column: str
    taken: frozenset[str] = frozenset()
    """Names that are not free: a partial index may have the usual one."""

    def name(self, tool: str) -> str:
        """Give the name that the project's tool would choose, or a free one beside it."""
        table = short(self.table)
        found = f"ix_{table}_{self.column}" if tool == "Alembic" else f"{table}_{self.column}_idx"
        return f"{found[:51]}_isolation" if found[:63] in self.taken else found[:63]

    def create(self, tool: str, *, concurrently: bool) -> str:
        """Give the statement that builds it."""
        word = " concurrently" if concurrently else ""
        on = self.table.removeprefix("public.")
        return f"create index{word} {quote_ident(self.name(tool))} on {on} ({quote_ident(self.column)})"

    def drop(self, tool: str, *, concurrently: bool) -> str:
        """Give the statement that drops it."""
        word = " concurrently" if concurrently else ""
        inside = "" if namespace(self.table) == "public" else f"{namespace(self.table)}."
        return f"drop index{word} {inside}{quote_ident(self.name(tool))}"


@dataclass
class Carried:
    """Files, and what could not be put into one."""

    files: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    """Files of the tool's own that name the new ones."""
    notes: list[str] = field(default_factory=list)


def tool_of(facts: Facts) -> str:
    """Name the migration tool of the project; nothing where it has none."""
    if facts.get(AlembicHistory).histories:
        return "Alembic"
    histories = facts.get(SqlFiles).histories
    return (histories[0].tool or "SQL files") if histories else ""


class Writer:
    """Write first the indexes, then the policies."""

    def __init__(self, tree: Tree, facts: Facts, now: datetime) -> None:
        self._tree, self._facts, self._now = tree, facts, now
        self._migrations = Migrations(tree, facts, now)
        self.tool = tool_of(facts)

    def write(self, indexes: Sequence[MissingIndex], up: Sequence[str], down: Sequence[str]) -> Carried:
        """Give the files that carry everything."""
        carried = Carried()
        if self.tool == "Drizzle":
            self._with_drizzle(carried, indexes, up, down)
            return carried
        for change in self._index_changes(indexes):
            if not self._put(carried, change):
                plain = [i.create(self.tool, concurrently=False) for i in indexes]
                up = (*plain, *up)
                down = (*down, *[i.drop(self.tool, concurrently=False) for i in reversed(indexes)])
                carried.notes.append(
                    "The indexes are built with the policies, while writes wait: nothing tells whether the "
                    "tool runs files outside a transaction, as CONCURRENTLY needs."
                )
                break
        if up and not self._put(carried, Change(NAME, tuple(up), tuple(down))):
            carried.files[ALONE] = _script(up, down)
            carried.notes.append(f"No migration tool was found to carry it: run {ALONE} with psql.")
        return carried

    def _index_changes(self, indexes: Sequence[MissingIndex]) -> list[Change]:
        if not indexes:
            return []
        several = [
            Change(
                f"index {short(i.table)} {i.column}",
                (i.create(self.tool, concurrently=True),),
                (i.drop(self.tool, concurrently=True),),
                concurrently=True,
            )
            for i in indexes
        ]
        if self.tool == "Prisma" or len(several) == 1:
            return several
        up, down = tuple(c.up[0] for c in several), tuple(c.down[0] for c in reversed(several))
        return [Change("index owner columns", up, down, concurrently=True)]

    def _put(self, carried: Carried, change: Change) -> bool:
        written = self._written(change)
        carried.files |= written.files
        if self.tool == "Prisma":
            # Prisma has no way back of its own; a down.sql beside the migration is how people keep one.
            back = "".join(f"{statement};\n" for statement in change.down)
            carried.files |= {f"{path.rpartition('/')[0]}/down.sql": back for path in written.files}
        return bool(written.files)

    def _written(self, change: Change) -> Written:
        if self.tool == "Alembic":
            return self._migrations.write(change, "models.py")
        histories = self._facts.get(SqlFiles).histories
        return self._migrations.write(change, histories[0].files[-1].path) if histories else Written()

    def _with_drizzle(
        self, carried: Carried, indexes: Sequence[MissingIndex], up: Sequence[str], down: Sequence[str]
    ) -> None:
        # Drizzle runs each file in a transaction, so its indexes cannot be built concurrently.
        built = [i.create(self.tool, concurrently=False) for i in indexes]
        history = self._facts.get(SqlFiles).histories[0]
        change = Change(NAME, (*built, *up), tuple(down))
        carried.files, carried.changed = with_drizzle(self._tree, history.files[-1].path, change, self._now)
        if indexes:
            carried.notes.append(
                "Drizzle runs files in a transaction: the indexes are built while writes wait."
            )


def _script(up: Sequence[str], down: Sequence[str]) -> str:
    back = "".join(f"-- {line}\n" for s in down for line in f"{s};".split("\n"))
    return "begin;\n" + "".join(f"{s};\n" for s in up) + f"commit;\n\n-- The way back:\n{back}"


def missing_indexes(wanted: Sequence[tuple[str, str]], present: Present) -> list[MissingIndex]:
    """Give the indexes that no whole index leads in place of."""
    taken = frozenset(plain(last(str(row["name"]))) for row in present.indexes)
    return [
        MissingIndex(table, column, taken)
        for table, column in dict.fromkeys(wanted)
        if not present.is_covered(column, table)
    ]
