"""Choose the roles that the policies are made for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from neondba.access.plan_decisions import Decision, Kind
from neondba.access.plan_login import EnvLogin
from neondba.access.plan_present import Present
from neondba.access.policies import Roles
from neondba.core.problem import ConflictProblem

if TYPE_CHECKING:
    from neondba.access.plan import Asked

USUAL: Final = "app"


def chosen_roles(
    asked: Asked,
    present: Present,
    before: Collection[str],
    decisions: Mapping[str, Decision],
    login: EnvLogin | None = None,
) -> Roles:
    """Take the role that is asked for, that policies here name, that migrations make, or that logs in.

    Raises:
        ConflictProblem: it passes row-level security by.
    """
    ours = present.role_of("select")
    there = login.role if login is not None and login.is_plain else None
    app = asked.role or ours or present.named_role() or _made(present, before) or there or USUAL
    admin = asked.admin or present.role_of("admin")
    provided = any(d.kind is Kind.SIGN_IN for d in decisions.values())
    for name in (app, admin):
        found = present.roles.get(name or "")
        if found is not None and (found.superuser or found.bypasses):
            said = "is a superuser" if found.superuser else "carries BYPASSRLS"
            raise ConflictProblem(
                "role-too-powerful",
                f"Role {name} {said}: row-level security does not exist for it.",
                hint="Name another one with --role; the migration makes it. Roles made over Neon's API "
                "carry BYPASSRLS.",
                role=name,
            )
    return Roles(app, admin, f"{app}_sign_in" if provided else None)


def _made(present: Present, before: Collection[str]) -> str | None:
    """Give the one role that the project's migrations make for an application."""
    made = [
        name
        for name, role in present.roles.items()
        if name not in before and role.can_login and not role.bypasses and not role.superuser
    ]
    return made[0] if len(made) == 1 else None
