"""What the rules over policies share."""

from __future__ import annotations

import re
from functools import cache

from neondba.postgres.statement import Call, CreatePolicy
from neondba.postgres.statements import parse
from neondba.project.catalog_objects import Policy

ALWAYS = re.compile(r"^\(*\s*(true|1\s*=\s*1|'t'::boolean)\s*\)*$", re.IGNORECASE)
"""An expression that lets every row pass, as Postgres writes it back."""
_SAME_ALL_QUERY = re.compile(r"^(auth\.\w+|(pg_catalog\.)?current_setting)$")


def always(expression: str | None) -> bool:
    """Tell whether an expression lets every row pass."""
    return expression is not None and ALWAYS.match(expression) is not None


@cache
def calls(condition: str | None, check: str | None) -> tuple[Call, ...]:
    """Read the function calls in a policy's expressions."""
    text = "create policy p on t"
    text += f" using ({condition})" if condition else ""
    text += f" with check ({check})" if check else ""
    actions = [statement.action for statement in parse(text)]
    return tuple(call for action in actions if isinstance(action, CreatePolicy) for call in action.calls)


def calls_per_row(policy: Policy) -> list[str]:
    """Name functions that give the same answer for each row and are asked for each."""
    every = calls(policy.condition, policy.check)
    return [
        call.function
        for call in every
        if _SAME_ALL_QUERY.match(call.function) and not call.wrapped and not call.on_columns
    ]


def asks_for_user(policy: Policy) -> bool:
    """Tell whether a policy compares with the user of the request."""
    return any(_SAME_ALL_QUERY.match(call.function) for call in calls(policy.condition, policy.check))
