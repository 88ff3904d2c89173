"""Who may do what in a database: effective rights, and what is wrong with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from neondba.access import audit_functions, audit_logins, audit_powers, audit_public
from neondba.access.audit_accepted import acceptances
from neondba.access.audit_branches import shared_by_branches
from neondba.access.audit_env import uses
from neondba.access.audit_public import EVERYBODY
from neondba.access.audit_results import Danger, RightGroup, RoleAudit, RoleFinding, RoleLine, SchemaRights
from neondba.access.audit_who import Finder, Row, Who
from neondba.access.role_place import Place
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem
from neondba.neon.throwaway import Wanted, throwaway_branch
from neondba.postgres.connect import connect
from neondba.postgres.role_actor import Actor, Copy
from neondba.postgres.role_facts import read as read_facts
from neondba.postgres.role_password import generated

FINDERS: Final[tuple[Finder, ...]] = (
    audit_powers.strong_logins,
    audit_powers.bypassing,
    audit_powers.owners_unbound,
    audit_powers.role_makers,
    audit_powers.acting_as_others,
    audit_public.schemas,
    audit_public.databases,
    audit_public.tables,
    audit_public.defaults,
    audit_public.passed_on,
    audit_functions.mutable_paths,
    audit_functions.open_definers,
    audit_functions.open_functions,
    audit_logins.shared_in_files,
    audit_logins.weakly_stored,
    audit_logins.unused,
    audit_logins.endless,
)
_WRITES: Final = ("can_insert", "can_update", "can_delete", "can_truncate")
_ACTIONS: Final = {key.removeprefix("can_"): key for key in ("can_select", *_WRITES)}


def audit(ctx: Context, place: Place, role: str | None, *, prove: bool) -> RoleAudit:
    """Read roles and grants, act as roles where that may be, and judge.

    Raises:
        NotFoundProblem: the database has no such role.
    """
    ctx.progress(f"Reading roles and grants of {place.database} on branch {place.branch.name}.")
    who = Who(read_facts(place.session), uses(ctx.folder), accepted=acceptances(ctx.folder))
    if role is not None and role not in who.roles:
        raise NotFoundProblem(
            "role-not-found",
            f"Branch {place.branch.name} has no role {role}.",
            hint=f"It has: {', '.join(who.logins)}.",
        )
    with _copied(ctx, place) if prove else nullcontext() as copy, Actor(place.session, copy) as who.actor:
        found = [finding for finder in FINDERS for finding in finder(who)]
    ctx.progress("Comparing passwords of branches.")
    found += shared_by_branches(who, place.client, place.project, place.branch)
    order = list(Danger)
    left, accepted = who.accepted.take(found)
    accepted += list(audit_logins.endless_accepted(who))
    wanted = [each for each in left if role is None or _concerns(each, role)]
    return RoleAudit(
        project=place.project.name,
        branch=place.branch.name,
        database=place.database,
        server_version=str(who.facts.clock["version"]),
        role=role,
        findings=tuple(sorted(wanted, key=lambda each: order.index(each.danger))),
        roles=tuple(_line(who, each) for each in _shown(who, role)),
        matrix=tuple(_matrix(who, role)),
        not_checked=(*who.not_checked, *_unread(who), *who.accepted.idle()),
        accepted=tuple(each for each in accepted if role is None or each.is_about(role)),
    )


@contextmanager
def _copied(ctx: Context, place: Place) -> Iterator[Copy]:
    """Make a copy of the branch on which every role may be logged in with; it goes afterwards."""
    ctx.progress(f"Making a throw-away copy of branch {place.branch.name} to act as roles on.")
    wanted = Wanted(parent=place.branch.id)
    with (
        throwaway_branch(
            place.client,
            ctx,
            project=place.project.id,
            purpose="audit",
            database=place.database,
            wanted=wanted,
        ) as branch,
        connect(branch.direct, limit=ctx.settings.step_limit) as session,
    ):
        yield Copy(session, branch.direct, generated(ctx.chance), branch.role_url)


def _concerns(finding: RoleFinding, role: str) -> bool:
    return role in finding.roles or EVERYBODY in finding.roles


def _shown(who: Who, role: str | None) -> list[str]:
    """Name the roles to list: ours; PostgreSQL's own and the platform's are known."""
    if role is not None:
        return [role]
    return [name for name, row in who.roles.items() if not row["predefined"] and not row["superuser"]]


def _line(who: Who, role: str) -> RoleLine:
    row = who.roles[role]
    return RoleLine(
        name=role,
        can_login=row["can_login"],
        powers=who.powers(role),
        acts_as=tuple(each for each in who.may_become(role) if not who.roles[each]["predefined"]),
        owns=row["tables"],
        seen=audit_logins.last_seen(who, role) if row["can_login"] else "-",
    )


def _matrix(who: Who, role: str | None) -> Iterator[SchemaRights]:
    by_place: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in who.facts.of("rights"):
        by_place[row["role"], row["schema"]].append(row)
    for schema in who.facts.of("schemas"):
        name = schema["role"]
        if name not in _shown(who, role):
            continue
        rows = by_place[name, schema["schema"]]
        open_rows = [row for row in rows if row["reaches"]]
        made = SchemaRights(
            role=name,
            schema_name=schema["schema"],
            owns=sum(row["owns"] for row in rows),
            reads=sum(row["can_select"] for row in open_rows),
            writes=sum(any(row[each] for each in _WRITES) for row in open_rows),
            of=len(rows),
            creates=schema["can_create"],
            rights=tuple(_rights(who, rows)) if role else (),
        )
        if role or made.owns or made.reads or made.writes or made.creates:
            yield made


def _rights(who: Who, rows: list[Row]) -> Iterator[RightGroup]:
    """Say what a role may do with each table, and by what."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        words = [word for word, key in _ACTIONS.items() if row[key]]
        if not words:
            found["nothing", "no grant"].append(row["relation"])
            continue
        via = "as owner" if row["owns"] else _via(who, row["role"], row["relation"])
        shut = "" if row["reaches"] else "; but without USAGE on the schema, so nothing in the end"
        found[", ".join(words), via + shut].append(row["relation"])
    for (may, by), tables in found.items():
        yield RightGroup(may=may, by=by, tables=tuple(tables))


def _via(who: Who, role: str, relation: str) -> str:
    rights = who.has_rights_of(role)
    sources = {
        "PUBLIC" if not grant.grantee else "its own grant" if grant.grantee == role else grant.grantee
        for grant in who.grants
        if (grant.name == relation or grant.name.startswith(f"{relation}."))
        and (not grant.grantee or grant.grantee in rights)
    }
    return "by " + (", ".join(sorted(sources | set(who.strong(role)))) or "a grant")


def _unread(who: Who) -> Iterator[str]:
    names = {"counted": "Statements by role", "seen": "Sessions by role"}
    for kind, why in who.facts.refused.items():
        if kind != "passwords":
            yield f"{names.get(kind, kind)}: {why}."
