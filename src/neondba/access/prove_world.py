"""Two people, what belongs to whom, and the marks by which it is recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from neondba.access.owners import OWNER_NAMES, chosen_columns, owner_column
from neondba.access.walk_values import Marks
from neondba.postgres.row_watch import Rows, values_of
from neondba.postgres.shapes import Column, Shape

USER_TABLES: Final = ("user", "users", "app_user", "app_users", "auth_user", "account")
TENANTS: Final = (
    "tenant_id",
    "workspace_id",
    "organization_id",
    "organisation_id",
    "org_id",
    "team_id",
    "company_id",
)
OUTSIDE_IDS: Final = re.compile(
    r"^(?:sub|external_id|auth_id|auth_user_id|clerk_id|better_auth_id|provider_id|uid)$"
)
SHOWN_OF_PEOPLE: Final = re.compile(
    r"^(?:id|uuid|user_?name|(?:full|first|last|display|nick)?_?name|handle|avatar\w*|image\w*|bio|slug)$",
    re.IGNORECASE,
)
"""What people are known by to others: seeing it is no crossing."""
_WHEN: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:|$)")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LARGE: Final = 1_000_000


def snake(name: str) -> str:
    """Write a name in lower case with underscores."""
    return _HUMP.sub("_", name).replace("-", "_").lower()


def plain_name(table: str) -> str:
    """Give a table's own name without schema and quotes."""
    return table.rpartition(".")[2].strip('"')


@dataclass
class Person:
    """One of the two, or an administrator."""

    letter: str
    marks: Marks
    claims: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    ids: set[str] = field(default_factory=set)
    """What stands for this person in a column that names an owner."""
    tenant: str = ""
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Table to one row of this person."""
    uses: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Table without owners to a row that this person's rows refer to."""


@dataclass(frozen=True)
class Mark:
    """A text that stands only in rows of one person."""

    text: str
    table: str
    column: str
    weak: bool = False
    """True for what others may know of a person anyhow."""

    @property
    def named(self) -> str:
        """Table and column."""
        return f"{plain_name(self.table)}.{self.column}"


