"""Findings on roles that may do more than grants say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from neondba.access.audit_results import Danger, Evidence, RoleFinding
from neondba.access.audit_who import NEON, STRONG, Who, listed, read, shown, unseen

_ONLY_READS: Final = ("pg_read_all_data", "pg_read_server_files")


def strong_logins(who: Who) -> Iterator[RoleFinding]:
    """Find logins that reach every row whatever is granted."""
    for role in who.logins:
        strong = who.strong(role)
        if not strong:
            continue
        places = who.named_in.get(role, [])
        if role == who.owner and not places:
            who.not_checked.append(
                f"Where {role} is used: it owns the database and reaches every row, as Neon makes such "
                "roles; keep it for migrations and administration."
            )
            continue
        through = strong[0]
        evidence = [
            shown(f"pg_has_role('{role}', '{through}', 'usage') is true: {_path(who, role, through)}."),
            *(read(f"{use.place} logs in with it.") for use in places[:4]),
        ]
        yield RoleFinding(
            code="login-reaches-everything",
            danger=Danger.MEDIUM if role == who.owner or through in _ONLY_READS else Danger.HIGH,
            said=_said(role, through, owner=role == who.owner, used=bool(places)),
            roles=(role,),
            evidence=tuple(evidence),
            mend=_own_role(who, role, through),
            then=(
                f"What logs in with {role} must be given the new role's connection string; it then sees only "
                "granted tables, and only rows that policies allow."
            ),
        )


def bypassing(who: Who) -> Iterator[RoleFinding]:
    """Find logins that row-level security does not bind, where there is any."""
    guarded = [row["name"] for row in who.facts.of("guarded")]
    if not guarded:
        return
    for role in who.logins:
        if not who.roles[role]["bypasses"]:
            continue
        used = who.named_in.get(role, [])
        if role == who.owner and not used:
            continue
        yield RoleFinding(
            code="login-bypasses-policies",
            danger=Danger.HIGH,
            said=f"Row-level security does not exist for {role}: it carries BYPASSRLS, so the policies on "
            f"{listed(guarded, 3)} let it read and change every user's rows.",
            roles=(role,),
            evidence=(
                read("pg_roles.rolbypassrls is true."),
                _inactive(who, role, guarded[0]),
                *(read(f"{use.place} logs in with it.") for use in used[:4]),
            ),
            mend=(
                f"alter role {who.quoted(role)} nobypassrls;"
                if NEON not in who.has_rights_of(role)
                else "neondba role create app --application --write-env DATABASE_URL",
            ),
            then=f"{role} finds only rows that a policy allows it; where there is none, no rows at all.",
        )


def owners_unbound(who: Who) -> Iterator[RoleFinding]:
    """Find logins whose own tables' policies do not bind them."""
    for role in who.logins:
        rights = who.has_rights_of(role)
        tables = [r["name"] for r in who.facts.of("guarded") if r["owner"] in rights and not r["forced"]]
        if not tables or who.roles[role]["bypasses"] or (role == who.owner and role not in who.named_in):
            continue
        yield RoleFinding(
            code="owner-not-bound",
            danger=Danger.HIGH if role in who.named_in else Danger.MEDIUM,
            said=f"Policies do not bind {role} on {listed(tables, 4)}: it has the owner's rights there, and "
            "they are not forced.",
            roles=(role,),
            evidence=(read("pg_class.relforcerowsecurity is false."), _inactive(who, role, tables[0])),
            mend=tuple(f"alter table {table} force row level security;" for table in tables),
            then=f"{role} finds only rows that a policy allows it, in migrations too.",
        )


def role_makers(who: Who) -> Iterator[RoleFinding]:
    """Find logins beside the owner that make roles, or copy the whole database by replication."""
    old = int(str(who.facts.clock["version"]).partition(".")[0]) < 16
    for role in who.logins:
        row = who.roles[role]
        if role == who.owner or NEON in who.has_rights_of(role):
            continue
        if row["makes_roles"]:
            reach = (
                "grant itself any role that is no superuser"
                if old
                else "make roles and hand out what it made"
            )
            yield RoleFinding(
                code="login-makes-roles",
                danger=Danger.HIGH if old else Danger.MEDIUM,
                said=f"{role} carries CREATEROLE: it may {reach}.",
                roles=(role,),
                evidence=(read("pg_roles.rolcreaterole is true."),),
                mend=(f"alter role {who.quoted(role)} nocreaterole;",),
                then=f"{role} makes and changes no roles any more; those that it made stay.",
            )
        if row["replicates"]:
            yield RoleFinding(
                code="login-replicates",
                danger=Danger.MEDIUM,
                said=f"{role} carries REPLICATION: it may read every change of every table as a stream.",
                roles=(role,),
                evidence=(read("pg_roles.rolreplication is true."),),
                mend=(f"alter role {who.quoted(role)} noreplication;",),
                then="A subscription or change feed that logs in with it stops.",
            )


