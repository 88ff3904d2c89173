"""What has to be known of a table to put a row into it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from neondba.postgres.connect import Connection, ask


class Column(BaseModel):
    """A column that may want a value."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    base: str
    """The type's own name, below a domain."""
    element: str | None = None
    """The type of an array's elements."""
    category: str
    length: int | None = None
    """What the type's modifier allows: characters, bits, or numeric's packed precision."""
    not_null: bool
    generated: bool
    """True when the server insists on making the value."""
    default: str | None = None
    labels: tuple[str, ...] = ()
    domain_checks: tuple[str, ...] = ()

    @field_validator("labels", "domain_checks", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return value or ()

    @property
    def numbered(self) -> bool:
        """True when a sequence gives the value."""
        return self.default is not None and self.default.startswith("nextval(")


class Constraint(BaseModel):
    """A rule that a row has to keep."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    """Postgres's letter: c check, f foreign key, p primary key, u unique."""
    definition: str
    columns: tuple[str, ...] = ()
    target: str | None = None
    target_columns: tuple[str, ...] = ()

    @field_validator("columns", "target_columns", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return value or ()


class Shape(BaseModel):
    """A table: its columns and the rules its rows keep."""

    model_config = ConfigDict(frozen=True)

    name: str
    oid: int
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    bounds: tuple[str, ...] = ()
    """Bounds of the partitions, when it is partitioned."""

    @field_validator("columns", "constraints", "bounds", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return value or ()

    def column(self, name: str) -> Column | None:
        """Give a column by its name."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the primary key's columns; none when there is no key."""
        return next((k.columns for k in self.constraints if k.kind == "p"), ())

    @property
    def foreign_keys(self) -> tuple[Constraint, ...]:
        """The table's foreign keys."""
        return tuple(k for k in self.constraints if k.kind == "f")

    @property
    def parents(self) -> set[str]:
        """Tables that need a row before this one can have one."""
        mandatory = {c.name for c in self.columns if c.not_null}
        return {k.target for k in self.foreign_keys if k.target and mandatory & set(k.columns)} - {self.name}


def shapes(session: Connection) -> dict[str, Shape]:
    """Read all tables, those that others refer to first."""
    rows = ask(session, "shapes")
    waiting = {str(row["name"]): Shape(**row) for row in rows}
    known = set(waiting)
    ordered: dict[str, Shape] = {}
    while waiting:
        ready = [s for s in waiting.values() if not (s.parents & known) - ordered.keys()]
        # A circle of mandatory references has no good order: keep the alphabet's.
        for shape in ready or list(waiting.values()):
            ordered[shape.name] = waiting.pop(shape.name)
    return ordered
