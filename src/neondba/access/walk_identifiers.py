"""What a parameter or field of a request stands for: a person, or a row of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from neondba.access.prove_world import TENANTS, Person, World, owner_names, plain_name, snake
from neondba.access.walk_openapi import Schema
from neondba.postgres.row_watch import Rows, values_of
from neondba.postgres.shapes import Shape

_ENDS: Final = re.compile(r"_(?:id|uuid|ids|uuids|pk|key|no)$")
_BARE: Final = frozenset({"id", "uuid", "pk", "item_id", "object_id", "resource_id", "entity_id"})
_PEOPLE: Final = frozenset(
    {"user", "owner", "author", "creator", "member", "account", "assignee", "customer", "person", "me"}
)
_NATURAL: Final = frozenset(
    {
        "slug",
        "username",
        "user_name",
        "email",
        "code",
        "token",
        "handle",
        "key",
        "short_code",
        "share_token",
        "number",
    }
)
NOBODY: Final = "nobody"


@dataclass(frozen=True)
class Identifier:
    """A column whose value says which row is meant; no table means the person itself."""

    table: str | None
    column: str = ""

    @property
    def named(self) -> str:
        """Table and column, or that it is the person."""
        return f"{plain_name(self.table)}.{self.column}" if self.table else "user id"


def singular(word: str) -> str:
    """Give the singular of an English noun, roughly."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(?:ss|x|ch|sh|z)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@dataclass
