"""Rows of two people where the application itself has made none."""

from __future__ import annotations

import re
from typing import Any, Final

from neondba.access.prove_world import OUTSIDE_IDS, TENANTS, Person, World, plain_name, snake
from neondba.access.walk_identifiers import Identifiers, singular
from neondba.access.walk_openapi import Document
from neondba.access.walk_values import Maker
from neondba.postgres.row_watch import Rows, RowWatch, values_of
from neondba.postgres.seeding import CannotSeedError, Seeder, Values
from neondba.postgres.seen import NotSeeded
from neondba.postgres.shapes import Column, Shape

_SHORT: Final = 16
_SESSIONS: Final = re.compile(r"(?:auth_|user_|better_auth_)?sessions?")
_LATER: Final = "2099-01-01 00:00:00+00"
_ON: Final = re.compile(r"active|enabled|verified|available|approved|confirmed")


class WorldSeeder:
    """Puts rows into tables for each person."""

    def __init__(self, watch: RowWatch, world: World, document: Document | None) -> None:
        self._watch, self._world = watch, world
        self._document = document or Document({"paths": {}})
        self._seeder = Seeder(watch.session)
        self.failed: list[NotSeeded] = []
        self._rows: Rows = {}

    def person_row(self, person: Person) -> Values | None:
        """Give a person a row in the table of users; nothing when there is none or it takes none."""
        table = self._world.user_table
        if table is None:
            return None
        shape = self._world.shapes[table]
        fixed: Values = {}
        (key,) = shape.primary_key if len(shape.primary_key) == 1 else ("",)
        column = shape.column(key)
        if (column is not None and column.category == "S") or (column is not None and column.base == "uuid"):
            fixed[key] = str(person.claims["sub"])
        for link in shape.foreign_keys:
            if link.target in self._world.linked and link.target not in person.rows:
                made = self._insert(self._world.shapes[link.target], {}, person)
                person.rows |= {link.target: dict(made)} if made else {}
            row = person.rows.get(link.target or "")
            if row:
                fixed |= {
                    c: _text(row.get(t)) for c, t in zip(link.columns, link.target_columns, strict=True)
                }
        for name, value in self._of_person(shape, person).items():
            fixed.setdefault(name, value)
        return self._insert(shape, fixed, person)

    def session_row(self, person: Person, token: str) -> None:
        """Open a session for a person where the application keeps them in a table, as Better Auth does."""
        for name, shape in self._world.shapes.items():
            columns = {snake(column.name): column.name for column in shape.columns}
            held = next((columns[n] for n in ("token", "session_token") if n in columns), None)
            if not _SESSIONS.fullmatch(plain_name(name).lower()) or held is None:
                continue
            fixed = self._fixed(shape, person) or {}
            ends = next((columns[n] for n in ("expires_at", "expires", "expires_on") if n in columns), None)
            self._insert(shape, {**fixed, held: token, **({ends: _LATER} if ends else {})}, person)

    def _of_person(self, shape: Shape, person: Person) -> Values:
        found: Values = {}
        for column in shape.columns:
            name = snake(column.name)
            if OUTSIDE_IDS.match(name):
                found[column.name] = str(person.claims["sub"])
            elif name == "email":
                found[column.name] = str(person.claims["email"])
            elif column.base == "bool" and name in (
                "is_active",
                "active",
                "is_verified",
                "email_verified",
                "enabled",
            ):
                found[column.name] = "true"
            elif column.base == "bool" and name.startswith(("is_", "disabled", "deleted", "banned")):
                found[column.name] = "true" if person.letter == "admin" and "delete" not in name else "false"
            elif name == "deleted_at":
                found[column.name] = None
        return found

    def fill(self) -> None:
        """Give each person a row in every table that has none of theirs."""
        rows = self._rows = self._watch.read()
        self._world.settle(rows)
        for name, shape in self._world.shapes.items():
            if name not in rows or name == self._world.user_table:
                continue
            for person in self._world.people:
                if name in person.rows or person.letter == "admin":
                    continue
                fixed = self._fixed(shape, person)
                if fixed is None:
                    if not rows[name]:
                        self._seeder.more(shape, nulls=False)
                    continue
                made = self._insert(shape, fixed, person)
                if made is not None:
                    person.rows[name] = dict(made)
                    self._note(shape, made, person)

    def _note(self, shape: Shape, made: Values, person: Person) -> None:
        key = "|".join(str(made.get(name)) for name in shape.primary_key)
        if shape.name in self._world.owners or shape.name in self._world.linked:
            self._world.made[shape.name, key] = person.letter

    def _fixed(self, shape: Shape, person: Person) -> Values | None:
        """Give what ties a row to a person; nothing when nothing does and one row serves all."""
        fixed: Values = {}
        for key in shape.foreign_keys:
            if key.target in person.rows and key.target != shape.name:
                row = person.rows[key.target]
                fixed |= {c: _text(row.get(t)) for c, t in zip(key.columns, key.target_columns, strict=True)}
        for name, found in Identifiers(self._world).soft_keys(shape).items():
            meant = person.rows.get(found.table or "")
            if meant and name not in fixed:
                fixed[name] = _text(meant.get(found.column))
        nullable = {c.name for c in shape.columns if not c.not_null}
        for key in shape.foreign_keys:
            # A row that hangs on somebody else's would make every later change of that look like a crossing.
            loose = key.target == shape.name or key.target in self._world.owners
            if loose and not set(key.columns) & fixed.keys() and set(key.columns) <= nullable:
                fixed |= dict.fromkeys(key.columns)
        owner = self._world.owners.get(shape.name)
        if owner is not None and fixed.get(owner.name) is None:
            fixed[owner.name] = _identity(owner, person)
        tied = (
            owner is not None
            or any(v is not None for v in fixed.values())
            or shape.name in self._world.linked
        )
        return fixed if tied else None

    def _insert(self, shape: Shape, fixed: Values, person: Person) -> Values | None:
        marked = {**self._marked(shape, person), **fixed}
        said = ""
        for values in (marked, fixed):
            try:
                return self._seeder.insert(shape, values)
            except CannotSeedError as error:
                said = said or str(error)
        self.failed.append(NotSeeded(table=shape.name, reason=said))
        return None

    def _marked(self, shape: Shape, person: Person) -> Values:
        """Put a mark of the person into every text that takes one."""
        maker = Maker(self._document, person.marks, lambda _at, _schema: None)
        keys = {c for k in shape.foreign_keys for c in k.columns}
        found: Values = {}
        for column in shape.columns:
            if column.name in keys or column.labels or column.generated:
                continue
            if column.base == "bool":
                # What locks, hides or publishes a row is off, what lets it live is on.
                found[column.name] = "true" if _ON.search(snake(column.name)) else "false"
            if column.category == "S" and column.base in ("text", "varchar", "citext", "bpchar"):
                found[column.name] = self._text_for(shape, column, maker)
        return {name: value for name, value in found.items() if value is not None}

    def _used(self, shape: Shape, column: Column) -> str | None:
        """Give the value of a row that the application made itself, where it is no mark: a kind, a state."""
        unique = any(k.kind in "pu" and column.name in k.columns for k in shape.constraints)
        for text in self._rows.get(shape.name, {}).values() if not unique else ():
            value = values_of(text).get(column.name)
            if isinstance(value, str) and 0 < len(value) < _SHORT and "prf" not in value:
                return value
        return None

    def _text_for(self, shape: Shape, column: Column, maker: Maker) -> str | None:
        checked = any(k.kind == "c" and column.name in k.columns for k in shape.constraints)
        used = self._used(shape, column)
        if used is not None:
            return used
        known = self._document.property(column.name, singular(snake(plain_name(shape.name))))
        if checked and "enum" not in known:
            return None
        if "enum" in known:
            return str(known["enum"][0])
        if column.default is not None and not known:
            return None
        limits = {"maxLength": column.length} if column.length and column.length > 0 else {}
        return maker.text({**known, **limits}, column.name)


def _identity(owner: Column, person: Person) -> str:
    if snake(owner.name) in TENANTS:
        return person.tenant
    return str(person.claims["sub"])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
