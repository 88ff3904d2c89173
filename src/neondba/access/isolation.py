"""Show whether one user reaches another's rows, on a branch nobody will miss."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neondba.access.fix import fix_for
from neondba.access.identity import settings_for, sources
from neondba.access.owners import TwoUsers, chosen_columns, is_person, owner_column
from neondba.access.results import IsolationProof, Protection, TableProof
from neondba.access.verdict import Guard, judged, passes_by, protection
from neondba.access.who import Login, application_role
from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, Problem
from neondba.core.secret import Secret
from neondba.postgres.acting import Case, Prober
from neondba.postgres.catalog import snapshot
from neondba.postgres.connect import Connection, Refused, ask, connect
from neondba.postgres.roles import Role, act_as, create_plain_role, grant_like, roles, set_password, url_of
from neondba.postgres.seeding import CannotSeedError, Seeder
from neondba.postgres.shapes import Column
from neondba.project.migrated import apply_migrations


@dataclass(frozen=True)
class Request:
    """What the user asked for beyond the folder."""

    role: str | None = None
    owners: tuple[str, ...] = ()
    config: str | None = None
    python: str | None = None
    platform_url: Callable[[str], Secret] | None = None
    """Gives the address of a role that the platform made."""


def prove_at(
    ctx: Context, folder: Path, direct: Secret, asked: Request, *, branch: str | None = None
) -> IsolationProof:
    """Apply the migrations, seed two users, act as one against the other.

    Raises:
        Problem: the schema cannot be made, or the role or column named does not exist.
    """
    began = ctx.clock.monotonic()
    with connect(direct, limit=ctx.settings.step_limit) as session:
        before = set(roles(session))
        version_table = apply_migrations(ctx, folder, direct, session, asked.config, asked.python)
        login = application_role(session, folder, asked.role, before)
        ctx.progress(f"Acting as two users, in sessions of role {login.role.name}.")
        trial = Trial(ctx, session, direct, login, version_table, asked)
        tables = trial.tables()
        everyone = roles(session).values()
        return IsolationProof(
            role=login.role.name,
            role_chosen=login.because,
            passes_by=passes_by(login.role),
            bypassing_roles=tuple(r.name for r in everyone if r.can_login and r.bypasses and not r.superuser),
            branch=branch,
            server_version=session.info.parameter_status("server_version") or "",
            tables=tuple(tables),
            without_owner=trial.without_owner,
            not_seeded=tuple(trial.users.not_seeded),
            fix=trial.fix(tables),
            seconds=ctx.clock.monotonic() - began,
        )


class Trial:
    """The branch, filled with rows of two users."""

    def __init__(
        self,
        ctx: Context,
        session: Connection,
        direct: Secret,
        login: Login,
        version_table: str,
        asked: Request,
    ) -> None:
        self._platform_url = asked.platform_url
        self._ctx, self._session, self._direct, self._login = ctx, session, direct, login
        self._seeder = Seeder(session)
        self._seeder.shapes.pop(version_table, None)
        self._guards = self._guards_of(login.role)
        mentioned = {name: guard.expressions for name, guard in self._guards.items()}
        found = {name: owner_column(s, mentioned.get(name, "")) for name, s in self._seeder.shapes.items()}
        self.owners: dict[str, Column] = {n: c for n, c in found.items() if c is not None}
        self.owners |= chosen_columns(self._seeder.shapes, asked.owners)
        self.without_owner = tuple(sorted(self._seeder.shapes.keys() - self.owners.keys()))
        self.users = TwoUsers(self._seeder, self.owners)
        self.users.seed()
        # A policy may look into other tables, whose own policies ask in their own way.
        self._asks = sources("\n".join(mentioned.values()), snapshot(session))

    def tables(self) -> list[TableProof]:
        """Try every table; where the role passes by policies, try again as a plain role."""
        cases = [case for name in sorted(self.users.rows) if (case := self._case(name))]
        with self._as_role(self._login.role) as prober:
            proofs = [
                judged(case, self._guards[case.shape.name], seen, self._login.role.name)
                for case, seen in prober.tried(cases)
            ]
        if not any(proof.protection is Protection.BYPASSED for proof in proofs):
            return proofs
        again = self._as_plain_role(cases)
        return [_with_own_role(proof, again.get(proof.table)) for proof in proofs]

    def fix(self, tables: list[TableProof]) -> str | None:
        """Give what closes the open tables, and is not there yet."""
        role, server = self._login.role, self._session.info.server_version
        known = [(t, self.owners[t.table], self._guards[t.table]) for t in tables]
        return fix_for(known, role.name, passes_by(role), server)

    def _case(self, name: str) -> Case | None:
        shape, owner = self._seeder.shapes[name], self.owners[name]
        own, other = self.users.rows[name]
        fresh: dict[str, str | None] = {}
        try:
            with self._session.transaction(force_rollback=True):
                made = self._seeder.insert(shape, self.users.fixed(shape, 1))
                # With a number of its own, the row needs no right to a sequence.
                fresh = {c.name: made[c.name] for c in shape.columns if not c.generated}
        except CannotSeedError:
            fresh = dict(other)
        known = {self.owners[t].name: pair[0][self.owners[t].name] for t, pair in self.users.rows.items()}
        # A row that hangs on another says nothing itself of who may see it.
        who = {**known, **own} if is_person(owner.name) else {**own, **known, owner.name: own[owner.name]}
        return Case(shape, owner, own, other, fresh, settings_for(self._asks, who, owner.name))

    def _guards_of(self, role: Role) -> dict[str, Guard]:
        rows = ask(self._session, "protection", role.name)
        return {str(row["name"]): Guard(row, role) for row in rows}

    def _as_plain_role(self, cases: list[Case]) -> dict[str, Protection]:
        """Prove the fix: the same tries as a role made by SQL with the same privileges."""
        name = f"neondba_plain_{self._ctx.chance.getrandbits(32):08x}"
        if not create_plain_role(self._session, name, Secret(f"{self._ctx.chance.getrandbits(128):032x}")):
            return {}
        parents = {r for g in self._guards.values() for r in g.roles}
        granted: dict[str, Iterable[str]] = {n: g.privileges for n, g in self._guards.items()}
        grant_like(self._session, name, granted, parents)
        plain = roles(self._session)[name]
        guards = self._guards_of(plain)
        with self._as_role(plain) as prober:
            return {
                case.shape.name: protection(guards[case.shape.name], seen)
                for case, seen in prober.tried(cases)
            }

    @contextmanager
    def _as_role(self, role: Role) -> Iterator[Prober]:
        """Open a session of a role: by logging in where it can, else by SET ROLE."""
        own = self._login.is_session and role.name == self._login.role.name
        url = self._direct if own else self._login_url(role) if role.can_login else None
        with connect(url or self._direct, limit=self._ctx.settings.step_limit) as session:
            if url is None:
                self._act_as(session, role.name)
            yield Prober(session)

    def _login_url(self, role: Role) -> Secret | None:
        """Give the role a password here; the platform knows those of its own roles."""
        password = Secret(f"{self._ctx.chance.getrandbits(128):032x}")
        try:
            set_password(self._session, role.name, password)
        except Refused:
            with contextlib.suppress(Problem):
                return self._platform_url(role.name) if self._platform_url else None
            return None
        return url_of(self._direct, role.name, password)

    def _act_as(self, session: Connection, role: str) -> None:
        try:
            act_as(self._session, session, role)
        except Refused as refused:
            raise ConflictProblem(
                "role-out-of-reach",
                f"The branch's owner may neither log in as {role} nor act as it: {refused}",
                hint=f"Let the owner do so: grant {role} to {self._session.info.user} with set true",
                role=role,
            ) from None


def _with_own_role(proof: TableProof, kind: Protection | None) -> TableProof:
    if kind is None:
        return proof
    if proof.protection is not Protection.BYPASSED:
        return proof.model_copy(update={"with_own_role": kind})
    if kind is Protection.UNCLEAR:
        came = "show nothing, because it does not read its own rows either"
    else:
        came = "reach no row: the policy itself is right" if kind.holds else f"reach rows too ({kind.value})"
    sentence = f"As a role that owns nothing and has no BYPASSRLS, the same tries {came}."
    return proof.model_copy(update={"with_own_role": kind, "sentences": (*proof.sentences, sentence)})
