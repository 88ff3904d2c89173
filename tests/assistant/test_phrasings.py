"""Phrasings kept apart from the skills: each belongs to a passage, and to one skill only."""

from __future__ import annotations

from neondba.assistant.passage import passages, phrasings


def test_every_phrasing_belongs_to_a_passage_that_exists() -> None:
    assert phrasings()
    assert phrasings().keys() <= {passage.address for passage in passages()}


def test_a_passage_is_asked_by_its_own_questions_and_by_the_phrasings() -> None:
    for passage in passages():
        assert set(phrasings().get(passage.address, ())) <= set(passage.asked)
    assert any(set(passage.asked) - set(phrasings().get(passage.address, ())) for passage in passages())


def test_no_phrasing_leads_to_two_skills() -> None:
    skills: dict[str, set[str]] = {}
    for address, texts in phrasings().items():
        for text in texts:
            skills.setdefault(text.lower(), set()).add(address.split("/")[0])
    assert {text: found for text, found in skills.items() if len(found) > 1} == {}
