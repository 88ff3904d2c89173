"""With which role the project's own environment logs in, and what the policies mean for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neondba.access.who import logins
from neondba.postgres.connect import Connection
from neondba.postgres.role_twin import pair_of
from neondba.postgres.roles import Role


@dataclass(frozen=True)
class EnvLogin:
    """The role of the address that the application reads."""

    file: str
    role: str
    is_known: bool
    """Whether the branch has it."""
    passes_by: bool = False
    owns: bool = False
    """Whether it owns tables, or makes them."""
    others: tuple[tuple[str, str], ...] = ()
    """Files of other environments, with the roles that log in there; those that pass by here are left out."""

    @property
    def is_plain(self) -> bool:
        """Tell whether policies can be made for it."""
        return self.is_known and not self.passes_by and not self.owns

    def is_shut_out(self, app: str) -> bool:
        """Tell whether policies for another role leave it without a row."""
        return self.role != app and not self.passes_by


def env_login(session: Connection, folder: Path, known: Mapping[str, Role]) -> EnvLogin | None:
    """Read the folder's files of variables; nothing where none has an address."""
    found = logins(folder)
    if not found:
        return None
    file, name = found[0]
    if name not in known:
        return EnvLogin(file, name, is_known=False)
    others = {
        role: place for place, role in reversed(found) if role != name and not _passes_by(known.get(role))
    }
    # After a rotation its twin logs in, which has the role's rights and policies.
    pair = pair_of(session, name)
    role = known.get(pair.base, known[name]) if pair is not None else known[name]
    owns, named = _owns(session, role.name), tuple((place, other) for other, place in sorted(others.items()))
    return EnvLogin(file, role.name, is_known=True, passes_by=_passes_by(role), owns=owns, others=named)


def _passes_by(role: Role | None) -> bool:
    return role is not None and (role.superuser or role.bypasses)


def _owns(session: Connection, role: str) -> bool:
    row = session.execute(
        "select exists(select from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
        " and pg_has_role(r.oid, c.relowner, 'usage'))"
        " or coalesce(shobj_description(r.oid, 'pg_authid') like 'neondba: migrator%%', false) as owns"
        " from pg_roles r where r.rolname = %s",
        [role],
    ).fetchone()
    return bool(row and row["owns"])
