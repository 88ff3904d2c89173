"""The environments of a set-up: the branch and the role of each, and what is missing of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.connections import setup_roles, setup_verify
from neondba.connections.setup_env import EnvPlan
from neondba.connections.setup_look import Looked
from neondba.connections.setup_platform import DATABASE, DEFAULT_BRANCH, DEVELOPMENT, Platform, Undo
from neondba.connections.setup_results import Verified
from neondba.connections.setup_roles import RoleWanted
from neondba.connections.setup_urls import Reach, plain
from neondba.core.context import Context
from neondba.core.problem import CredentialsProblem, NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, parse
from neondba.project.stack_variables import Use

if TYPE_CHECKING:
    from neondba.neon.models import Branch


@dataclass
class Place:
    """One environment as it is, and what is to be made."""

    environment: str
    branch_name: str
    role: RoleWanted
    plans: list[EnvPlan]
    branch: Branch | None = None
    owner: str = f"{DATABASE}_owner"
    login: ConnectionString | None = None
    """How the files lead there already."""
    direct_login: str | None = None
    """The role of the direct address in the files, whether it gets in or not."""
    makes_role: bool = False
    renews: bool = False
    """True where the role is there and no file holds its password."""
    takes_over: bool = False
    """True where the role becomes the owner of tables that are there: nobody else could change them."""
    parts_owner: bool = False
    """True where the owner's password is still that of the default branch: after a reset, for one."""
    is_production: bool = False
    seen: list[Verified] = field(default_factory=list)
    """What was verified before anything was done."""
    reach: Reach | None = None

    @property
    def role_name(self) -> str:
        """Give the role that the program logs in as."""
        return self.login.role or self.role.name if self.login else self.role.name

    @property
    def direct_role(self) -> str:
        """Give the role of the direct address."""
        found = next((p.logins[Use.DIRECT] for p in self.plans if Use.DIRECT in p.logins), None)
        if found is not None and found.role:
            return found.role
        if self.direct_login == self.role_name:
            return self.role_name
        return self.role_name if self.role.makes_tables else self.owner

    @property
    def database(self) -> str | None:
        """Give the database that the files name, whatever branch they lead to."""
        urls = [u for plan in self.plans if plan.there for u in plan.urls if u.endpoint_id is not None]
        return next((url.database for url in urls if url.database), None)

    @property
    def missing(self) -> bool:
        """True where a file is to be written."""
        return any(plan.missing for plan in self.plans)

    def steps(self, platform: Platform) -> list[str]:
        """Say what will be made."""
        said = []
        parent = platform.default.name if platform.default else DEFAULT_BRANCH
        if self.branch is None and not (self.is_production and platform.project is None):
            rows = "" if platform.project is None else ", with its schema and rows"
            said.append(
                f"Create branch {self.branch_name} of {parent}{rows}; the database's owner gets a password "
                "of its own there."
            )
        if self.parts_owner:
            said.append(f"Give {self.owner} a password of its own on {self.branch_name}: it has {parent}'s.")
        if self.renews and self.login is not None:
            said.append(
                f"Give role {self.role_name} on {self.branch_name} the password that the file holds; the one "
                "that it has there stops working."
            )
        elif self.renews:
            said.append(
                f"Give role {self.role_name} on {self.branch_name} a new password: no file here holds the "
                "old one, which stops working for whoever uses it."
            )
        elif self.makes_role:
            said.append(
                f"Create role {self.role_name} on {self.branch_name}: it {self.role.said}; no BYPASSRLS."
            )
            inherits = self.branch is None and platform.project is not None and self.role.makes_tables
            if self.takes_over or inherits:
                said.append(
                    f"Make {self.role_name} the owner of the tables there: nobody else could migrate."
                )
        return said

    def carry_out(self, ctx: Context, platform: Platform, undo: Undo) -> Reach:
        """Make the branch and the role, and connect.

        Raises:
            Problem: the platform refuses, or the new role cannot log in.
        """
        from neondba.postgres.connect import connect

        fresh = self.branch is None
        if self.is_production:
            self.branch = platform.default
        if self.branch is None:
            ctx.progress(f"Creating branch {self.branch_name}")
            self.branch = platform.make_branch(self.branch_name, undo)
        assert self.branch is not None
        if self.parts_owner:
            platform.reset_owner(self.branch, self.owner)
        self.owner, database, direct, pooled = platform.owner_urls(self.branch, self.database)
        password = self.login.password if self.login else None
        if self.makes_role or self.renews:
            from neondba.postgres.role_password import generated

            password = password or generated(ctx.chance)
            ctx.progress(f"Creating role {self.role_name}")
            with connect(direct) as session:
                if self.renews:
                    setup_roles.renew(session, self.role_name, password)
                else:
                    if not fresh:
                        undo.add(f"role {self.role_name} on {self.branch_name}", lambda: self._drop(direct))
                    setup_roles.make(session, self.role, password, self.owner, database)
        return self._reached(ctx, platform, direct, pooled, password)

    def _reached(
        self, ctx: Context, platform: Platform, direct: Secret, pooled: Secret, password: Secret | None
    ) -> Reach:
        role, straight = self.role_name, parse(direct)
        own = straight.with_role(role, password)
        through = parse(pooled).with_role(role, password)
        if self.login is not None and self.login.database:
            own, through = own.with_database(self.login.database), through.with_database(self.login.database)
        self.reach = Reach(through, own if self.direct_role == role else straight, _authority(ctx, platform))
        self.seen = [*setup_verify.verified(ctx, self.environment, self.reach)]
        return self.reach

    def _drop(self, direct: Secret) -> None:
        from neondba.postgres.connect import connect

        with connect(direct) as session:
            setup_roles.drop(session, self.role.name, self.owner)


