"""Write the code that tells each transaction who asks, in the project's own names."""

from __future__ import annotations

from neondba.access.plan_session_python import FILE, python_wiring
from neondba.access.plan_session_typescript import typescript_wiring
from neondba.access.plan_wiring import Wiring
from neondba.access.policies import Roles
from neondba.access.policies_text import Asker
from neondba.project.facts import Facts
from neondba.project.places import is_migration, is_test


def wiring(facts: Facts, roles: Roles, asker: Asker) -> Wiring:
    """Give the new files of the project's language, and how to wire them."""
    if place := _told_already(facts, asker):
        return Wiring(steps=(f"{place} tells Postgres who asks already: see that every session does.",))
    found = python_wiring(facts, asker)
    if not found.files:
        found = typescript_wiring(facts, asker, signs_in_apart=roles.sign_in is not None)
    if found.files or found.steps:
        return found
    return Wiring(
        steps=(
            "Tell each transaction who asks, as its first statement: "
            f"select set_config('{asker.setting}', $1, true)",
        )
    )


def _told_already(facts: Facts, asker: Asker) -> str:
    """Give the project's own file that sets the user in each transaction."""
    for path in facts.tree.having((".py", ".ts", ".mts", ".js"), ("set_config",)):
        ours = path.rpartition("/")[2].startswith((FILE, "user-prisma.", "user-drizzle."))
        if ours or is_test(path) or is_migration(path):
            continue
        if asker.setting in (facts.tree.text(path) or ""):
            return path
    return ""
