"""Which column says whose row it is, and two users to fill it with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from neondba.core.problem import NotFoundProblem
from neondba.postgres.seeding import CannotSeedError, Seeder, Values
from neondba.postgres.seen import NotSeeded
from neondba.postgres.shapes import Column, Shape

OWNER_NAMES: Final = (
    "user_id", "owner_id", "author_id", "created_by", "creator_id", "created_by_id", "account_id",
    "customer_id", "member_id", "profile_id", "owner", "tenant_id", "workspace_id", "organization_id",
    "organisation_id", "org_id", "team_id", "company_id",
)  # fmt: skip
"""People first: where a row has both, the person is the narrower owner."""
_MORE: Final = re.compile(
    r"(is_?)?(superuser|admin|staff|public|published|shared|listed|super_admin|global_admin)"
)
"""Booleans that open more than one's own rows."""
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_person(name: str) -> bool:
    """Tell whether a column of this name names a person, not a group or a parent."""
    return _HUMP.sub("_", name).lower() in {"id", *OWNER_NAMES[: OWNER_NAMES.index("tenant_id")]}


def owner_column(shape: Shape, mentioned: str) -> Column | None:
    """Give the column that names the owner; one that a policy mentions first."""
    by_name = {_HUMP.sub("_", column.name).lower(): column for column in shape.columns}
    found = [by_name[name] for name in OWNER_NAMES if name in by_name]
    in_policy = [c for c in found if re.search(rf"\b{re.escape(c.name)}\b", mentioned)]
    return next(iter([*in_policy, *found]), None)


def chosen_columns(shapes: Mapping[str, Shape], given: Iterable[str]) -> dict[str, Column]:
    """Read `table.column` texts that the user gave.

    Raises:
        NotFoundProblem: there is no such table or column.
    """
    chosen = {}
    for text in given:
        table, _, name = text.rpartition(".")
        shape = shapes.get(table) or shapes.get(f"public.{table}")
        column = shape.column(name) if shape else None
        if shape is None or column is None:
            raise NotFoundProblem(
                "owner-column-not-found",
                f"The branch has no column {text}.",
                hint=f"Write it as table.column. There are the tables: {', '.join(shapes)}.",
            )
        chosen[shape.name] = column
    return chosen


class TwoUsers:
    """Rows of user A and user B in every table that has an owner."""

    def __init__(self, seeder: Seeder, owners: Mapping[str, Column]) -> None:
        self._seeder = seeder
        self._owners = owners
        self._people: dict[str, tuple[str, str]] = {}
        self.rows: dict[str, tuple[Values, Values]] = {}
        """Table to the row of A and the row of B."""
        self.not_seeded: list[NotSeeded] = []

    def seed(self) -> None:
        """Insert both rows everywhere; tables that others refer to come first."""
        for name in self._in_order():
            shape = self._seeder.shapes[name]
            if name not in self._owners:
                # It may be what an owned table has to refer to.
                self._seeder.more(shape, nulls=False)
                continue
            try:
                pair = [self._seeder.insert(shape, self.fixed(shape, who)) for who in (0, 1)]
                self.rows[name] = (pair[0], pair[1])
            except CannotSeedError as error:
                self.not_seeded.append(NotSeeded(table=name, reason=str(error)))

    def _in_order(self) -> list[str]:
        """Put what owner columns refer to first, so that the two own rows that are there."""
        waiting, ordered = dict(self._seeder.shapes), list[str]()
        while waiting:
            ready = [n for n, s in waiting.items() if not (self._refers_to(s) & waiting.keys()) - {n}]
            for name in ready or list(waiting):
                del waiting[name]
                ordered.append(name)
        return ordered

    def _refers_to(self, shape: Shape) -> set[str]:
        owner = self._owners.get(shape.name)
        named = {k.target for k in shape.foreign_keys if owner and owner.name in k.columns}
        return {target for target in named if target} | shape.parents

    def fixed(self, shape: Shape, who: int) -> Values:
        """Give the values that tie a row to one of the two: who, and what they have."""
        owner = self._owners[shape.name]
        values: Values = {}
        for key in shape.foreign_keys:
            if key.target in self.rows and key.target != shape.name:
                row = self.rows[key.target][who]
                values |= {c: row[t] for c, t in zip(key.columns, key.target_columns, strict=True)}
        values[owner.name] = self.person(shape, owner)[who]
        return {**_ordinary(shape), **values}

    def person(self, shape: Shape, owner: Column) -> tuple[str, str]:
        """Give two identities that fit the column: rows it refers to, or plain values."""
        key = next((k for k in shape.foreign_keys if k.columns == (owner.name,)), None)
        kind = f"{key.target} {key.target_columns[0]}" if key else owner.base
        if kind not in self._people:
            self._people[kind] = (
                self._referred(key.target or "", key.target_columns[0]) if key else _plain(owner)
            )
        return self._people[kind]

    def _referred(self, table: str, column: str) -> tuple[str, str]:
        if table in self.rows:
            pair = self.rows[table]
        else:
            shape = self._seeder.shapes[table]
            pair = (
                self._seeder.insert(shape, _ordinary(shape)),
                self._seeder.insert(shape, _ordinary(shape)),
            )
        return str(pair[0][column]), str(pair[1][column])


def _plain(column: Column) -> tuple[str, str]:
    if column.base == "uuid":
        return "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
    if column.category == "N":
        return "1001", "1002"
    return "user-a", "user-b"


def _ordinary(shape: Shape) -> Values:
    """Make neither administrators, who may see more, nor rows that are shown to all."""
    return {c.name: "false" for c in shape.columns if c.base == "bool" and _MORE.fullmatch(c.name.lower())}
