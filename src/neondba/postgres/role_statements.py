"""The statements that give a role what its profile holds and it has not yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from psycopg import sql

from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.postgres.connect import Connection, Row, ask, literal
from neondba.postgres.ddl.names import last, plain, quote_ident
from neondba.postgres.role_membership import membership, splits
from neondba.postgres.role_profiles import Profile, RolePlan
from neondba.postgres.version_tables import VERSION_TABLES

if TYPE_CHECKING:
    from neondba.postgres.role_profiles import Wanted

_WORDS = {"table": "tables", "sequence": "sequences", "routine": "routines"}
_FORBIDDEN = {
    "superuser": "is a superuser",
    "bypasses": "carries BYPASSRLS",
    "creates_roles": "may create roles",
    "creates_databases": "may create databases",
}


def missing(session: Connection, wanted: Wanted) -> RolePlan:
    """Compare the database with a role as it should be."""
    found = ask(session, "profile_role", wanted.name)
    role = found[0] if found else None
    _must_be_harmless(wanted, role)
    made = _Difference(session, wanted, role)
    return RolePlan(
        wanted.name,
        role is not None,
        tuple(dict.fromkeys(made.statements())),
        tuple(made.skipped),
        tuple(made.differs),
    )


def mark(wanted: Wanted) -> str:
    """Give the comment by which a role that we made is known."""
    rows = " with rows" if wanted.rows and wanted.profile is Profile.AUDITOR else ""
    return f"neondba: {wanted.profile}{rows} on {', '.join(wanted.schemas)}"


def commented(role: str, text: str) -> str:
    """Give the statement that comments on a role."""
    return f"comment on role {quote_ident(role)} is {literal(text)}"


class _Difference:
    """One look at the database."""

    def __init__(self, session: Connection, wanted: Wanted, role: Row | None) -> None:
        self._session, self._wanted, self._role = session, wanted, role
        self._to = quote_ident(wanted.name)
        self.skipped: list[str] = []
        self.differs: list[str] = []

    def statements(self) -> Iterator[str]:
        yield from self._itself()
        # A migrator's defaults are set by a full member of it, which this would make less of.
        if self._wanted.profile is not Profile.MIGRATOR and not self._may_be_acted_as():
            yield membership(self._session, self._wanted.name, inherits=False)
        yield from self._database()
        yield from self._schemas()
        objects = ask(self._session, "profile_objects", list(self._wanted.schemas), self._wanted.name)
        for kind in _WORDS:
            yield from self._objects(kind, [each for each in objects if each["kind"] == kind])
        yield from self._records()
        yield from self._defaults()
        if self._wanted.profile is Profile.MIGRATOR:
            yield from self._owned(objects)
            yield from self._inherited_defaults()
        if self._role is None or self._role["comment"] != mark(self._wanted):
            yield commented(self._wanted.name, mark(self._wanted))

    def _itself(self) -> Iterator[str]:
        rights, role = self._wanted.rights, self._role
        inherit = "inherit" if rights.inherits else "noinherit"
        if role is None:
            yield (
                f"create role {self._to} login {inherit} nosuperuser nocreatedb nocreaterole"
                " noreplication nobypassrls"
            )
        elif rights.inherits and not role["inherits"]:
            yield f"alter role {self._to} inherit"
        held = dict(each.split("=", 1) for each in role["settings"]) if role else {}
        for name, value in rights.settings.items():
            if name not in held:
                yield f"alter role {self._to} set {name} = {literal(value)}"
            elif held[name] != value:
                self.differs.append(f"{name} is {held[name]}; the profile has {value}.")
        for group in rights.member_of:
            if role is None or group not in role["member_of"]:
                yield from self._membership(group)
        for group in role["member_of"] if role else ():
            if group not in rights.member_of:
                self.differs.append(f"It is a member of {group}, which the profile has not.")

    def _may_be_acted_as(self) -> bool:
        """Tell whether this session's role may act as it, to see what it sees: since 16 not by making it."""
        way = "SET" if splits(self._session) else "MEMBER"
        row = self._session.execute(
            "select coalesce((select pg_has_role(oid, %s) from pg_roles where rolname = %s), rolsuper) as may"
            " from pg_roles where rolname = current_user",
            [way, self._wanted.name],
        ).fetchone()
        return bool(row and row["may"])

    def _membership(self, group: str) -> Iterator[str]:
        row = self._session.execute(
            "select pg_has_role(%s, 'usage with admin option')"
            " or (select rolsuper from pg_roles where rolname = current_user) as ours",
            [group],
        ).fetchone()
        if row and row["ours"]:
            yield f"grant {group} to {self._to}"
        else:
            self.skipped.append(f"Membership in {group}: this session's role has no right to give it.")

    def _database(self) -> Iterator[str]:
        row = self._session.execute(
            "select current_database()::text as name, exists(select from pg_database d"
            " cross join aclexplode(d.datacl) e join pg_roles r on r.oid = e.grantee"
            " where d.datname = current_database() and r.rolname = %s"
            " and e.privilege_type = 'CONNECT') as held",
            [self._wanted.name],
        ).fetchone()
        if row and not row["held"]:
            yield f"grant connect on database {quote_ident(str(row['name']))} to {self._to}"

    def _schemas(self) -> Iterator[str]:
        found = ask(self._session, "profile_schemas", list(self._wanted.schemas), self._wanted.name)
        there = {str(each["name"]): each for each in found}
        for schema in self._wanted.schemas:
            if schema not in there:
                raise ArgumentProblem(
                    "schema-not-found",
                    f"There is no schema {schema} in this database.",
                    hint="Name one that exists with --schema, or create it first.",
                )
            held, wanted = there[schema]["held"], self._wanted.rights.schema
            lacking = [each for each in wanted if each not in held]
            if "create" in held and "create" not in wanted:
                self.differs.append(f"It may create tables in schema {schema}; the profile may not.")
            if lacking and not there[schema]["grantable"]:
                self.skipped.append(f"Schema {schema}: this session's role may not grant its use.")
            elif lacking:
                yield f"grant {', '.join(lacking)} on schema {quote_ident(schema)} to {self._to}"

    def _objects(self, kind: str, objects: list[Row]) -> Iterator[str]:
        wanted = self._wanted.rights.of(kind)
        for schema in self._wanted.schemas:
            every = [each for each in objects if each["schema"] == schema]
            here = [each for each in every if not self._is_out_of_reach(each)]
            self._note_more(kind, wanted, here)
            lacking = [each for each in here if not set(wanted) <= set(each["held"])]
            closed = [str(each["name"]) for each in lacking if not each["grantable"]]
            if closed:
                self.skipped.append(
                    f"{_WORDS[kind].capitalize()} of other owners: {_listed(closed)}. Their owners may grant "
                    f"{', '.join(wanted)}."
                )
            open_ = [str(each["name"]) for each in lacking if each["grantable"]]
            if not open_ or not wanted:
                continue
            whole = (
                here == every and all(each["grantable"] for each in here) and not self._has_extensions(schema)
            )
            on = (
                f"all {_WORDS[kind]} in schema {quote_ident(schema)}"
                if whole
                else f"{kind} {', '.join(open_)}"
            )
            yield f"grant {', '.join(wanted)} on {on} to {self._to}"

    def _is_out_of_reach(self, each: Row) -> bool:
        records = self._wanted.rights.keeps_off_records and each["kind"] == "table"
        return records and plain(last(str(each["name"]))) in VERSION_TABLES

    def _records(self) -> Iterator[str]:
        """Take back what default privileges gave on the record of migrations: it was made after the role."""
        if self._role is None or not self._wanted.rights.keeps_off_records:
            return
        schemas, names = list(self._wanted.schemas), list(VERSION_TABLES)
        for each in ask(self._session, "profile_records", schemas, self._wanted.name, names):
            if each["grantable"]:
                yield f"revoke all on table {each['name']} from {self._to}"
            else:
                self.differs.append(
                    f"It reaches {each['name']}, the record of migrations; its owner may revoke it."
                )

    def _note_more(self, kind: str, wanted: tuple[str, ...], here: list[Row]) -> None:
        if self._role is None or kind == "routine":
            return
        more = [each for each in here if set(each["held"]) - set(wanted)]
        more = [each for each in more if each["owner"] != self._wanted.name]
        for each in more[:10]:
            beyond = [one for one in each["held"] if one not in wanted]
            self.differs.append(f"It may {', '.join(beyond)} on {each['name']}; the profile may not.")

    def _has_extensions(self, schema: str) -> bool:
        row = self._session.execute(
            "select exists(select from pg_depend d join pg_class c on c.oid = d.objid"
            " where d.classid = 'pg_class'::regclass and d.deptype = 'e'"
            " and c.relnamespace = %(s)s::regnamespace)"
            " or exists(select from pg_depend d join pg_proc p on p.oid = d.objid"
            " where d.classid = 'pg_proc'::regclass and d.deptype = 'e'"
            " and p.pronamespace = %(s)s::regnamespace) as held",
            {"s": str(sql.Identifier(schema).as_string())},
        ).fetchone()
        return bool(row and row["held"])

    def _defaults(self) -> Iterator[str]:
        schemas = list(self._wanted.schemas)
        known = {
            (each["maker"], each["schema"], each["kind"]): set(each["held"])
            for each in ask(self._session, "profile_defaults", schemas)
            if each["grantee"] == self._wanted.name
        }
        for maker in ask(self._session, "profile_makers", schemas):
            if maker["name"] == self._wanted.name:
                continue
            lacking = [
                (schema, kind, rights)
                for schema in schemas
                for kind in _WORDS
                if (rights := self._wanted.rights.of(kind))
                and not set(rights) <= known.get((maker["name"], schema, kind), set())
            ]
            if lacking and not maker["ours"]:
                self.skipped.append(
                    f"Tables that {maker['name']} will make: only that role can set their default privileges."
                )
                continue
            for schema, kind, rights in lacking:
                yield _default(str(maker["name"]), schema, kind, rights, self._wanted.name)

    def _owned(self, objects: list[Row]) -> Iterator[str]:
        """Hand over what is there, or say that it cannot be altered."""
        others = [each for each in objects if each["owner"] != self._wanted.name]
        if not others:
            return
        if not self._wanted.take_ownership:
            owners = sorted({str(each["owner"]) for each in others})
            self.skipped.append(
                f"{len(others)} existing tables, sequences and functions belong to {', '.join(owners)}: the "
                "migrator can use but not alter them. --take-ownership hands them over."
            )
            return
        yield membership(self._session, self._wanted.name, inherits=True)
        for each in others:
            if each["grantable"] and not (each["kind"] == "sequence" and self._is_serial(str(each["name"]))):
                # neondba: ignore[NDB910] once in a role's life, over a session that is open already
                yield f"alter {_kind(self._session, each)} {each['name']} owner to {self._to}"

    def _is_serial(self, name: str) -> bool:
        row = self._session.execute(
            "select exists(select from pg_depend where classid = 'pg_class'::regclass"
            " and objid = %s::regclass and deptype in ('a', 'i')) as held",
            [name],
        ).fetchone()
        return bool(row and row["held"])

    def _inherited_defaults(self) -> Iterator[str]:
        """Let the roles that use the others' tables use the migrator's too."""
        if self._role is None:
            # Default privileges are set by a member of the role that they are for.
            yield membership(self._session, self._wanted.name, inherits=True)
        schemas = list(self._wanted.schemas)
        rows = ask(self._session, "profile_defaults", schemas)
        done = {(r["schema"], r["kind"], r["grantee"]) for r in rows if r["maker"] == self._wanted.name}
        for row in rows:
            key = (row["schema"], row["kind"], row["grantee"])
            if row["maker"] != self._wanted.name and row["grantee"] != self._wanted.name and key not in done:
                done.add(key)
                rights, grantee = tuple(row["held"]), str(row["grantee"])
                yield _default(self._wanted.name, str(row["schema"]), str(row["kind"]), rights, grantee)


def _must_be_harmless(wanted: Wanted, role: Row | None) -> None:
    if role is None:
        return
    for key, said in _FORBIDDEN.items():
        if role[key]:
            raise ConflictProblem(
                "role-too-powerful",
                f"Role {wanted.name} exists and {said}: no profile does.",
                hint="Choose another name. Roles made over Neon's API or in its Console carry these rights.",
                role=wanted.name,
            )


def _default(maker: str, schema: str, kind: str, rights: tuple[str, ...], to: str) -> str:
    return (
        f"alter default privileges for role {quote_ident(maker)} in schema {quote_ident(schema)}"
        f" grant {', '.join(rights)} on {_WORDS[kind]} to {quote_ident(to)}"
    )


def _kind(session: Connection, row: Row) -> str:
    if row["kind"] != "table":
        return str(row["kind"])
    found = session.execute(
        "select relkind::text as k from pg_class where oid = %s::regclass", [row["name"]]
    ).fetchone()
    words = {"v": "view", "m": "materialized view", "f": "foreign table"}
    return words.get(str(found["k"]) if found else "", "table")


def _listed(names: list[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
