"""One class per kind of object: everything that a `CREATE` of it needs.

Names are qualified and quoted as the server quotes them, so that they can be put into statements.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from neondba.postgres.sql_text import commas

Grants = dict[str, tuple[str, ...]]
"""Grantee (`PUBLIC`, `@owner` or a role) to privileges; `*` marks one that may be passed on."""


class Value(BaseModel):
    """What every object has."""

    model_config = ConfigDict(frozen=True)
    unseen: ClassVar[frozenset[str]] = frozenset()
    """Attributes in which equal objects may differ."""

    kind: str
    name: str
    comment: str | None = None
    owner: str | None = None
    """Read only when asked for."""
    grants: Grants = {}

    @property
    def key(self) -> str:
        """Name the object among all objects of its database."""
        return f"{self.kind} {self.name}"

    @property
    def seen(self) -> dict[str, Any]:
        """The attributes that are compared."""
        return {k: v for k, v in self.__dict__.items() if k not in self.unseen}


class Part(Value):
    """What hangs on a table or view and goes with it."""

    table: str
    part: str
    """Its own name, without the table's."""


class Namespace(Value):
    """A schema in the sense of `CREATE SCHEMA`."""

    kind: Literal["schema"] = "schema"


class Extension(Value):
    """An installed extension."""

    kind: Literal["extension"] = "extension"
    version: str
    in_schema: str


class Enum(Value):
    """An enum type."""

    kind: Literal["enum"] = "enum"
    labels: tuple[str, ...]


class Domain(Value):
    """A domain with its constraints."""

    kind: Literal["domain"] = "domain"
    type: str
    collation: str | None = None
    not_null: bool = False
    default: str | None = None
    checks: dict[str, tuple[str, bool]] = {}
    """Name to definition, and whether it is validated."""


class Composite(Value):
    """A composite type."""

    kind: Literal["type"] = "type"
    attributes: tuple[tuple[str, str], ...]
    """Name and type of each, in order."""


class Range(Value):
    """A range type."""

    kind: Literal["range"] = "range"
    subtype: str
    operator_class: str | None = None
    collation: str | None = None
    canonical: str | None = None
    subtype_diff: str | None = None
    multirange: str | None = None


class SequenceOptions(BaseModel):
    """How a sequence counts."""

    model_config = ConfigDict(frozen=True)
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool


class Sequence(Value):
    """A sequence that is no identity column's; where it stands is data."""

    kind: Literal["sequence"] = "sequence"
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    unlogged: bool = False
    owned_by: str | None = None
    """Column with which it goes."""


class Table(Value):
    """A table without its columns and what else hangs on it."""

    kind: Literal["table"] = "table"
    unlogged: bool = False
    partition_by: str | None = None
    partition_of: str | None = None
    bound: str | None = None
    inherits: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    replica_identity: str | None = None
    row_security: bool = False
    force_row_security: bool = False
    access_method: str | None = None


class Column(Part):
    """A column of a table."""

    unseen = frozenset({"position", "local", "not_null_local"})
    kind: Literal["column"] = "column"
    position: int
    """Its place; no statement can change it, so it is not compared."""
    type: str
    collation: str | None = None
    not_null: bool = False
    not_null_name: str | None = None
    """Name of the constraint, from PostgreSQL 18 on."""
    not_null_validated: bool = True
    not_null_no_inherit: bool = False
    not_null_local: bool = False
    """True when a partition keeps it, should its parent lose it; from PostgreSQL 18 on."""
    default: str | None = None
    generated: str | None = None
    virtual: bool = False
    identity: Literal["ALWAYS", "BY DEFAULT"] | None = None
    sequence: SequenceOptions | None = None
    """How an identity column counts."""
    storage: str | None = None
    compression: str | None = None
    statistics: int | None = None
    options: tuple[str, ...] = ()
    inherited: bool = False
    local: bool = True

    @property
    def seen(self) -> dict[str, Any]:
        """The attributes that are compared; names that Postgres gave by itself are not."""
        given = super().seen
        return given | {"not_null_name": None} if self.inherited else given


class Constraint(Part):
    """A constraint of a table, except not-null."""

    unseen = frozenset({"columns", "references"})
    kind: Literal["constraint"] = "constraint"
    type: Literal["primary key", "unique", "check", "foreign key", "exclude"]
    definition: str
    validated: bool = True
    inherited: bool = False
    references: str | None = None
    columns: tuple[str, ...] = ()
    clustered: bool = False


class Index(Part):
    """An index that no constraint made."""

    unseen = frozenset({"part"})
    kind: Literal["index"] = "index"
    definition: str
    unique: bool = False
    valid: bool = True
    clustered: bool = False
    inherited: bool = False
    statistics: dict[str, int] = {}
    """Place of a column to its statistics target."""


class View(Value):
    """A view or a materialised view."""

    kind: Literal["view"] = "view"
    materialized: bool = False
    definition: str
    options: tuple[str, ...] = ()
    populated: bool = True
    columns: tuple[tuple[str, str, str | None], ...] = ()
    """Name, type and comment of each, in order."""

    @property
    def word(self) -> str:
        """The words that statements name it with."""
        return "MATERIALIZED VIEW" if self.materialized else "VIEW"


class Function(Value):
    """A function, procedure, window function or aggregate, by its argument types."""

    kind: Literal["function"] = "function"
    type: Literal["FUNCTION", "PROCEDURE", "AGGREGATE", "WINDOW FUNCTION"]
    signature: str
    arguments: str
    result: str | None
    definition: str

    @property
    def word(self) -> str:
        """The word that statements name it with."""
        return "FUNCTION" if self.type == "WINDOW FUNCTION" else self.type


class Trigger(Part):
    """A trigger of a table or view."""

    kind: Literal["trigger"] = "trigger"
    definition: str
    state: str = "ENABLE"
    inherited: bool = False


class EventTrigger(Value):
    """A trigger of the whole database."""

    kind: Literal["event trigger"] = "event trigger"
    event: str
    function: str
    tags: tuple[str, ...] = ()
    state: str = "ENABLE"


class Policy(Part):
    """A row-level security policy."""

    kind: Literal["policy"] = "policy"
    permissive: bool = True
    command: str = "ALL"
    roles: tuple[str, ...] = ("PUBLIC",)
    using: str | None = None
    check: str | None = None


class Rule(Part):
    """A rewrite rule."""

    kind: Literal["rule"] = "rule"
    definition: str
    state: str = "ENABLE"


class Statistics(Value):
    """A statistics object."""

    kind: Literal["statistics"] = "statistics"
    definition: str
    target: int | None = None

    @property
    def seen(self) -> dict[str, Any]:
        """The attributes that are compared: its columns in whatever order the table has them."""
        head, on, rest = self.definition.partition(" ON ")
        named, source, table = rest.rpartition(" FROM ")
        edges = [-1, *commas(named), len(named)]
        listed = sorted(named[one + 1 : other].strip() for one, other in pairwise(edges))
        return super().seen | {"definition": head + on + ", ".join(listed) + source + table}


class DefaultPrivileges(Value):
    """What a role grants on objects that it will make; the grants are the point."""

    kind: Literal["default privileges"] = "default privileges"
    role: str
    in_schema: str | None = None
    objects: str


Thing = Annotated[
    Namespace
    | Extension
    | Enum
    | Domain
    | Composite
    | Range
    | Sequence
    | Table
    | Column
    | Constraint
    | Index
    | View
    | Function
    | Trigger
    | EventTrigger
    | Policy
    | Rule
    | Statistics
    | DefaultPrivileges,
    Field(discriminator="kind"),
]
"""Any object, told apart by its kind."""
