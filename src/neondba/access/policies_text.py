"""Write the pieces that policies are made of: names, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from neondba.postgres.ddl.names import last, namespace, plain, quote_ident
from neondba.postgres.shapes import Column

USER_SETTING: Final = "app.user_id"
"""The setting that carries the user's id, unless the project has one already."""
TENANT_SETTING: Final = "app.tenant_id"


def short(table: str) -> str:
    """Give the bare name of a quoted qualified table."""
    return plain(last(table))


def beside(table: str, name: str) -> str:
    """Give a qualified name in the schema of a table."""
    return f"{namespace(table)}.{quote_ident(name)}"


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
