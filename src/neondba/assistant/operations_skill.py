"""The operations that list the skills and show their pages."""

from __future__ import annotations

import textwrap
from typing import Annotated

from pydantic import BaseModel, Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import NotFoundProblem


class SkillSummary(BaseModel):
    """A skill in the list of skills."""

    name: str
    description: str
    pages: tuple[str, ...]


class SkillList(BaseModel):
    """The skills."""

    skills: tuple[SkillSummary, ...]

    def as_text(self, width: int) -> str:
        """Give each skill's name, what it is for, and its pages."""
        lines = []
        for each in self.skills:
            pages = f"Pages: {', '.join(_short(page) for page in each.pages)}."
            lines.append(each.name)
            lines += textwrap.wrap(
                f"{each.description} {pages}", width, initial_indent="  ", subsequent_indent="  "
            )
        return "\n".join(lines)


class SkillPage(BaseModel):
    """A page of a skill as agents read it: figures in, sources named."""

    name: str
    page: str
    text: str
    pages: tuple[str, ...]
    """The skill's other pages."""

    def as_text(self, width: int) -> str:  # noqa: ARG002 - a page is prose; the terminal wraps it
        """Give the page as it is read in a terminal."""
        further = "".join(f"\n  neondba skill show {self.name} {page}" for page in self.pages)
        return f"{self.text.rstrip()}\n" + (f"\nFurther pages:{further}" if further else "")

    def as_markdown(self) -> str:
        """Give the page as a document."""
        return self.text


@operation("skill.list", effect=Effect.READ, examples=(Example(),))
def skill_list(ctx: Context) -> SkillList:
    """List the twelve skills that `ask` answers from and agents read."""
    from neondba.assistant.skill import skills

    return SkillList(
        skills=tuple(
            SkillSummary(name=each.name, description=each.description, pages=tuple(each.pages))
            for each in skills().values()
        )
    )


@operation(
    "skill.show",
    effect=Effect.READ,
    examples=(
        Example({"skill": "neon-prisma-orm", "page": "errors"}),
        Example({"skill": "neon-bread"}, problem="skill-not-found"),
    ),
)
def skill_show(
    ctx: Context,
    skill: Annotated[str, Field(description="Name of the skill, with or without neon- before it.")],
    page: Annotated[
        str, Field(description="One of its reference pages, such as errors; without it the skill itself.")
    ] = "",
) -> SkillPage:
    """Show a skill, or one of its reference pages, with its sources.

    Raises:
        NotFoundProblem: there is no such skill, or it has no such page.
    """
    from neondba.assistant.knowledge import published
    from neondba.assistant.skill import skills

    known = skills()
    found = known.get(skill) or known.get(f"neon-{skill}")
    if found is None:
        raise NotFoundProblem(
            "skill-not-found",
            f"There is no skill {skill}.",
            hint=f"The skills are: {', '.join(known)}.",
        )
    short = {_short(path): path for path in found.pages}
    path = short.get(_short(page)) if page else "SKILL.md"
    if path is None:
        raise NotFoundProblem(
            "page-not-found",
            f"{found.name} has no page {page}.",
            hint=f"Its pages are: {', '.join(short)}.",
        )
    others = () if page else tuple(short)
    return SkillPage(name=found.name, page=path, text=published(found.files[path]), pages=others)


def _short(path: str) -> str:
    return path.removeprefix("references/").removesuffix(".md")