def _authority(ctx: Context, platform: Platform) -> Path | None:
    if not platform.client.is_local:
        return None
    from neondba.local import launch

    running = launch.status(ctx.settings.state_dir)
    return Path(running.ca) if running else None


def place_of(
    ctx: Context, looked: Looked, platform: Platform, environment: str, branch: str, file: Path | None
) -> Place:
    """Look at one environment; log in where the files hold a login.

    Raises:
        Problem: the branch does not answer.
    """
    production = environment == "production"
    there = platform.default if production else platform.branch(branch)
    suffix = "" if environment == DEVELOPMENT else f".{environment}"
    plans = looked.env_plans(suffix, platform.endpoints_of(there), file)
    role = RoleWanted(
        f"app_{environment}", makes_tables=looked.makes_tables, shadow=looked.shadow and not suffix
    )
    name = there.name if there else (DEFAULT_BRANCH if production else branch)
    made = Place(environment, name, role, plans, there, is_production=production)
    made.login = next((p.logins[use] for use in (Use.POOLED,) for p in plans if use in p.logins), None)
    if there is None:
        made.makes_role = True
    elif made.login is not None:
        _try(ctx, platform, made)
    else:
        _search(ctx, platform, made)
    return made


def _try(ctx: Context, platform: Platform, place: Place) -> None:
    """Log in as the files say; a role that a reset has taken away is made again with its password."""
    assert place.login is not None
    direct = next((p.logins[Use.DIRECT] for p in place.plans if Use.DIRECT in p.logins), None)
    place.direct_login = direct.role if direct else None
    through = plain(place.login)
    reach = Reach(through, plain(direct) if direct else through.direct(), _authority(ctx, platform))
    try:
        place.seen.append(setup_verify.opened(ctx, place.environment, "pooled", reach.pooled))
    except (CredentialsProblem, NotFoundProblem):
        name = place.login.role
        if name is None or (name != place.role.name and platform.tells_password(place.branch, place.login)):
            raise
        # A role of another name, as one of `role create`, is let in the same way.
        place.role = replace(place.role, name=name)
        _see_role(platform, place)
        if direct is not None and (direct.role == name or (place.parts_owner and direct.role == place.owner)):
            # It has the same password from now on, or the owner another one.
            stale = direct.role != name or direct.password != place.login.password
            _make_stale(place, Use.DIRECT, stale=stale)
            return
    try:
        place.seen.append(setup_verify.opened(ctx, place.environment, "direct", reach.direct))
        place.reach = reach
    except (CredentialsProblem, NotFoundProblem):
        _make_stale(place, Use.DIRECT)


def _make_stale(place: Place, use: Use, *, stale: bool = True) -> None:
    if stale:
        place.plans = [replace(plan, stale=frozenset({use})) for plan in place.plans]


def _search(ctx: Context, platform: Platform, place: Place) -> None:
    """Without a login in the files: see whether the role is there."""
    ctx.progress(f"Looking at branch {place.branch_name}")
    _see_role(platform, place)


def _see_role(platform: Platform, place: Place) -> None:
    """See whether the role is there, and what else a new one finds on the branch."""
    from neondba.postgres.connect import connect

    assert place.branch is not None
    if not platform.endpoints_of(place.branch):
        # A role of an earlier set-up is seen when the compute is there.
        place.makes_role = True
        return
    place.owner, _, direct, _ = platform.owner_urls(place.branch, place.database)
    with connect(direct) as session:
        place.renews = setup_roles.exists(session, place.role.name)
        place.takes_over = place.role.makes_tables and setup_roles.owns_tables(session, place.owner)
    place.makes_role = not place.renews
    place.parts_owner = place.makes_role and platform.shares_owner(place.branch, direct)


def as_problem(problem: Problem, stands: list[str], renewed: list[str]) -> Problem:
    """Give the problem of a set-up that was taken back, with what stands all the same."""
    after = "What was made for it is gone again." if not stands else f"Still there: {'; '.join(stands)}."
    if renewed:
        after += f" {', '.join(renewed)} has a new password that no file holds: run neondba setup again."
    return type(problem)(
        problem.code, f"{problem.message} {after}", hint=problem.hint, **{**problem.facts, "stands": stands}
    )
