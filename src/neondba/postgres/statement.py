"""What a SQL statement does, as plain facts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Name:
    """The name of a table, index or other object, with its schema if one is given."""

    name: str
    schema: str | None = None

    @property
    def key(self) -> str:
        """What two mentions of one object have in common: `public` is silent, case is ignored."""
        plain = self.name.lower()
        return plain if self.schema in (None, "public") else f"{self.schema}.{plain}".lower()

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True)
class References:
    """The other end of a foreign key."""

    table: Name
    columns: tuple[str, ...] = ()
    on_delete: str = "no action"


@dataclass(frozen=True)
class ColumnDef:
    """A column as CREATE TABLE or ADD COLUMN defines it."""

    name: str
    type: str
    """As `format_type` writes it: `character varying(255)`, `timestamp without time zone`."""
    line: int
    nullable: bool = True
    default: str | None = None
    """The expression; `None` without a default."""
    generated: bool = False
    """Identity or generated columns fill themselves."""
    computed: bool = False
    """Each row's own value is written: serial, identity or stored generated."""
    primary_key: bool = False
    unique: bool = False
    references: References | None = None
    not_valid: bool = False
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConstraintDef:
    """A constraint of a table."""

    kind: str
    """`primary key`, `unique`, `foreign key`, `check`, `exclude` or `not null`."""
    columns: tuple[str, ...]
    line: int
    name: str | None = None
    references: References | None = None
    not_valid: bool = False
    using_index: str | None = None
    expression: str | None = None


@dataclass(frozen=True)
class CreateTable:
    """CREATE TABLE."""

    table: Name
    columns: tuple[ColumnDef, ...] = ()
    constraints: tuple[ConstraintDef, ...] = ()
    if_not_exists: bool = False
    temporary: bool = False
    copied: bool = False
    """Columns come from elsewhere: LIKE, INHERITS, PARTITION OF or AS."""
    partitioned: bool = False
    """PARTITION BY."""


@dataclass(frozen=True)
class Change:
    """One command of an ALTER TABLE."""

    kind: str
    """`add column`, `drop column`, `set not null`, `drop not null`, `alter type`, `set default`,
    `drop default`, `add constraint`, `validate constraint`, `drop constraint`, `add identity`,
    `enable rls`, `force rls`, `disable rls`, `attach partition`, `detach partition`, `set logged`,
    `set unlogged`, `set tablespace`, `set access method` or `other`."""
    line: int
    name: str | None = None
    """Column or constraint."""
    column: ColumnDef | None = None
    constraint: ConstraintDef | None = None
    type: str | None = None
    using: str | None = None
    if_exists: bool = False
    """IF EXISTS on a drop, IF NOT EXISTS on an addition."""


@dataclass(frozen=True)
class AlterTable:
    """ALTER TABLE with its commands."""

    table: Name
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class CreateIndex:
    """CREATE INDEX."""

    table: Name
    columns: tuple[str | None, ...]
    """Key columns in order; `None` for an expression."""
    name: str | None = None
    unique: bool = False
    concurrently: bool = False
    method: str = "btree"
    where: str | None = None
    plain: bool = True
    """No operator class, no collation, no INCLUDE, ascending order only."""
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropObjects:
    """DROP of tables, indexes, types and so on."""

    kind: str
    """`table`, `index`, `view`, `type`, `schema`, …"""
    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False
    concurrently: bool = False


@dataclass(frozen=True)
class Rename:
    """ALTER … RENAME."""

    kind: str
    """`table`, `column`, `index`, `constraint`, …"""
    table: Name
    old: str
    new: str


@dataclass(frozen=True)
class Truncate:
    """TRUNCATE."""

    tables: tuple[Name, ...]


@dataclass(frozen=True)
class RowChange:
    """UPDATE or DELETE."""

    kind: str
    """`update` or `delete`."""
    table: Name
    filtered: bool
    """It has WHERE, or joins another table."""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class CreateTrigger:
    """CREATE TRIGGER."""

    name: str
    table: Name
    function: str
    before: bool
    on_update: bool


@dataclass(frozen=True)
class CreateFunction:
    """CREATE FUNCTION or PROCEDURE."""

    name: Name
    body: str
    language: str = "sql"
    security_definer: bool = False
    search_path: bool = False
    """Whether it sets its own search_path."""


@dataclass(frozen=True)
class Call:
    """A function called in an expression."""

    function: str
    """Lower case, with its schema: `auth.uid`."""
    line: int
    wrapped: bool
    """Inside a sub-select, so Postgres may compute it once."""
    on_columns: bool = False
    """Its arguments name columns, so it differs from row to row."""


@dataclass(frozen=True)
class CreatePolicy:
    """CREATE POLICY."""

    name: str
    table: Name
    command: str
    """`all`, `select`, `insert`, `update` or `delete`."""
    roles: tuple[str, ...]
    """Lower case; empty means every role."""
    permissive: bool = True
    using: str | None = None
    check: str | None = None
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Grant:
    """GRANT or REVOKE on tables, functions or schemas."""

    grant: bool
    privileges: tuple[str, ...]
    """Lower case; empty means all."""
    kind: str
    objects: tuple[Name, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True)
class CreateExtension:
    """CREATE EXTENSION."""

    name: str


@dataclass(frozen=True)
class CreateEnum:
    """CREATE TYPE … AS ENUM."""

    name: Name
    values: tuple[str, ...]


@dataclass(frozen=True)
class AlterEnum:
    """ALTER TYPE … ADD VALUE or RENAME VALUE."""

    name: Name
    value: str
    old: str | None = None
    """The value that is renamed."""
    if_not_exists: bool = False


@dataclass(frozen=True)
class Maintain:
    """VACUUM, CLUSTER, REINDEX, REFRESH MATERIALIZED VIEW or LOCK TABLE."""

    kind: str
    """`vacuum`, `vacuum full`, `cluster`, `reindex`, `refresh` or `lock`."""
    of: str
    """`table`, `index`, `view` or `database`."""
    names: tuple[Name, ...]
    concurrently: bool = False


@dataclass(frozen=True)
class SetParameter:
    """SET, with or without LOCAL."""

    name: str
    local: bool = False


@dataclass(frozen=True)
class Transaction:
    """BEGIN, COMMIT and their kin."""

    kind: str
    """`begin`, `commit`, `rollback` or `other`."""


Action = (
    CreateTable | AlterTable | CreateIndex | DropObjects | Rename | Truncate | RowChange | CreateTrigger
    | CreateFunction | CreatePolicy | Grant | CreateExtension | CreateEnum | AlterEnum | Maintain
    | SetParameter | Transaction
)  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One statement of a SQL text."""

    kind: str
    """Its first words in upper case: `CREATE TABLE`, `SELECT`."""
    line: int
    end_line: int
    text: str
    action: Action | None = None
    """What it does, for the kinds we look into."""
    error: str | None = None
    """Why PostgreSQL's grammar refuses it."""
    error_line: int | None = None
    nested: tuple[Statement, ...] = field(default=(), repr=False)
    """Changes of rows inside WITH; the statements of a DO block."""
