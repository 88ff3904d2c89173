"""Skills can be read without an agent: their list, a skill, one page of it."""

from __future__ import annotations

import pytest

from neondba.assistant.operations_skill import skill_list, skill_show
from neondba.assistant.skill import skills
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem


def test_every_skill_and_page_that_is_listed_is_shown() -> None:
    ctx = Context()
    listed = skill_list(ctx).skills
    assert max(map(len, skill_list(ctx).as_text(70).splitlines())) <= 70
    assert [each.name for each in listed] == list(skills())
    for each in listed:
        shown = skill_show(ctx, each.name)
        assert shown.text.startswith(f"---\nname: {each.name}\n")
        assert len(shown.pages) == len(each.pages)
        for page in (*shown.pages, *each.pages):
            assert "## " in skill_show(ctx, each.name, page).text


def test_a_page_is_shown_with_its_figures_and_without_our_notes() -> None:
    shown = skill_show(Context(), "connection-pooling", "limits")
    assert shown.page == "references/limits.md"
    assert "{{" not in shown.text
    assert "<!--" not in shown.text
    assert "neondba skill show neon-connection-pooling limits" in skill_show(
        Context(), "neon-connection-pooling"
    ).as_text(80)


def test_what_there_is_not_is_said_with_what_there_is() -> None:
    with pytest.raises(NotFoundProblem) as refused:
        skill_show(Context(), "neon-bread")
    assert "neon-prisma-orm" in str(refused.value.hint)
    with pytest.raises(NotFoundProblem) as refused:
        skill_show(Context(), "neon-prisma-orm", "bread")
    assert "migrations" in str(refused.value.hint)
