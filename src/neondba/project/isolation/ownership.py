"""Whose the rows of a table are: by a column, or by the rows that they hang on."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from neondba.project.owners import MAKER, OWNER, PEOPLE, USERS, Model, Owners
from neondba.project.python_index import walk
from neondba.project.schema import Schema
from neondba.project.schema_table import Table as SqlTable

FOREIGN = re.compile(r"^(?:\w+\.)?(\w+)\.(?:id|uuid|\w+_id)$")
MEMBERSHIP = re.compile(
    r"member|access|share|permission|collaborat|participant|role|grant|assignment|acl|invite|contributor|tenant|user",
    re.IGNORECASE,
)
JOINED = re.compile(r"^(tenant|organi[sz]ation|org|workspace|company|account)_(id|uuid)$")
TOLD = re.compile(r"notif|event|log$|logs$|audit|message|mail|alert|activit|invit|mention", re.IGNORECASE)
"""Tables whose rows are written for whom they tell something, by whoever does it."""
PASSWORD = re.compile(
    r"^(hashed_?password|password_?hash|password_?digest|encrypted_?password)$", re.IGNORECASE
)
"""A column of tables that somebody signs in with."""
WEAK = frozenset({"owner", "owner_email", "user_email"})
TRIVIAL = re.compile(
    r"like|favou?rite|bookmark|vote|reaction|view|follow|read|comment|star|rating|review", re.IGNORECASE
)
"""Tables whose rows say nothing about the right to what they point at."""


@dataclass(frozen=True)
class Owned:
    """The column, or chain of columns, that says whose a row is."""

    chain: str
    """`user_id`, or `task.user_id` for a row that hangs on another."""
    columns: tuple[str, ...]
    """Columns of the table itself that lead to the owner."""
    private: bool
    """Whether a row is for its owner alone, as far as the columns tell."""
    direct: bool = True
    sure: tuple[str, ...] = ()
    """The columns among them that say whose a row is, not merely who had to do with it."""
    optional: bool = False
    """Whether a row may belong to nobody."""
    weak: bool = False
    """Whether only a name such as `owner` tells it, which may as well be a contact's."""


class Ownership:
    """The owners of every model of a project."""

    def __init__(self, owners: Owners, schema: Schema | None = None) -> None:
        self.owners = owners
        self.tables = {name: m for m in owners.models.values() for name in _names(m)}
        """Every model by the name of its table; tables that only SQL knows stand here, too."""
        for table in schema.definitions if schema is not None else ():
            if table.columns and table.name.key.rpartition(".")[2] not in self.tables:
                self.tables[table.name.key.rpartition(".")[2]] = _modelled(table)
        self._known: dict[str, Owned | None] = {}

    def of(self, model: Model) -> Owned | None:
        """Say whose the rows of a model are; `None` for everybody's and for users themselves."""
        if model.qualified not in self._known:
            self._known[model.qualified] = None
            self._known[model.qualified] = self._find(model)
        return self._known[model.qualified]

    def _find(self, model: Model) -> Owned | None:
        if PEOPLE.search(model.name):
            return None
        if model.owners:
            sure = tuple(c for c in model.owners if c.lower() in OWNER or c in model.tenants)
            columns = tuple(model.owners)
            return Owned(
                columns[0],
                columns,
                model.is_private,
                sure=sure or columns,
                optional=columns[0] in model.optional,
                weak=all(c.lower() in WEAK and not model.refers_to_users(c) for c in sure),
            )
        found: Owned | None = None
        for column in model.columns:
            parent = self.parent(model, column)
            above = self.of(parent) if parent is not None and parent is not model else None
            if above is None or parent is None or above.chain.count(".") > 1:
                continue
            if column in model.optional or not _contains(parent, column):
                continue
            name = column.removesuffix("_id").removesuffix("_uuid")
            private = above.private and not model.is_shared
            link = Owned(f"{name}.{above.chain}", (column,), private, direct=False, weak=above.weak)
            if found is None or (link.private and not found.private):
                found = link
        return found

    def parent(self, model: Model, column: str) -> Model | None:
        """Give the model that a foreign key points at."""
        value = model.columns.get(column)
        for node in walk(value) if value is not None else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                match = FOREIGN.match(node.value)
                if match and match[1].lower() in self.tables:
                    return self.tables[match[1].lower()]
        return None


def joined(model: Model) -> Owned | None:
    """Give the column by which a new user joins a tenant."""
    if not is_people(model):
        return None
    column = next((c for c in model.columns if c in model.tenants or JOINED.search(c)), None)
    return Owned(column, (column,), private=True, sure=(column,)) if column is not None else None


def is_people(model: Model) -> bool:
    """Tell whether a model's rows are the users themselves."""
    return bool(USERS.match(model.name)) or any(PASSWORD.match(c) for c in model.columns)


def is_membership(model: Model) -> bool:
    """Tell whether a row says that somebody may reach something else."""
    return bool(MEMBERSHIP.search(model.name)) and not TRIVIAL.search(model.name)


def is_person_column(name: str) -> bool:
    """Tell whether a column names a user or a tenant."""
    return name.lower() in OWNER or name in MAKER


def _modelled(table: SqlTable) -> Model:
    """Give a table that no class is mapped to as a model."""
    keys = {c: f.table.key for f in table.foreign_keys for c in f.columns}
    keys |= {c.name: c.references.table.key for c in table.columns.values() if c.references is not None}
    columns: dict[str, ast.expr | None] = {
        c.name: ast.Constant(f"{keys[c.name]}.id") if c.name in keys else None for c in table.columns.values()
    }
    name = table.name.key.rpartition(".")[2]
    said = "".join(part.capitalize() for part in name.split("_"))
    return Model(name, f"table:{said}", table.path, table.line, columns)


def _contains(parent: Model, column: str) -> bool:
    """Tell whether a foreign key names what a row is part of, not somebody's part in it."""
    stem = re.sub(r"_?(id|uuid)$", "", column.lower()).replace("_", "")
    name = parent.name.lower()
    return bool(stem) and (stem in name or name.removesuffix("model") in stem)


def _names(model: Model) -> list[str]:
    if isinstance(model.table, ast.Constant):
        return [str(model.table.value).lower()]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model.name).lower()
    return [model.name.lower(), snake, f"{snake}s", f"{model.name.lower()}s"]
