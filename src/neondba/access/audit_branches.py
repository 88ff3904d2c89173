"""Which branches take the same password for a role: a new branch copies the roles of its parent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from neondba.access.audit_results import Danger, RoleFinding
from neondba.access.audit_who import Who, listed, read
from neondba.core.problem import Problem
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project

MOST: Final = 20
"""Branches whose passwords are compared; each role of each is one call."""


def shared_by_branches(
    who: Who, client: NeonClient, project: Project, branch: Branch
) -> Iterator[RoleFinding]:
    """Find roles of a branch whose password opens other branches too."""
    there = [each for each in client.branches(project.id) if each.id != branch.id]
    if not there:
        return
    if not project.store_passwords:
        who.not_checked.append(
            "Which branches share passwords: this project stores none, so they cannot be compared. A branch "
            "begins with its parent's."
        )
        return
    mine = _passwords(client, project, branch)
    unknown = [role for role in who.logins if role not in mine]
    same: dict[str, list[Branch]] = defaultdict(list)
    for other in there[:MOST]:
        theirs = _passwords(client, project, other, set(mine))
        for role, password in mine.items():
            if theirs.get(role) == password:
                same[role].append(other)
    for role, others in same.items():
        yield _shared(who, role, branch, others)
    if len(there) > MOST:
        who.not_checked.append(f"Whether {len(there) - MOST} more branches take the same passwords.")
    if unknown:
        who.not_checked.append(
            f"Whether {listed(unknown)} have the same password on other branches: the API knows no passwords "
            "of roles made by SQL. A branch begins with its parent's."
        )


def _shared(who: Who, role: str, branch: Branch, others: list[Branch]) -> RoleFinding:
    names = listed((each.name for each in others), 5)
    held = branch.protected or branch.default or any(each.protected or each.default for each in others)
    child = next((each.name for each in others if not each.default and not each.protected), branch.name)
    return RoleFinding(
        code="password-shared-by-branches",
        danger=Danger.MEDIUM if held else Danger.LOW,
        said=f"{role} has the very same password on {branch.name} and on {names}: a branch is made with its "
        "parent's roles, so who has the connection string of one needs only the other's host name.",
        roles=(role,),
        evidence=(read("The API reveals one password for all of them; compared in memory, not shown."),),
        mend=(f"{who.rotation(role)} --branch {child}",),
        then=f"Connections to {child} with the old password are refused; the other branches stay as they "
        "are. A branch of a protected branch gets new passwords by itself.",
    )


def _passwords(
    client: NeonClient, project: Project, branch: Branch, wanted: set[str] | None = None
) -> dict[str, Secret]:
    found: dict[str, Secret] = {}
    try:
        names = [each.name for each in client.roles(project.id, branch.id)]
    except Problem:
        return {}
    for name in names:
        if wanted is not None and name not in wanted:
            continue
        try:
            found[name] = client.reveal_password(project.id, branch.id, name)
        except Problem:
            continue
    return found
