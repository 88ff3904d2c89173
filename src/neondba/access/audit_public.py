"""Findings on what PUBLIC, which is every role there is, may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from neondba.access.audit_results import Danger, Evidence, RoleFinding
from neondba.access.audit_who import NEON, Grant, Who, listed, read, shown

_WRITES: Final = frozenset({"insert", "update", "delete", "truncate", "trigger", "references", "maintain"})
EVERYBODY: Final = "PUBLIC"


def schemas(who: Who) -> Iterator[RoleFinding]:
    """Find schemas in which every role may make objects."""
    for grant in _public(who, "schema"):
        if grant.privilege != "create":
            continue
        losers = who.losers(grant.name, grant.owner, "create")
        yield RoleFinding(
            code="public-creates-in-schema",
            danger=Danger.HIGH,
            said=f"Every role may make tables and functions in schema {grant.name}: one that is made there "
            "under a known name is used in place of the real one.",
            roles=(EVERYBODY,),
            evidence=(
                read(f"pg_namespace.nspacl of {grant.name} grants CREATE to PUBLIC."),
                *_checked(who, grant, losers, "schema"),
            ),
            mend=(f"revoke create on schema {grant.name} from public;",),
            then=_after(losers, f"make anything in {grant.name}"),
        )


def databases(who: Who) -> Iterator[RoleFinding]:
    """Find databases in which every role may make schemas, or may connect by default."""
    privileges = {grant.privilege: grant for grant in _public(who, "database")}
    if "create" in privileges:
        grant = privileges["create"]
        losers = who.losers(grant.name, grant.owner, "create")
        yield RoleFinding(
            code="public-creates-in-database",
            danger=Danger.MEDIUM,
            said=f"Every role may make schemas in database {grant.name}.",
            roles=(EVERYBODY,),
            evidence=(read("pg_database.datacl grants CREATE to PUBLIC."),),
            mend=(f"revoke create on database {grant.name} from public;",),
            then=_after(losers, "make a schema"),
        )
    if "connect" in privileges:
        grant = privileges["connect"]
        losers = who.losers(grant.name, grant.owner, "connect")
        if losers:
            yield RoleFinding(
                code="public-connects",
                danger=Danger.LOW,
                said=f"Every role may connect to database {grant.name}"
                f"{' and make temporary tables' if 'temporary' in privileges else ''}: PostgreSQL's default.",
                roles=(EVERYBODY,),
                evidence=(read(f"{listed(losers)} may connect through PUBLIC alone."),),
                mend=(
                    *(f"grant connect on database {grant.name} to {who.quoted(each)};" for each in losers),
                    f"revoke connect, temporary on database {grant.name} from public;",
                ),
                then="Whoever is in the grants above goes on to connect; a role that is made later does not, "
                "until it is granted.",
            )


def tables(who: Who) -> Iterator[RoleFinding]:
    """Find tables that every role may read or change."""
    reads: dict[str, list[Grant]] = defaultdict(list)
    writes: dict[str, list[Grant]] = defaultdict(list)
    for kind in ("table", "column", "sequence"):
        for grant in _public(who, kind):
            if kind != "sequence":
                (writes if grant.privilege in _WRITES else reads)[grant.name].append(grant)
    if writes:
        yield _tables(who, writes, "public-writes", Danger.HIGH, "change")
    if reads:
        yield _tables(who, reads, "public-reads", Danger.MEDIUM, "read")


def defaults(who: Who) -> Iterator[RoleFinding]:
    """Find what will be granted to every role on objects that are made later."""
    for row in who.facts.of("defaults"):
        if row["grantee"] != "public" or row["kind"] == "types":
            continue
        where = f" in schema {row['schema']}" if row["schema"] else ""
        into = f" in schema {who.quoted_schema(row['schema'])}" if row["schema"] else ""
        listing = ", ".join(row["privileges"])
        maker = who.quoted(row["maker"])
        yield RoleFinding(
            code="public-by-default",
            danger=Danger.LOW if row["kind"] == "functions" else Danger.MEDIUM,
            said=f"All {row['kind']} that {row['maker']} makes{where} from now on will be open to every role "
            f"({listing}).",
            roles=(EVERYBODY, row["maker"]),
            evidence=(read("pg_default_acl grants it to PUBLIC."),),
            mend=(
                f"alter default privileges for role {maker}{into} revoke {listing} on {row['kind']} from "
                "public;",
            ),
            then=f"{row['kind'].capitalize()} that are there stay as they are; new ones need a grant.",
        )


def passed_on(who: Who) -> Iterator[RoleFinding]:
    """Find roles that may hand out rights on what is not theirs."""
    found: dict[str, list[Grant]] = defaultdict(list)
    for grant in who.grants:
        if grant.grantable and grant.kind != "column" and grant.grantee not in ("", NEON, who.owner):
            found[grant.grantee].append(grant)
    for role, grants in found.items():
        names = sorted({grant.name for grant in grants})
        yield RoleFinding(
            code="role-hands-out",
            danger=Danger.LOW,
            said=f"{role} may hand out rights on {listed(names, 3)} to anybody (grant option).",
            roles=(role,),
            evidence=tuple(read(f"{each.privilege} on {each.name}, with grant option.") for each in grants),
            mend=tuple(
                f"revoke grant option for {each.privilege} on {each.kind} {each.name} from "
                f"{who.quoted(role)};"
                for each in grants
            ),
            then=f"Where {role} has granted it to others already, the statement is refused: add cascade, and "
            "they lose it.",
        )


def _tables(who: Who, found: dict[str, list[Grant]], code: str, danger: Danger, word: str) -> RoleFinding:
    losers = sorted({role for grants in found.values() for g in grants for role in _losing(who, g)})
    first = next(iter(found.values()))[0]
    return RoleFinding(
        code=code,
        danger=danger,
        said=f"Every role may {word} {listed(found, 4)}, whatever it was made for.",
        roles=(EVERYBODY,),
        evidence=(
            *(
                read(f"{name} grants {', '.join(sorted({g.privilege for g in grants}))} to PUBLIC.")
                for name, grants in found.items()
            ),
            *_checked(who, first, losers, "table"),
        ),
        mend=tuple(
            f"revoke {', '.join(sorted({g.privilege for g in grants}))} {_on(grants[0])} from public;"
            for grants in found.values()
        ),
        then=_after(losers, f"{word} them"),
    )


def _on(grant: Grant) -> str:
    if grant.kind != "column":
        return f"on {grant.name}"
    table, _, column = grant.name.rpartition(".")
    return f"({column}) on {table}"


def _losing(who: Who, grant: Grant) -> list[str]:
    if grant.kind == "column":
        return []
    return who.losers(grant.name, grant.owner, grant.privilege)


def _public(who: Who, kind: str) -> list[Grant]:
    return [grant for grant in who.grants if grant.grantee == "" and grant.kind == kind]


def _checked(who: Who, grant: Grant, losers: list[str], kind: str) -> Iterator[Evidence]:
    """Let the server show it for one role that has it through PUBLIC alone."""
    role = next(iter(losers), None)
    if role is None or who.actor is None or grant.kind == "column":
        return
    held = who.actor.holds(role, kind, grant.name, grant.privilege)
    if not held.acted:
        if who.actor.server_says(role, kind, grant.name, grant.privilege):
            yield shown(
                f"The server's own check: {role}, granted nothing itself, may {grant.privilege} on "
                f"{grant.name}."
            )
        return
    if held.value:
        yield shown(
            f"Acting as {role}, granted nothing itself: {grant.privilege} on {grant.name} is allowed."
        )
    if kind == "schema":
        made = who.actor.makes_table(role, grant.name)
        if made.acted and not made.refusal:
            yield shown(f"Logged in as {role} on a copy of the branch: making a table there went through.")
    if kind == "table" and grant.privilege == "select":
        looked = who.actor.reads(role, grant.name)
        if not looked.refusal:
            yield shown(f"Acting as {role}: reading {grant.name} went through.")


def _after(losers: list[str], what: str) -> str:
    if not losers:
        return f"No login loses anything: each that may {what} has a grant of its own."
    return f"{listed(losers)} can no longer {what}; who has a grant of its own keeps it."
