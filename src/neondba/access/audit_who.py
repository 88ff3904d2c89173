"""Roles and what they come to through membership: the ground that all findings stand on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from shlex import quote
from typing import Any, Final

from neondba.access.audit_accepted import Acceptances
from neondba.access.audit_env import Use
from neondba.access.audit_results import Evidence, RoleFinding
from neondba.postgres.role_actor import Actor
from neondba.postgres.role_facts import RoleFacts

Row = dict[str, Any]
NEON: Final = "neon_superuser"
_ATTRIBUTES: Final = {
    "superuser": "superuser",
    "bypasses": "BYPASSRLS",
    "makes_roles": "CREATEROLE",
    "makes_databases": "CREATEDB",
    "replicates": "REPLICATION",
}
STRONG: Final = {
    NEON: "reads and writes every row of every table",
    "pg_write_all_data": "writes every row of every table",
    "pg_read_all_data": "reads every row of every table",
    "pg_execute_server_program": "runs programs on the server",
    "pg_write_server_files": "writes files on the server",
    "pg_read_server_files": "reads files on the server",
}
"""Roles whose rights reach beyond grants."""
SOURCES: Final = {"select": ("pg_read_all_data",), "execute": ()}
WRITE_SOURCES: Final = ("pg_write_all_data",)


@dataclass(frozen=True)
class Grant:
    """One entry of an access list; a grantee of '' is PUBLIC."""

    kind: str
    name: str
    owner: str
    standard: bool
    grantee: str
    privilege: str
    grantable: bool


@dataclass
class Who:
    """All roles of a database, and where the project's files name them."""

    facts: RoleFacts
    uses: tuple[Use, ...] = ()
    actor: Actor | None = None
    not_checked: list[str] = field(default_factory=list)
    accepted: Acceptances = field(default_factory=Acceptances)

    @cached_property
    def roles(self) -> dict[str, Row]:
        """Give every role by its name."""
        return {row["name"]: row for row in self.facts.of("roles")}

    @cached_property
    def owner(self) -> str:
        """Give the role that owns the database."""
        return str(self.facts.clock["owner"])

    @cached_property
    def logins(self) -> list[str]:
        """Name the roles that people and programs log in with; the platform's superusers are not ours."""
        return [
            name
            for name, row in self.roles.items()
            if row["can_login"] and not row["predefined"] and not row["superuser"]
        ]

    @cached_property
    def reach(self) -> dict[str, dict[str, Row]]:
        """Give what each role reaches, by role and target."""
        found: dict[str, dict[str, Row]] = defaultdict(dict)
        for row in self.facts.of("reach"):
            found[row["role"]][row["target"]] = row
        return found

    @cached_property
    def grants(self) -> list[Grant]:
        """Give every entry of every access list."""
        return [Grant(**row) for row in self.facts.of("grants")]

    @cached_property
    def named_in(self) -> dict[str, list[Use]]:
        """Give where the project's files log in with a role."""
        found: dict[str, list[Use]] = defaultdict(list)
        for use in self.uses:
            found[use.role].append(use)
        return found

    def quoted(self, role: str) -> str:
        """Write a role's name as SQL takes it."""
        row = self.roles.get(role)
        return str(row["quoted"]) if row else role

    def quoted_schema(self, schema: str) -> str:
        """Write the name of a schema as SQL takes it."""
        return next((str(r["quoted"]) for r in self.facts.of("schemas") if r["schema"] == schema), schema)

    def has_rights_of(self, role: str) -> set[str]:
        """Give the roles whose rights a role has at once, itself among them."""
        return {role, *(target for target, row in self.reach.get(role, {}).items() if row["uses"])}

    def manages(self, role: str) -> bool:
        """Tell whether the database's owner may alter a role, or give it a second login."""
        row = self.reach.get(self.owner, {}).get(role)
        if row and row["grants"]:
            return True
        # Before 16, CREATEROLE reached every role that is no superuser.
        old = int(str(self.facts.clock["version"]).partition(".")[0]) < 16
        return bool(old and role != self.owner and self.roles[self.owner]["makes_roles"])

    def rotation(self, role: str) -> str:
        """Give the command that exchanges a role's password."""
        return f"neondba role rotate {quote(role)}{'' if self.manages(role) else ' --no-overlap'}"

    def may_become(self, role: str) -> list[str]:
        """Give the roles that a role may set, or may let itself set."""
        return [target for target, row in self.reach.get(role, {}).items() if row["sets"] or row["grants"]]

    def powers(self, role: str) -> tuple[str, ...]:
        """Say what a role carries beside grants."""
        row = self.roles[role]
        own = [said for name, said in _ATTRIBUTES.items() if row[name]]
        return (*own, *(strong for strong in STRONG if strong in self.has_rights_of(role) - {role}))

    def strong(self, role: str) -> list[str]:
        """Name what makes a role reach beyond its grants."""
        return [strong for strong in STRONG if strong in self.has_rights_of(role) - {role}]

    def keeps(self, role: str, name: str, owner: str, privilege: str) -> str | None:
        """Say by what a role would keep a right if PUBLIC lost it."""
        rights = self.has_rights_of(role)
        if owner in rights:
            return "owner"
        direct = [g.grantee for g in self._on(name) if g.privilege == privilege and g.grantee in rights]
        if direct:
            return direct[0]
        strong = SOURCES.get(privilege, WRITE_SOURCES)
        return next((each for each in strong if each in rights), None)

    def losers(self, name: str, owner: str, privilege: str) -> list[str]:
        """Name the logins that have a right through PUBLIC alone."""
        return [role for role in self.logins if self.keeps(role, name, owner, privilege) is None]

    def _on(self, name: str) -> Iterable[Grant]:
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> dict[str, list[Grant]]:
        found: dict[str, list[Grant]] = defaultdict(list)
        for grant in self.grants:
            found[grant.name].append(grant)
        return found


Finder = Callable[[Who], Iterable[RoleFinding]]


def shown(said: str) -> Evidence:
    """Give evidence that the server itself gave."""
    return Evidence(kind="shown", said=said)


def read(said: str) -> Evidence:
    """Give evidence that stands in a catalog, a file or the API."""
    return Evidence(kind="read", said=said)


def unseen(said: str) -> Evidence:
    """Give what could not be shown, and why."""
    return Evidence(kind="not checked", said=said)


def listed(names: Iterable[str], most: int = 6) -> str:
    """Write names as text; a long list is cut."""
    there = list(names)
    text = ", ".join(there[:most])
    return f"{text} and {len(there) - most} more" if len(there) > most else text
