"""Write the pieces that policies are made of: names, and who asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from neondba.postgres.ddl.names import last, namespace, plain, quoted
from neondba.postgres.shapes import Column

USER_SETTING: Final = "app.user_id"
"""The setting that carries the user's id, unless the project has one already."""
TENANT_SETTING: Final = "app.tenant_id"
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED: Final = frozenset(
    """
    all and any array as asc between both case cast check collate column constraint create cross
    default desc distinct do else end except false fetch for foreign from full grant group having
    in inner into is join left like limit natural not null offset on only or order outer primary
    references returning right select session_user some table then to trailing true union unique
    user using when where window with
    """.split()  # noqa: SIM905 - a hundred quotes would hide the words
)


def ident(name: str) -> str:
    """Quote a name where it needs it."""
    return name if _PLAIN.fullmatch(name) and name not in _RESERVED else quoted(name)


def short(table: str) -> str:
    """Give the bare name of a quoted qualified table."""
    return plain(last(table))


def beside(table: str, name: str) -> str:
    """Give a qualified name in the schema of a table."""
    return f"{namespace(table)}.{ident(name)}"


@dataclass(frozen=True)
class Asker:
    """How a policy learns who asks."""

    setting: str = USER_SETTING
    tenant: str = TENANT_SETTING

    def person(self, column: Column) -> str:
        """Give the user's id in the type of a column; worked out once for each statement."""
        return _value(self.setting, column)

    def group(self, column: Column) -> str:
        """Give the tenant's id from the token, in the type of a column."""
        return _value(self.tenant, column)

    @property
    def somebody(self) -> str:
        """Give the condition that somebody is signed in."""
        return f"(select nullif(current_setting('{self.setting}', true), '')) is not null"

    @property
    def nobody(self) -> str:
        """Give the condition that nobody is signed in yet."""
        return f"(select nullif(current_setting('{self.setting}', true), '')) is null"


def _value(setting: str, column: Column) -> str:
    """A setting that was ever set in a session is '' afterwards, never null: hence nullif."""
    cast = "" if column.category == "S" else f"::{column.base}"
    return f"(select nullif(current_setting('{setting}', true), ''){cast})"
