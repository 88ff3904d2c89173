"""What the nine verdicts say, and what they need before they say "met"."""

import pytest

from neondba.core.proof import Proof, Shown
from neondba.review.finding import Category, Evidence, Reported, Severity
from neondba.review.verdict import QUESTIONS, Sight, Standing, verdicts

HOLDING = [
    Proof(claim="migrations", shown=Shown.HOLDS, summary="3 of 3 revisions"),
    Proof(claim="isolation", shown=Shown.HOLDS, summary="2 of 2 tables"),
]


def finding(category: Category, severity: Severity = Severity.HIGH) -> Reported:
    return Reported(
        rule="NDB999", name="a-fault", category=category, severity=severity, path="a.py", line=1,
        message="It will break.", steps=[], snippet="", evidence=Evidence(),
    )  # fmt: skip


def standings(*findings: Reported, proofs: list[Proof] = HOLDING) -> dict[str, Standing]:
    return {v.title: v.standing for v in verdicts(findings, proofs, Sight())}


def test_there_are_five_duties_and_four_criteria() -> None:
    kinds = [v.kind for v in verdicts([], [], Sight())]
    assert (kinds.count("duty"), kinds.count("criterion")) == (5, 4)


def test_every_category_counts_against_something() -> None:
    assert set(Category) == set().union(*(q.categories for q in QUESTIONS))


@pytest.mark.parametrize("category", Category)
def test_a_finding_makes_what_it_concerns_not_met(category: Category) -> None:
    concerned = {q.title for q in QUESTIONS if category in q.categories}
    assert {t for t, s in standings(finding(category)).items() if s is Standing.NOT_MET} == concerned


def test_a_low_finding_stands_against_nothing() -> None:
    assert Standing.NOT_MET not in standings(finding(Category.SCHEMA, Severity.LOW)).values()


def test_isolation_without_a_proof_is_not_proven_and_says_how_to_prove_it() -> None:
    isolation = next(v for v in verdicts([], [], Sight()) if "only their own rows" in v.title)
    assert isolation.standing is Standing.NOT_PROVEN
    assert "--prove" in isolation.because


def test_a_failed_proof_is_not_met_even_without_a_finding() -> None:
    failed = [HOLDING[0], Proof(claim="isolation", shown=Shown.FAILS, summary="A reads B's tasks")]
    isolation = next(v for v in verdicts([], failed, Sight()) if "only their own rows" in v.title)
    assert (isolation.standing, isolation.because) == (Standing.NOT_MET, "shown: A reads B's tasks")


def test_what_was_shown_is_met() -> None:
    isolation = next(v for v in verdicts([], HOLDING, Sight()) if "only their own rows" in v.title)
    assert (isolation.standing, isolation.because) == (Standing.MET, "shown: 2 of 2 tables")


def test_production_is_never_met_from_files_alone() -> None:
    production = next(v for v in verdicts([], HOLDING, Sight()) if "production:" in v.title)
    assert production.standing is Standing.NOT_PROVEN
    assert "backups" in production.because


def test_silence_about_a_project_without_a_database_proves_nothing() -> None:
    given = verdicts([], [], Sight(database=False))
    assert {v.standing for v in given} == {Standing.NOT_PROVEN}


def test_what_could_not_be_looked_at_is_counted_beside_met() -> None:
    met = [v.because for v in verdicts([], HOLDING, Sight(gaps=2)) if v.standing is Standing.MET]
    assert "read: no finding; 2 places could not be looked at, see below" in met
