"""Say what was shown and what remains to do, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from neondba.access.plan_decisions import Decision, Kind
from neondba.access.plan_writing import MissingIndex
from neondba.access.policies import Roles
from neondba.access.results import IsolationProof, Protection, TableProof
from neondba.postgres.ddl.names import quote_ident
from neondba.postgres.seen import Action

if TYPE_CHECKING:
    from neondba.access.plan import Asked
    from neondba.access.plan_login import EnvLogin
    from neondba.access.plan_wiring import Wiring

_MIGRATES = {
    "Alembic": "alembic upgrade head",
    "Prisma": "npx prisma migrate deploy",
    "Drizzle": "npx drizzle-kit migrate",
}


def open_tables(proof: IsolationProof, decisions: Mapping[str, Decision]) -> tuple[str, ...]:
    """Give the tables in which one user reached another's rows against what was decided."""
    return tuple(t.table for t in proof.tables if _is_open(t, decisions.get(t.table)))


def _is_open(table: TableProof, decision: Decision | None) -> bool:
    if decision is None or decision.kind is Kind.TOOL or not table.protection.is_open:
        return False
    reached = [attempt.action for attempt in table.attempts if attempt.open]
    reads_are_meant = decision.kind in (Kind.PUBLIC, Kind.SHARED) or decision.shown_by is not None
    return reached != [Action.SELECT] if reads_are_meant else True


def said(proof: IsolationProof, decisions: Mapping[str, Decision]) -> str:
    """Sum the proof up in a sentence."""
    known = [t for t in proof.tables if t.table in decisions]
    private = [
        t for t in known if decisions[t.table].kind.is_private or decisions[t.table].kind is Kind.PEOPLE
    ]
    closed = [t for t in private if t.protection.holds]
    reached = open_tables(proof, decisions)
    unclear = [t.table for t in private if t.protection is Protection.UNCLEAR]
    text = (
        f"acting as two users in role {proof.role}, with no filter in between, one reaches none of the "
        f"other's rows in {len(closed)} of {len(private)} tables"
    )
    text += f"; reached in {', '.join(reached)}" if reached else ""
    text += f"; unclear in {', '.join(unclear)}" if unclear else ""
    missing = [each.table for each in proof.not_seeded]
    return text + (f"; no rows could be made in {', '.join(missing)}" if missing else "") + "."


def shut_out(roles: Roles, login: EnvLogin | None) -> str:
    """Warn where the role that the environment logs in with is another one, and bound."""
    if login is None or not login.is_shut_out(roles.app):
        return ""
    said = f"{login.file} logs in as {login.role}, and the policies are made for {roles.app}"
    if not login.is_known:
        return f"{said}: unless {login.role} is an owner made by Neon, it will reach no row."
    plan = f", or plan for it: --role {login.role}" if login.is_plain else ""
    return f"{said}: once they are applied, {login.role} reaches no row. Log in as {roles.app}{plan}."


def steps(
    roles: Roles,
    session: Wiring,
    tool: str,
    indexes: Sequence[MissingIndex],
    asked: Asked,
    login: EnvLogin | None,
) -> Iterator[str]:
    """Give what a person does next, in an order in which nothing breaks on the way."""
    project = f" --project {asked.project}" if asked.project else ""
    opened = f"--application --new-password{project} --write-env"
    migrates = _MIGRATES.get(tool, "run the migration with your tool")
    apply = f"Apply it: {migrates} (or neondba migration apply)."
    yield "Read the migration. Rehearse it: neondba migration rehearse"
    # Who passes policies by feels nothing yet; who does not needs the code before they are there.
    code_first = login is not None and login.is_known and not login.passes_by
    if code_first:
        yield from session.steps
    if login is not None and login.role == roles.app:
        apply += f" It binds at once, for {login.file} logs in as {roles.app}: the code comes first."
    yield apply
    if indexes and tool in ("Alembic", "Prisma", "Drizzle"):
        named = ", ".join(f"{i.table}.{i.column}" for i in indexes)
        yield f"Name the new indexes in the models too, so that the tool does not drop them again: {named}."
    if login is not None and login.role == roles.app:
        yield _elsewhere(roles.app, login)
    else:
        yield from () if code_first else session.steps
        yield _opening(roles.app, opened, login)
    if roles.sign_in:
        yield (
            f"Give the authentication provider a connection of its own: neondba role create {roles.sign_in}"
            f" {opened} AUTH_DATABASE_URL. Sign-in reads sessions before anybody is known."
        )
    if roles.admin:
        yield (f"For work on everybody's rows, open {roles.admin} likewise, and connect as it there alone.")
    yield "Show it on a branch: neondba isolation prove"


def _elsewhere(app: str, login: EnvLogin) -> str:
    known = [f"{role} of {file}" for file, role in login.others]
    role = quote_ident(login.others[0][1]) if len(known) == 1 else "ITS_ROLE"
    such = f", as {' and '.join(known)}," if known else ""
    return (
        f"On other branches, production among them, the policies are made for {app} too. Where another role "
        f"logs in{such} let it have what {app} has, as the owner, right after the migration is applied there:"
        f" grant {quote_ident(app)} to {role} with inherit true. Without that it reaches no row."
    )


def _opening(app: str, opened: str, login: EnvLogin | None) -> str:
    if login is not None and login.is_shut_out(app) and login.is_known:
        until = f"Do it together with applying: {login.role} reaches no row from then on."
    else:
        until = (
            "Until then nothing binds an owner made by Neon, which passes by; any other role reaches no row."
        )
    return (
        f"Open the role and hand the application its address: neondba role create {app} {opened}"
        f" DATABASE_URL. {until} Migrations keep the owner's address."
    )
