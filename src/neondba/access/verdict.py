"""What the tries mean for a table."""

from __future__ import annotations

from typing import Any

from neondba.access.results import Protection, TableProof
from neondba.postgres.acting import Case, Seen
from neondba.postgres.roles import Role


class Guard:
    """What the catalog says stands between a role and a table."""

    def __init__(self, row: dict[str, Any], role: Role) -> None:
        self.enabled = bool(row["enabled"])
        self.forced = bool(row["forced"])
        self.owner = str(row["owner"])
        self.owns = bool(row["owns"])
        self.can_truncate = bool(row["can_truncate"])
        self.privileges = [word for word in ("select", "insert", "update", "delete") if row[f"can_{word}"]]
        self.policies: list[dict[str, Any]] = list(row["policies"])
        self._role = role

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the table's policies."""
        return tuple(str(policy["name"]) for policy in self.policies)

    @property
    def roles(self) -> set[str]:
        """Roles that policies are made for by name."""
        return {str(role) for policy in self.policies for role in policy["roles"]}

    @property
    def made_for_others(self) -> str:
        """Name the roles that all policies are made for, where none of them is this one or inherited."""
        if self.passed_by or any(policy["applies"] for policy in self.policies):
            return ""
        return ", ".join(sorted(self.roles))

    @property
    def expressions(self) -> str:
        """All expressions of the policies."""
        return "\n".join(str(policy[k]) for policy in self.policies for k in ("using", "check") if policy[k])

    @property
    def passed_by(self) -> str | None:
        """Say why row-level security does not apply to the role here, if it does not."""
        own = passes_by(self._role)
        if own is None and self.owns and not self.forced:
            return f"it owns {self.owner}'s tables and the table does not force row-level security"
        return own


def passes_by(role: Role) -> str | None:
    """Say why row-level security does not exist for a role, if it does not."""
    if role.superuser:
        return "it is a superuser"
    return "it carries BYPASSRLS" if role.bypasses else None


def protection(guard: Guard, seen: Seen) -> Protection:
    """Give what protects the table: by the tries first, by the catalog second."""
    if seen.open:
        if not guard.policies and not guard.enabled:
            return Protection.APPLICATION_ONLY
        if not guard.enabled:
            return Protection.DISABLED
        return Protection.BYPASSED if guard.passed_by else Protection.LEAKS
    if seen.denied:
        return Protection.NO_PRIVILEGE
    return Protection.POLICY if seen.own_visible else Protection.UNCLEAR


def judged(case: Case, guard: Guard, seen: Seen, role: str) -> TableProof:
    """Give the verdict on one table."""
    kind = protection(guard, seen)
    sentences = [_sentence(kind, guard, seen, role)]
    if seen.without_user and kind.holds:
        sentences.append("But with no user set at all, rows are read: set one, or refuse.")
    if guard.can_truncate and kind.holds:
        sentences.append(f"But {role} may TRUNCATE it, and no policy applies to that.")
    return TableProof(
        table=case.shape.name,
        owner_column=case.owner.name,
        protection=kind,
        policies=guard.names,
        sentences=tuple(sentences),
        attempts=seen.attempts,
        without_user=seen.without_user,
        truncate_granted=guard.can_truncate,
    )


def _sentence(kind: Protection, guard: Guard, seen: Seen, role: str) -> str:
    policies = _listed("policy", "policies", guard.names)
    done = ", ".join(attempt.action.value for attempt in seen.open)
    match kind:
        case Protection.POLICY:
            return f"Protected by {policies}." if guard.names else "Protected: no policy lets a row through."
        case Protection.NO_PRIVILEGE:
            return f"{role} has no privilege on it."
        case Protection.APPLICATION_ONLY:
            return (
                "Nothing in the database stops it: the application's filter is the only protection, and it"
                " is not proven here."
            )
        case Protection.BYPASSED:
            return f"{policies.capitalize()} exists but does not apply to {role}: {guard.passed_by}."
        case Protection.DISABLED:
            return f"{policies.capitalize()} exists, but row-level security is not enabled on the table."
        case Protection.LEAKS:
            return f"{policies.capitalize() or 'Row-level security'} applies and lets it through: {done}."
        case Protection.UNCLEAR if guard.made_for_others:
            return (
                f"{policies.capitalize()} {_are(guard.names)} made for {guard.made_for_others}, which {role}"
                " neither is nor inherits: with no policy of its own it reaches no row, not even A's."
            )
        case Protection.UNCLEAR:
            return "A does not reach A's own rows either: how the policy learns the user is unclear."


def _are(names: tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(one: str, several: str, names: tuple[str, ...]) -> str:
    return f"{one if len(names) == 1 else several} {', '.join(names)}" if names else ""
