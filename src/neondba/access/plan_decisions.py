"""What was decided for a table: whose its rows are, and from what that is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from neondba.postgres.shapes import Column, Constraint, Shape


class Kind(StrEnum):
    """Whose the rows of a table are."""

    OWNER = "owner"
    """A column names the person."""
    TENANT = "tenant"
    """A column names the group that people belong to."""
    PARENT = "parent"
    """Rows hang on rows of other tables."""
    GROUP = "group"
    """A row is such a group."""
    MEMBERSHIP = "membership"
    """A row says that somebody belongs to a group."""
    PEOPLE = "people"
    """A row is a user, whom the application itself looks up to sign them in."""
    SHARED = "shared"
    """Everybody who is signed in reads it."""
    PUBLIC = "public"
    """Everybody reads it."""
    CLOSED = "closed"
    """The application does not reach it."""
    SIGN_IN = "sign-in"
    """An authentication provider's own table."""
    OWN_POLICIES = "own policies"
    """The project has written policies for it."""
    TOOL = "tool"
    """A migration tool's own table."""
    UNDECIDED = "undecided"

    @property
    def has_policies(self) -> bool:
        """True where we write policies for the table."""
        return self not in (Kind.OWN_POLICIES, Kind.TOOL, Kind.UNDECIDED)

    @property
    def is_private(self) -> bool:
        """True where not everybody sees every row."""
        return self in (Kind.OWNER, Kind.TENANT, Kind.PARENT, Kind.GROUP, Kind.MEMBERSHIP)


@dataclass(frozen=True)
class Link:
    """A foreign key of one column to a table."""

    column: Column
    target: str
    key: str

    @classmethod
    def of(cls, shape: Shape, key: Constraint) -> Link | None:
        """Read a foreign key; nothing for one of several columns."""
        column = shape.column(key.columns[0]) if len(key.columns) == 1 else None
        return cls(column, key.target, key.target_columns[0]) if column and key.target else None


@dataclass(frozen=True)
class Group:
    """Those who see rows together: an organisation, a team, a shared board."""

    name: str
    """The bare name: `organization`."""
    key: Column
    """What rows name the group by, in its type."""
    table: str | None = None
    """The group's own table, if there is one."""
    member_table: str | None = None
    member_group: Column | None = None
    member_user: Column | None = None
    role: Column | None = None
    """Column of the membership that says what a member may do."""
    leaders: tuple[str, ...] = ()
    """Values of it that may change the group and its members."""
    owner: Column | None = None
    """Column of the group's table that names the person it belongs to."""
    people_table: str | None = None
    """The users' table, where a column of theirs says which group they belong to."""
    people_key: Column | None = None
    people_group: Column | None = None

    @property
    def by_token(self) -> bool:
        """True where only the token tells the group."""
        return self.member_table is None and self.people_table is None and self.owner is None


@dataclass(frozen=True)
class Decision:
    """Whose the rows of one table are."""

    shape: Shape
    kind: Kind
    why: str
    owners: tuple[Column, ...] = ()
    group: Group | None = None
    group_column: Column | None = None
    parents: tuple[Link, ...] = ()
    """Foreign keys to the rows that it hangs on."""
    checks: tuple[Link, ...] = ()
    """Other foreign keys that may only name rows within reach."""
    shown_by: Column | None = None
    """A boolean that opens a row for reading."""
    maker: Column | None = None
    """Column of a group's rows that names who made one."""
    flag: str = ""
    """What the user chose, as it is kept in the comment of a policy."""
    candidates: tuple[str, ...] = field(default=())
    """Columns between which the user has to choose."""

    waits: bool = False
    """Whether another table that is open has to be decided first."""

    @property
    def table(self) -> str:
        """The table's quoted qualified name."""
        return self.shape.name

    def but(self, **changes: object) -> Decision:
        """Give the decision with some parts changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
