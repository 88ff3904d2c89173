"""One table as the project defines it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from neondba.postgres.statement import Name, References


@dataclass
class Column:
    """A column of a table definition."""

    name: str
    type: str | None
    """As `format_type` writes it, `enum`, or `None` when the definition does not tell."""
    path: str
    line: int
    nullable: bool = True
    default: str | None = None
    """The default as written, in the database or in the application."""
    database_default: bool = False
    primary_key: bool = False
    unique: bool = False
    indexed: bool = False
    references: References | None = None
    on_update: bool = False
    """The definition itself renews the value on update."""
    checks: tuple[str, ...] = ()
    pattern: bool = False
    """A validation outside the database limits the values."""
    bounds: tuple[str, ...] = ()
    """Bounds that only the model checks: `ge=0`."""
    note: str = ""
    """Comment or description."""
    by_library: bool = False
    """The type is what the version of SQLModel makes of a plain `datetime`."""
    field: str = ""
    """What code calls it; empty where that is the column's own name."""
    computed: bool = False
    """Each row gets a value of its own: serial, identity or stored generated."""


@dataclass
class ForeignKey:
    """A reference from some columns to another table."""

    columns: tuple[str, ...]
    table: Name
    path: str
    line: int
    on_delete: str = "no action"
    ref_columns: tuple[str, ...] = ()
    name: str | None = None


@dataclass
class Index:
    """An index, or a constraint that is one."""

    columns: tuple[str | None, ...]
    path: str
    line: int
    kind: str = "index"
    """`index`, `unique` or `primary key`."""
    name: str | None = None
    unique: bool = False
    partial: bool = False
    plain: bool = True
    """Ordinary btree order on plain columns, without INCLUDE."""
    method: str = "btree"


@dataclass
class Table:
    """One definition of a table; a table may be defined in several places."""

    name: Name
    path: str
    line: int
    source: str
    """`sql`, `sqlmodel`, `sqlalchemy`, `prisma`, `alembic` or `drizzle`."""
    label: str = ""
    """The model's name where there is one."""
    columns: dict[str, Column] = field(default_factory=dict)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    generated: bool = False
    """A tool writes this definition from another one, which is the place to change."""
    whole: bool = True
    """All columns are known."""
    partitioned: bool = False
    relations: frozenset[str] = frozenset()
    """Fields that stand for rows of other tables, as far as the source names them."""
    extends: bool = False
    """Declared with `extend_existing`."""
    provider: str | None = None
    """Who else owns the table: Better Auth, Auth.js, Supabase Auth, Neon Auth."""
    root: str = ""
    """The folder of the part of the project that it belongs to; parts may have databases of their own."""

    def copy(self) -> Table:
        """Give a copy whose columns, keys and indexes can change on their own."""
        return replace(
            self,
            columns={name: replace(column) for name, column in self.columns.items()},
            foreign_keys=[replace(key) for key in self.foreign_keys],
            indexes=[replace(index) for index in self.indexes],
            checks=list(self.checks),
        )

    def shares_database(self, other: Table) -> bool:
        """Tell whether two definitions may be of one database."""
        return self.root == other.root or not self.root or not other.root

    def named(self, field_: str) -> Column | None:
        """Give the column that code calls by this name."""
        found = self.columns.get(field_)
        return found or next((c for c in self.columns.values() if c.field == field_), None)

    @property
    def title(self) -> str:
        """What the project calls it."""
        return self.label or str(self.name)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        for index in self.indexes:
            if index.kind == "primary key":
                return tuple(c for c in index.columns if c)
        return tuple(c.name for c in self.columns.values() if c.primary_key)

    @property
    def references(self) -> list[ForeignKey]:
        """All foreign keys: those of columns and those of the table."""
        own = [
            ForeignKey(
                (c.name,), c.references.table, c.path, c.line, c.references.on_delete, c.references.columns
            )
            for c in self.columns.values()
            if c.references
        ]
        return own + self.foreign_keys

    @property
    def all_indexes(self) -> list[Index]:
        """Declared indexes and those that come with constraints."""
        found = list(self.indexes)
        for column in self.columns.values():
            if column.primary_key and not any(i.kind == "primary key" for i in self.indexes):
                found.append(Index(self.primary_key, column.path, column.line, "primary key", unique=True))
                break
        for c in self.columns.values():
            if c.unique:
                found.append(Index((c.name,), c.path, c.line, "unique", unique=True))
            elif c.indexed:
                found.append(Index((c.name,), c.path, c.line))
        return found
