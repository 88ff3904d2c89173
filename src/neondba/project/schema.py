"""The tables of a project, from every source that defines them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from neondba.postgres.statement import CreateTrigger, Name
from neondba.project.alembic_history import AlembicHistory
from neondba.project.drizzle import drizzle_tables
from neondba.project.prisma import prisma_tables
from neondba.project.python import PythonFiles
from neondba.project.schema_alembic import alembic_tables
from neondba.project.schema_provider import provider_of_tables
from neondba.project.schema_sql import SqlTables
from neondba.project.schema_table import Column, ForeignKey, Index, Table
from neondba.project.sql import SqlFiles
from neondba.project.sqlalchemy_models import Models
from neondba.project.sqlmodel_version import settle_datetimes
from neondba.project.tree import Tree

MANIFESTS = (
    "package.json",
    "pyproject.toml",
    "requirements.txt",
    "go.mod",
    "Cargo.toml",
    "alembic.ini",
    "Gemfile",
)
"""Files that stand at the top of a part of a project."""

__all__ = ["Column", "ForeignKey", "Index", "Schema", "Table"]


@dataclass
class Schema:
    """Every table definition of the project."""

    plain = True

    definitions: list[Table] = field(default_factory=list)
    triggers: list[CreateTrigger] = field(default_factory=list)
    enums: set[str] = field(default_factory=set)

    @classmethod
    def gather(cls, tree: Tree, sql: SqlFiles, python: PythonFiles, alembic: AlembicHistory) -> Schema:
        """Collect the tables of models, SQL files, Prisma schemas and Alembic revisions."""
        models = Models(python).tables()
        prisma, drizzle = prisma_tables(tree), drizzle_tables(tree)
        sources = {tool for tool, tables in (("Prisma", prisma), ("Drizzle", drizzle)) if tables}
        written = SqlTables(sql, sources)
        revised = alembic_tables(alembic, bool(models))
        settle_datetimes(tree, models, [*written.tables, *revised])
        definitions = [*models, *prisma, *drizzle, *written.tables, *revised]
        provider_of_tables(definitions)
        roots = {p.rpartition("/")[0] for p in tree.named(*MANIFESTS)}
        for table in definitions:
            table.root = _root(table.path, roots)
        return cls(definitions, written.triggers, written.enums)

    @cached_property
    def tables(self) -> list[Table]:
        """The definitions to change when a table should change; no generated ones, no fragments."""
        return [t for t in self.definitions if not t.generated and t.whole and t.columns]

    @cached_property
    def by_key(self) -> dict[str, list[Table]]:
        """All definitions of each table, fragments included."""
        found = defaultdict(list)
        for table in self.definitions:
            found[table.name.key].append(table)
        return dict(found)

    def same(self, table: Table) -> list[Table]:
        """Give every definition of a table, the given one included."""
        return self.by_key.get(table.name.key, [table])

    def same_name(self, name: Name) -> list[Table]:
        """Give every definition of a table by its name."""
        return self.by_key.get(name.key, [])

    def covered(self, table: Table, columns: tuple[str, ...]) -> bool:
        """Tell whether some index leads with these columns, in any order."""
        wanted = {c.lower() for c in columns}
        for other in self.same(table):
            for index in other.all_indexes:
                leading = {(c or "").lower() for c in index.columns[: len(wanted)]}
                if leading == wanted and index.method in ("btree", "hash"):
                    return True
        return False

    def find(self, name: Name) -> Table | None:
        """Give a definition of a table, one with columns if there is one."""
        found = self.by_key.get(name.key, [])
        return next((t for t in found if t.columns), found[0] if found else None)

    def checks_of(self, table: Table, column: str) -> list[str]:
        """Give the CHECK expressions of a table that mention a column."""
        return [
            check
            for other in self.same(table)
            for check in [
                *other.checks,
                *(c for col in other.columns.values() if col.name == column for c in col.checks),
            ]
            if column.lower() in check.lower()
        ]


def _root(path: str, roots: set[str]) -> str:
    """Give the outermost folder with a manifest that is not the whole tree."""
    parts = path.split("/")[:-1]
    above = ["/".join(parts[:i]) for i in range(1, len(parts) + 1)]
    return next((folder for folder in above if folder in roots), "")
