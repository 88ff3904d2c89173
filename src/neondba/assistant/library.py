"""What can be read by its address: skills and their pages, rules, where the user stands."""

from __future__ import annotations

from neondba.assistant.knowledge import published
from neondba.assistant.place import place
from neondba.assistant.skill import skills
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem

HERE = "project"
"""Address of where the user stands; the only one that is JSON."""
ADDRESSES = {
    "rule/{code}": "Why a rule's finding matters, and what to write instead.",
    "skill/{name}/{+page}": "A reference page of a skill.",
}
"""Addresses that take a name."""


def text(ctx: Context, address: str) -> str | None:
    """Give what an address such as `skill/neon-prisma-orm` or `rule/NDB405` holds; None if nothing."""
    if address == HERE:
        return place(ctx).model_dump_json(indent=1)
    kind, _, rest = address.partition("/")
    if kind == "rule" and rest:
        return _rule(ctx, rest)
    name, _, page = rest.partition("/")
    skill = skills().get(name) if kind == "skill" else None
    found = skill.files.get(page or "SKILL.md") if skill else None
    return None if found is None else published(found)


def _rule(ctx: Context, code: str) -> str | None:
    from neondba.review.operations import rule_show

    try:
        return rule_show(ctx, code).as_markdown()
    except NotFoundProblem:
        return None