class World:
    """The tables, and whose rows are in them."""

    def __init__(self, shapes: Mapping[str, Shape], owners: tuple[str, ...], people: list[Person]) -> None:
        self.shapes = shapes
        self.people = people
        found = {name: owner_column(shape, "") for name, shape in shapes.items()}
        self.owners: dict[str, Column] = {n: c for n, c in found.items() if c is not None}
        self.owners |= chosen_columns(shapes, owners)
        self.user_table = self._user_table()
        if self.user_table:
            self.owners.pop(self.user_table, None)
        self.tenants = any(snake(c.name) in TENANTS for s in shapes.values() for c in s.columns)
        """True where people are in tenants: then not even the names of those of another are shown."""
        self.made: dict[tuple[str, str], str] = {}
        """Rows without an owner column to the letter of whoever made them."""
        self.membership = [
            n for n, s in shapes.items() if n in self.owners and self._links_tenant(s) and self._to_people(n)
        ]
        self.linked = {
            key.target
            for link in [*self.membership, *([self.user_table] if self.user_table else [])]
            for key in shapes[link].foreign_keys
            if key.target
            and key.target != self.user_table
            and key.target not in self.owners
            and (link in self.membership or snake(key.columns[0]) in TENANTS)
        }
        """Tables without an owner column whose rows are somebody's through membership."""

    def _user_table(self) -> str | None:
        votes: dict[str, int] = {}
        for name, column in self.owners.items():
            for key in self.shapes[name].foreign_keys:
                if key.columns == (column.name,) and key.target and snake(column.name) not in TENANTS:
                    votes[key.target] = votes.get(key.target, 0) + 1
        if votes:
            return max(votes, key=lambda table: votes[table])
        by_name = {plain_name(name).lower(): name for name in self.shapes}
        return next((by_name[name] for name in USER_TABLES if name in by_name), None)

    def _to_people(self, table: str) -> bool:
        return snake(self.owners[table].name) not in TENANTS

    def _links_tenant(self, shape: Shape) -> bool:
        name = plain_name(shape.name).lower()
        return bool(re.search(r"member|participant|collaborator|_users?$|user_|share|invite", name))

    def whose(self, table: str, row: Mapping[str, Any], rows: Rows, depth: int = 0) -> str | None:
        """Give the letter of the person to whom a row belongs."""
        shape = self.shapes.get(table)
        if shape is None or depth > 4:
            return None
        if table == self.user_table:
            return self._letter(row.get(name) for name in shape.primary_key)
        owner = self.owners.get(table)
        named = owner if owner is not None and row.get(owner.name) is not None else None
        if named is not None and snake(named.name) not in TENANTS:
            letter = self._letter([row[named.name]])
            if letter or not self._refers(shape, named):
                return letter
        key = "|".join(str(row.get(name)) for name in shape.primary_key)
        return (
            self._through(shape, row, rows, depth)
            or (self._letter([row[named.name]], tenant=True) if named is not None else None)
            or self._member(table, row, rows)
            or self.made.get((table, key))
        )

    def _refers(self, shape: Shape, column: Column) -> bool:
        return any(
            key.columns == (column.name,) and key.target != self.user_table for key in shape.foreign_keys
        )

    def _through(self, shape: Shape, row: Mapping[str, Any], rows: Rows, depth: int) -> str | None:
        owner = self.owners.get(shape.name)
        # Who a row names comes before the team or organization that it is in.
        first = owner.name if owner and snake(owner.name) not in TENANTS else ""
        for key in sorted(
            shape.foreign_keys, key=lambda k: (first not in k.columns, k.target != self.user_table)
        ):
            if key.target is None or key.target == shape.name or key.target not in rows:
                continue
            wanted = [row.get(c) for c in key.columns]
            if None in wanted:
                continue
            for text in rows[key.target].values():
                parent = values_of(text)
                if [parent.get(c) for c in key.target_columns] == wanted:
                    letter = self.whose(key.target, parent, rows, depth + 1)
                    if letter:
                        return letter
        return None

    def _member(self, table: str, row: Mapping[str, Any], rows: Rows) -> str | None:
        """Give the only person who is a member of what the row stands for."""
        found = set()
        linking = [*self.membership, *([self.user_table] if self.user_table else [])]
        for link in linking:
            for key in self.shapes[link].foreign_keys:
                if key.target != table or link == table:
                    continue
                for text in rows.get(link, {}).values():
                    member = values_of(text)
                    if [member.get(c) for c in key.columns] == [row.get(c) for c in key.target_columns]:
                        own = self.owners.get(link)
                        ids = (
                            [member.get(own.name)]
                            if own
                            else [member.get(c) for c in self.shapes[link].primary_key]
                        )
                        found.add(self._letter(ids))
        # People whom one of the two has invited are nobody's.
        found.discard(None)
        return found.pop() if len(found) == 1 else None

    def _letter(self, values: Any, *, tenant: bool = False) -> str | None:
        texts = {str(value) for value in values}
        for person in self.people:
            if texts & person.ids or (tenant and person.tenant in texts):
                return person.letter
        return None

    def settle(self, rows: Rows) -> dict[tuple[str, str], str]:
        """Say whose each row is, and choose one row of each person in each table."""
        found: dict[tuple[str, str], str] = {}
        for person in self.people:
            person.rows = {}
        by_letter = {person.letter: person for person in self.people}
        for table, inside in rows.items():
            for key, text in inside.items():
                row = values_of(text)
                letter = self.whose(table, row, rows)
                if letter in by_letter:
                    found[table, key] = letter
                    by_letter[letter].rows.setdefault(table, row)
        self._agree(by_letter, rows, found)
        for person in self.people:
            person.uses = self._used(person, rows)
        return found

    def _used(self, person: Person, rows: Rows) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for table, row in person.rows.items():
            for key in self.shapes[table].foreign_keys:
                target = key.target or ""
                if target in person.rows or target not in rows:
                    continue
                for text in rows[target].values():
                    used = values_of(text)
                    if [used.get(c) for c in key.target_columns] == [row.get(c) for c in key.columns]:
                        found.setdefault(target, used)
        return found

    def _agree(
        self, by_letter: Mapping[str, Person], rows: Rows, found: Mapping[tuple[str, str], str]
    ) -> None:
        """Let a person's rows refer to one another where several would do."""
        for (table, key), letter in found.items():
            person, row = by_letter[letter], values_of(rows[table][key])
            # The newest of equals: what an application makes by itself at sign-up is often locked.
            if self._ties(table, row, person) >= self._ties(table, person.rows[table], person):
                person.rows[table] = row

    def _ties(self, table: str, row: Mapping[str, Any], person: Person) -> int:
        keys = [k for k in self.shapes[table].foreign_keys if k.target in person.rows and k.target != table]
        return sum(
            [row.get(c) for c in k.columns] == [person.rows[k.target or ""].get(c) for c in k.target_columns]
            for k in keys
        )

    def marks(self, letter: str, rows: Rows, owned: Mapping[tuple[str, str], str]) -> list[Mark]:
        """Give the texts that stand in this person's rows and in no other."""
        others: set[str] = set()
        mine: dict[str, Mark] = {}
        for table, inside in rows.items():
            for key, text in inside.items():
                values = list(_texts(values_of(text)))
                if owned.get((table, key)) == letter:
                    for column, value in values:
                        weak = self._weak(table, column, value, letter)
                        keys = [c for key in self.shapes[table].foreign_keys for c in key.columns]
                        key_of = column in self.shapes[table].primary_key and column not in keys
                        if value not in mine or (mine[value].weak and not weak) or (key_of and not weak):
                            mine[value] = Mark(value, table, column, weak)
                else:
                    others |= {value for _, value in values}
        return [mark for value, mark in mine.items() if value not in others]

    def _weak(self, table: str, column: str, value: str, letter: str) -> bool:
        person = next(p for p in self.people if p.letter == letter)
        if value in person.ids:
            return "@" not in value
        return not self.tenants and table == self.user_table and bool(SHOWN_OF_PEOPLE.match(snake(column)))


def _texts(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for column, value in row.items():
        yield from _inside(column, value)


def _inside(column: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _inside(column, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _inside(column, inner)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if abs(value) >= _LARGE:
            yield column, str(value)
    elif len(str(value)) >= 8 and not _WHEN.match(str(value)) and not re.search(r"password|hash", column):
        yield column, str(value)


def owner_names() -> frozenset[str]:
    """Give the usual names of columns and fields that name an owner."""
    return frozenset(OWNER_NAMES)
