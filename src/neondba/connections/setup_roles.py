"""The role that a program logs in as, on one branch: made by SQL, without BYPASSRLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.postgres.connect import Connection
    from neondba.postgres.role_profiles import Wanted


@dataclass(frozen=True)
class RoleWanted:
    """A role of an environment."""

    name: str
    makes_tables: bool
    """True where the program migrates or makes its tables as this role."""
    shadow: bool = False
    """True where its tool makes databases of its own, as `prisma migrate dev` does."""

    @property
    def said(self) -> str:
        """Say what it may do."""
        what = "makes and changes tables" if self.makes_tables else "reads and writes rows"
        return f"{what}, and databases for the tool" if self.shadow else what


def exists(session: Connection, name: str) -> bool:
    """Tell whether a role is there."""
    return session.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is not None


def make(session: Connection, wanted: RoleWanted, password: Secret, owner: str, database: str) -> None:
    """Create the role with what it needs, or give it what it lacks."""
    from neondba.postgres.role_profiles import carry_out, planned

    carry_out(session, planned(session, _profile(session, wanted, owner)), password)
    if not wanted.makes_tables:
        return
    from neondba.postgres.connect import trusted
    from neondba.postgres.ddl.names import quote_ident
    from neondba.postgres.role_membership import membership

    role, base = quote_ident(wanted.name), quote_ident(database)
    # Tools make schemas and extensions of their own; the owner may go on with what the role has made.
    session.execute(trusted(f"grant create on database {base} to {role}"))
    session.execute(trusted(membership(session, wanted.name, inherits=True)))
    if wanted.shadow:
        session.execute(trusted(f"alter role {role} createdb"))


def renew(session: Connection, name: str, password: Secret) -> None:
    """Give a role that is there another password."""
    from neondba.postgres.role_password import set_unseen

    with session.transaction():
        set_unseen(session, name, password)


def _profile(session: Connection, wanted: RoleWanted, owner: str) -> Wanted:
    from neondba.postgres.role_profiles import Profile, Wanted

    schemas = tuple(
        str(row["name"])
        for row in session.execute(
            "select nspname::text as name from pg_namespace n where nspname !~ '^pg_' "
            "and nspname <> 'information_schema' and has_schema_privilege(oid, 'usage with grant option') "
            "order by nspname"
        ).fetchall()
    )
    if not wanted.makes_tables:
        return Wanted(wanted.name, Profile.APPLICATION, schemas=schemas)
    # On a branch of its own the role takes over what is there: nobody else could migrate it.
    return Wanted(wanted.name, Profile.MIGRATOR, schemas=schemas, take_ownership=owns_tables(session, owner))


def owns_tables(session: Connection, owner: str) -> bool:
    """Tell whether a role owns tables in this database."""
    found = session.execute(
        "select 1 from pg_class c join pg_roles r on r.oid = c.relowner "
        "where r.rolname = %s and c.relkind in ('r', 'p') "
        "limit 1",
        [owner],
    ).fetchone()
    return found is not None


def drop(session: Connection, name: str, owner: str) -> None:
    """Remove a role that was just made; what it took over goes back to the owner."""
    from neondba.postgres.connect import trusted
    from neondba.postgres.ddl.names import quote_ident
    from neondba.postgres.role_membership import membership

    role = quote_ident(name)
    session.execute(trusted(membership(session, name, inherits=True)))
    session.execute(trusted(f"reassign owned by {role} to {quote_ident(owner)}"))
    session.execute(trusted(f"drop owned by {role}"))
    session.execute(trusted(f"drop role {role}"))