class Identifiers:
    """Reads names as identifiers, by the tables that there are."""

    world: World
    any_rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    learned: dict[tuple[str, str], Identifier] = field(default_factory=dict)
    """Path and parameter to what was found out by trying."""

    def settle(self, rows: Rows) -> None:
        """Remember a row of each table, whoever it belongs to."""
        self.any_rows = {t: values_of(next(iter(inside.values()))) for t, inside in rows.items() if inside}

    def of(self, name: str, path: str, schema: Schema, *, in_path: bool = False) -> Identifier | None:
        """Say what a name stands for."""
        if (path, name) in self.learned:
            return self.learned[path, name]
        if schema.get("type", "string") not in ("string", "integer", "array") or schema.get("enum"):
            return None
        low = snake(name)
        named = self._named_key(low)
        if named is not None and low not in TENANTS:
            return Identifier(None) if named == self.world.user_table else self._key(named)
        if low in TENANTS or (low in owner_names() and not self._table(_ENDS.sub("", low))):
            return self._tenant(low) if low in TENANTS else Identifier(None)
        if _ENDS.search(low) and low not in _BARE:
            return self._by_noun(singular(_ENDS.sub("", low)), low)
        noun = self._noun_before(name, path) if in_path else self._last_noun(path)
        if low in _BARE or (in_path and self._table(singular(low))):
            return self._key(self._table(singular(low)) or self._table(noun))
        if low in _NATURAL or in_path:
            table = self._table(noun)
            column = self.world.shapes[table].column(name) if table else None
            if table and column and (in_path or low in ("username", "slug")):
                return Identifier(table, name)
            return self._key(table) if in_path and table and low not in _NATURAL else None
        return None

    def _by_noun(self, noun: str, low: str) -> Identifier | None:
        if noun in _PEOPLE and not self._table(noun):
            return Identifier(None)
        table = self._table(noun) or self._target(low)
        if table is not None and table == self.world.user_table:
            return Identifier(None)
        return self._key(table) if table else None

    def _tenant(self, low: str) -> Identifier:
        table = self._table(singular(_ENDS.sub("", low)))
        return self._key(table) or Identifier(None, "tenant")

    def _key(self, table: str | None) -> Identifier | None:
        if table is None:
            return None
        if table == self.world.user_table:
            return Identifier(None)
        key = self.world.shapes[table].primary_key
        return Identifier(table, key[-1]) if key else None

    def _table(self, noun: str) -> str | None:
        """Give the table that a noun names."""
        word = singular(snake(noun))
        if not word:
            return None
        names = {singular(snake(plain_name(t))): t for t in self.world.shapes}
        if word in names:
            return names[word]
        ends = [t for n, t in names.items() if n.endswith(f"_{word}")]
        return ends[0] if len(ends) == 1 else None

    def _target(self, low: str) -> str | None:
        """Give the table that columns of this name refer to."""
        for shape in self.world.shapes.values():
            for key in shape.foreign_keys:
                if len(key.columns) == 1 and snake(key.columns[0]) == low.removesuffix("s") and key.target:
                    return key.target
        word = low.rpartition("_")[0].rpartition("_")[2]
        return self._table(word) if "_" in low.rpartition("_")[0] else None

    def _named_key(self, low: str) -> str | None:
        """Give the table that a foreign key of exactly this name refers to."""
        keys = [k for shape in self.world.shapes.values() for k in shape.foreign_keys if len(k.columns) == 1]
        return next((k.target for k in keys if snake(k.columns[0]) == low and low not in _BARE), None)

    def soft_keys(self, shape: Shape) -> dict[str, Identifier]:
        """Give the columns that refer to a table by name alone, without a foreign key."""
        hard = {c for key in shape.foreign_keys for c in key.columns} | set(shape.primary_key)
        found = {}
        for column in shape.columns:
            low = snake(column.name)
            if column.name in hard or not low.endswith(("_id", "_uuid")) or low in owner_names():
                continue
            table = self._table(singular(_ENDS.sub("", low)))
            target = self.world.shapes[table] if table else None
            if target is not None and target.name != shape.name and len(target.primary_key) == 1:
                key = target.column(target.primary_key[0])
                if key is not None and (column.category == "S" or column.base == key.base):
                    found[column.name] = Identifier(target.name, key.name)
        return found

    def _noun_before(self, name: str, path: str) -> str:
        before = path.partition("{" + name)[0]
        words = [w for w in before.strip("/").split("/") if w and not w.startswith("{")]
        return singular(words[-1]) if words else ""

    def _last_noun(self, path: str) -> str:
        words = [w for w in path.strip("/").split("/") if w and not w.startswith("{")]
        return next((singular(w) for w in reversed(words) if self._table(singular(w))), "")

    def value(self, identifier: Identifier, person: Person | None) -> Any:
        """Give the identifier of a person's row, or of nobody's; nothing when there is none."""
        if person is None:
            return self._nobody(identifier)
        if identifier.table is None:
            if identifier.column == "tenant":
                return person.tenant
            row = person.rows.get(self.world.user_table or "")
            key = self.world.shapes[self.world.user_table].primary_key if self.world.user_table else ()
            return row[key[0]] if row and key and self._people_by_key() else person.claims["sub"]
        row = person.rows.get(identifier.table)
        if row is None and not self.is_owned(identifier):
            row = person.uses.get(identifier.table) or self.any_rows.get(identifier.table)
        return None if row is None else row.get(identifier.column)

    def _people_by_key(self) -> bool:
        """Tell whether owners are written as keys of the table of users."""
        return any(
            key.target == self.world.user_table
            for shape in self.world.shapes.values()
            for key in shape.foreign_keys
        )

    def differs(self, identifier: Identifier, one: Person, other: Person) -> bool:
        """Tell whether two people would be told apart by it."""
        other_value = self.value(identifier, other)
        return other_value is not None and bool(self.value(identifier, one) != other_value)

    def is_owned(self, identifier: Identifier) -> bool:
        """Tell whether rows of its table belong to people."""
        return identifier.table is None or any(identifier.table in p.rows for p in self.world.people)

    def _nobody(self, identifier: Identifier) -> Any:
        table = identifier.table or self.world.user_table
        shape = self.world.shapes.get(table or "")
        column = shape.column(identifier.column or shape.primary_key[0]) if shape else None
        if column is not None and column.base == "uuid":
            return "00000000-0000-4000-8000-00000000dead"
        return 1_999_999_937 if column is not None and column.category == "N" else NOBODY


def typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """Write an identifier as its schema wants it."""
    if value is None:
        return None
    if schema.get("type") == "integer":
        return int(value) if str(value).lstrip("-").isdigit() else value
    if schema.get("type") == "string":
        return str(value)
    return value
