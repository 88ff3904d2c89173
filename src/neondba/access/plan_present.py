"""What a database already has: policies, roles, and what an earlier plan has left."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from neondba.access.plan_items import KEEPS
from neondba.access.policies import COMMANDS, PREFIX
from neondba.access.policies_text import USER_SETTING
from neondba.postgres.catalog import Attributes, Catalog, snapshot
from neondba.postgres.connect import Connection, Row, ask
from neondba.postgres.ddl.names import last, namespace, plain
from neondba.postgres.roles import Role, roles
from neondba.postgres.shapes import Shape, shapes

_SETTING: Final = re.compile(r"current_setting\(\s*'([^']+)'")
_PERSON: Final = re.compile(r"(^|[._])(user|uid|sub|person|account|owner)(_?id)?$")
_MARKS: Final = re.compile(r"[\s()\"]")
_NOISE: Final = re.compile(
    r"::(?:text|uuid|integer|bigint|charactervarying)|NULLIF|,''(?:::text)?|AS(?:current_setting|nullif)\b"
)
_OWN: Final = re.compile(r"(?:\w+\.)?(\w+)=(SELECT)?current_setting'([^']+)'(?:,true)?")


@dataclass(frozen=True)
class Written:
    """A policy of the project's own."""

    name: str
    attributes: Attributes
    column: str = ""
    """The column that it compares with a setting, where that is all it does."""
    once: bool = False
    """Whether it asks for the setting once for each statement."""


@dataclass(frozen=True)
class Present:
    """One look at a database."""

    catalog: Catalog
    shapes: Mapping[str, Shape]
    roles: Mapping[str, Role]
    indexes: tuple[Row, ...]
    user: str
    """The role that migrates."""

    @classmethod
    def of(cls, session: Connection) -> Present:
        """Read it."""
        user = session.info.user
        return cls(
            snapshot(session), shapes(session), roles(session), tuple(ask(session, "look_indexes")), user
        )

    @property
    def setting(self) -> str:
        """The setting by which policies here know the user already; ours where there is none."""
        found = set[str]()
        for attributes in self.catalog.objects["policy"].values():
            text = f"{attributes['using']} {attributes['with_check']}"
            found |= {name for name in _SETTING.findall(text) if _PERSON.search(name)}
        return found.pop() if len(found) == 1 else USER_SETTING

    def written(self, table: str) -> list[Written]:
        """Give a table's policies that are not ours."""
        found = []
        for name, attributes in self.catalog.objects["policy"].items():
            own = plain(last(name))
            if name.removesuffix(f".{last(name)}") == table and not own.startswith(PREFIX):
                found.append(_read(own, attributes, {c.name for c in self.shapes[table].columns}))
        return found

    def is_covered(self, column: str, table: str) -> bool:
        """Tell whether a whole index leads with a column."""
        return any(
            row["relation"] == table
            and row["valid"]
            and not row["condition"]
            and row["keys"]
            and plain(str(row["keys"][0])) == column
            for row in self.indexes
        )

    def flags(self) -> list[str]:
        """Give what was chosen when earlier plans were made, as options."""
        return [
            str(value["text"]).removeprefix(f"{KEEPS}: ")
            for value in self.catalog.objects["comment on"].values()
            if str(value["text"]).startswith(f"{KEEPS}: ")
        ]

    def role_of(self, policy: str) -> str | None:
        """Give the role that our policies of one name are made for."""
        for name, attributes in self.catalog.objects["policy"].items():
            if last(name) == PREFIX + policy:
                return attributes["roles"]
        return None

    def named_role(self) -> str | None:
        """Give the one role that the project's own policies are made for."""
        found = {
            role
            for attributes in self.catalog.objects["policy"].values()
            for role in (attributes["roles"] or "").split(", ")
        } - {"public", self.user}
        plain_ones = [r for r in found if r in self.roles and not self.roles[r].bypasses]
        return plain_ones[0] if len(plain_ones) == 1 else None

    @property
    def schemas(self) -> list[str]:
        """Schemas that hold tables, as Postgres quotes them."""
        return sorted({namespace(name) for name in self.shapes})


def bind_all(policies: list[Written]) -> bool:
    """Tell whether simple policies bind every command, asking once for each statement."""
    commands = {str(p.attributes["command"]) for p in policies}
    covered = "all" in commands or set(COMMANDS) <= commands
    return covered and all(p.once for p in policies)


def _read(name: str, attributes: Attributes, known: Collection[str]) -> Written:
    texts = [t for t in (attributes["using"], attributes["with_check"]) if t]
    found = [_OWN.fullmatch(_NOISE.sub("", _MARKS.sub("", text))) for text in texts]
    # `open or user_id = …` reads as one word without its spaces: no column is called that.
    columns = {m[1] if m and m[1] in known else "" for m in found}
    if attributes["kind"] != "permissive" or len(columns) != 1 or "" in columns:
        return Written(name, attributes)
    return Written(name, attributes, columns.pop(), all(m is not None and m[2] for m in found))
