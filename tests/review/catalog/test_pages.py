"""Every page of a rule over a database is run on a real one: fault, finding, repair, silence."""

from __future__ import annotations

import pytest
from review_bench import Bench

from neondba.review.live_page import LiveCase, live_cases
from neondba.review.rule import Rule, rules

LIVE = [rule for rule in rules().values() if "```sql fault" in rule.page]
CASES = [
    pytest.param(rule, case, id=f"{rule.code}-{case.name}") for rule in LIVE for case in live_cases(rule.page)
]


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_the_fault_is_found_on_its_object_and_its_repair_is_silent(
    bench: Bench, rule: Rule, case: LiveCase
) -> None:
    for step in case.steps:
        bench.execute(step.sql, superuser=step.as_superuser)
        outcome = bench.outcome(rule.code, days=step.counted_days)
        assert outcome.not_checked == []
        assert {f.path.removeprefix("database:") for f in outcome.findings} == step.objects
        assert bool(step.objects) is (step.kind == "fault")
        for finding in outcome.findings:
            assert step.says in finding.message
            assert finding.severity == (step.severity or rule.severity) or step.severity == "any"
            assert finding.steps
            assert finding.evidence.kind == "shown"


@pytest.mark.parametrize("rule", LIVE, ids=lambda rule: rule.code)
def test_a_page_shows_a_fault_and_its_repair(rule: Rule) -> None:
    kinds = {step.kind for case in live_cases(rule.page) for step in case.steps}
    assert {"fault", "repair"} <= kinds