def acting_as_others(who: Who) -> Iterator[RoleFinding]:
    """Find logins that may become a role with more power than their own."""
    for role in who.logins:
        if role == who.owner or NEON in who.has_rights_of(role):
            continue
        own = who.has_rights_of(role)
        for target in who.may_become(role):
            gain = _gain(who, own, target)
            if not gain:
                continue
            row = who.reach[role][target]
            how = "set role" if row["sets"] else "grant it to itself, then set role"
            first = row["path"][1]
            yield RoleFinding(
                code="login-becomes-stronger",
                danger=Danger.HIGH if target in STRONG or who.roles[target]["bypasses"] else Danger.MEDIUM,
                said=f"{role} may act as {target} ({how}) and so {gain}.",
                roles=(role, target),
                evidence=(
                    shown(
                        f"pg_has_role('{role}', '{target}', "
                        f"'{'set' if row['sets'] else 'member with admin option'}') is true: "
                        f"{' is a member of '.join(row['path'])}."
                    ),
                    *_becoming(who, role, target),
                ),
                mend=(f"revoke {who.quoted(first)} from {who.quoted(role)};",),
                then=f"{role} loses what it has through {first}: {_through(who, first)}.",
            )


def _said(role: str, through: str, *, owner: bool, used: bool) -> str:
    if owner and used:
        return (
            f"The application logs in with {role}, which owns the database and {STRONG[through]}: a hole in "
            "the application is a hole in everything."
        )
    return f"{role} {STRONG[through]}, granted or not: it is a member of {through}."


def _own_role(who: Who, role: str, through: str) -> tuple[str, ...]:
    if through == NEON:
        return (
            "neondba role create app --application --write-env DATABASE_URL",
            f"(then, when nothing logs in with {role} any more, delete it in the Console or over the API: "
            "a role made there stays a member of neon_superuser)",
        )
    first = who.reach[role][through]["path"][1]
    return (f"revoke {who.quoted(first)} from {who.quoted(role)};",)


def _path(who: Who, role: str, target: str) -> str:
    return " is a member of ".join(who.reach[role][target]["path"])


def _inactive(who: Who, role: str, table: str) -> Evidence:
    """Ask the server, as the role, whether a table's policies count."""
    if who.actor is None:
        return unseen(f"Acting as {role}: no session to do it in.")
    looked = who.actor.policies_count(role, table)
    if not looked.acted:
        return unseen(f"Acting as {role}: {looked.refusal}. With --prove it is done on a copy of the branch.")
    if looked.refusal:
        return unseen(f"As {role}, the server said: {looked.refusal}.")
    said = "do not count" if looked.value is False else "count"
    return shown(f"Acting as {role}, row_security_active('{table}') is {looked.value}: policies {said}.")


def _becoming(who: Who, role: str, target: str) -> Iterator[Evidence]:
    granting = not who.reach[role][target]["sets"]
    looked = who.actor.becomes(role, target, granting=granting) if who.actor else None
    if looked and looked.acted:
        said = f"refused: {looked.refusal}" if looked.refusal else "went through"
        yield shown(
            f"Logged in as {role} on a copy of the branch, {'granting it to itself and ' if granting else ''}"
            f"set role {target} {said}."
        )


def _gain(who: Who, own: set[str], target: str) -> str:
    row = who.roles[target]
    if target in STRONG:
        return STRONG[target]
    if row["bypasses"]:
        return "pass row-level security by"
    if row["makes_roles"]:
        return "make roles"
    if row["tables"] and target not in own:
        return f"change and drop the {row['tables']} tables that {target} owns"
    return ""


def _through(who: Who, first: str) -> str:
    tables = {g.name for g in who.grants if g.grantee == first and g.kind == "table"}
    owned = who.roles[first]["tables"]
    parts = [f"grants on {len(tables)} tables"] if tables else []
    parts += [f"ownership of {owned}"] if owned else []
    return " and ".join(parts) or "no grants of its own in this database"
