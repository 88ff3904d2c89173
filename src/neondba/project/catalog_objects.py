"""What stands in a database's catalog, one class for each kind of object.

The fields are the columns of `postgres/queries/look_*.sql`. Names are qualified and quoted as Postgres
writes them: `public.items`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Server:
    """The database and what its server is set to."""

    database: str
    role: str
    version: int
    counted_days: float
    """How long the counters have counted."""
    transaction_age: int
    freeze_age: int
    failsafe_age: int
    autovacuum: bool


@dataclass(frozen=True)
class Role:
    """A role that may connect."""

    name: str
    can_login: bool
    superuser: bool
    bypasses: bool
    has_rights_of: list[str]


@dataclass(frozen=True)
class Relation:
    """A table, view, materialized view or foreign table."""

    name: str
    schema: str
    kind: str
    owner: str
    secured: bool
    """Row-level security is on."""
    forced: bool
    unlogged: bool
    is_partition: bool
    has_key: bool
    options: list[str]
    public_may: list[str]
    """Privileges that every role has."""
    columns: list[str]


@dataclass(frozen=True)
class Access:
    """What a role that does not own a relation may do with it."""

    relation: str
    role: str
    can_select: bool
    only_columns: list[str] | None
    """Columns it may read, where it may not read all."""
    can_insert: bool
    can_update: bool
    can_delete: bool
    can_truncate: bool

    @property
    def can_write(self) -> bool:
        """Whether rows can be added, changed or removed."""
        return self.can_insert or self.can_update or self.can_delete

    def can_read(self, column: str) -> bool:
        """Tell whether the role may read a column."""
        return self.can_select and (self.only_columns is None or column in self.only_columns)


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    relation: str
    schema: str
    name: str
    type: str
    not_null: bool


@dataclass(frozen=True)
class Index:
    """An index, those of constraints included."""

    relation: str
    schema: str
    name: str
    is_unique: bool
    is_primary: bool
    valid: bool
    identifies: bool
    """Logical replication tells rows apart by it."""
    of_constraint: bool
    referenced: bool
    """A foreign key points at it."""
    method: str
    keys: list[str]
    """Columns and expressions, as text."""
    exact: list[str]
    """The same with operator class, collation and order."""
    included: list[str]
    types: list[str]
    condition: str | None
    bytes: int
    scans: int
    last_scan: datetime | None


@dataclass(frozen=True)
class Constraint:
    """A constraint of a table."""

    relation: str
    schema: str
    name: str
    kind: str
    validated: bool
    enforced: bool
    columns: list[str]
    types: list[str]
    target: str | None
    target_columns: list[str]
    target_types: list[str]
    targets_key: bool
    follows_updates: bool
    definition: str

    @property
    def parent(self) -> str:
        """The table that a foreign key points at."""
        return self.target or ""


@dataclass(frozen=True)
class Sequence:
    """A sequence and the column it gives numbers to."""

    name: str
    type: str
    most: int
    least: int
    step: int
    cycles: bool
    last_value: int | None
    seen: bool
    """We may see its value; none then means that it has given nothing yet."""
    relation: str
    schema: str
    column: str
    column_type: str
    identity: bool
    first: int
    """What it gives when nothing has been taken yet."""
    looked_up: bool
    """An index gives the column's highest number at once."""
    highest: int | None = None
    """The highest number in the column."""
    is_taken: bool = False
    """A row has the number that comes next."""

    @property
    def next_value(self) -> int:
        """The number that it gives next."""
        return self.first if self.last_value is None else self.last_value + self.step


@dataclass(frozen=True)
class Policy:
    """A policy of row-level security."""

    relation: str
    schema: str
    name: str
    applies: bool
    """Row-level security is on for its table."""
    permissive: bool
    command: str
    roles: list[str]
    condition: str | None
    check: str | None

    @property
    def text(self) -> str:
        """Both of its expressions."""
        return f"{self.condition or ''} {self.check or ''}"

    @property
    def commands(self) -> frozenset[str]:
        """What it is about, `all` spelled out."""
        every = frozenset({"select", "insert", "update", "delete"})
        return every if self.command == "all" else frozenset({self.command})


@dataclass(frozen=True)
class Function:
    """A function or procedure."""

    name: str
    schema: str
    arguments: str
    definer: bool
    volatile: bool
    for_trigger: bool
    has_path: bool
    owner: str
    body: str
    executable_by: list[str]

    @property
    def signature(self) -> str:
        """The name with its arguments, as statements want it."""
        return f"{self.name}({self.arguments})"


@dataclass(frozen=True)
class View:
    """A view and the tables that it reads."""

    name: str
    schema: str
    materialized: bool
    invoker: bool
    owner: str
    tables: list[str]
    secured: list[str]
    """Those of them with row-level security."""


@dataclass(frozen=True)
class Extension:
    """An installed extension."""

    name: str
    schema: str
    relocatable: bool
    version: str
    newest: str | None
    known: bool
    """The server offers this very version."""


@dataclass(frozen=True)
class DefaultPrivilege:
    """What a role is granted on objects that another role will make."""

    maker: str
    schema: str | None
    kind: str
    grantee: str
    privileges: list[str]


@dataclass(frozen=True)
class Schema:
    """A schema."""

    name: str
    owner: str
    open: bool
    """Every role may create in it."""


@dataclass(frozen=True)
class Trigger:
    """A trigger that is switched off."""

    relation: str
    schema: str
    name: str
    internal: bool
    constraint: str | None
    constraint_type: str | None


@dataclass(frozen=True)
class Slot:
    """A replication slot that nobody reads."""

    name: str
    kind: str
    status: str | None
    bytes: int | None

    @property
    def kept(self) -> int:
        """Bytes of log that the server holds for it."""
        return self.bytes or 0


@dataclass(frozen=True)
class Activity:
    """What the counters of a table say."""

    relation: str
    schema: str
    rows: int
    live: int
    dead: int
    bytes: int
    expected: int | None
    """Bytes that its rows need, as far as statistics tell."""
    unanalyzed: bool
    """It has rows to speak of, and the planner knows nothing of them."""
    whole_reads: int
    rows_in_whole_reads: int
    index_reads: int
    vacuumed: datetime | None
    transaction_age: int
    freeze_age: int
    vacuum_at: float
    """Dead rows at which autovacuum begins."""
