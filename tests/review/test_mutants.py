"""Sabotaged rules do not pass their own pages: `scripts/mutate.py` tries many more."""

import random

import mutate
import pytest

TEN = random.Random(2026).sample(mutate.mutable(), 10)


@pytest.mark.parametrize("rule", TEN, ids=lambda rule: rule.code)
def test_a_check_that_finds_nothing_is_noticed(rule: mutate.Rule) -> None:
    (mutant,) = [m for m in mutate.mutants(rule) if m.what == "the check returns nothing"]
    assert mutate.passes(rule, mutate.own_cases(rule))
    assert mutate.is_noticed(mutant)


def test_a_mutant_leaves_the_real_rule_alone() -> None:
    before = mutate.rules()
    assert mutate.is_noticed(mutate.mutants(TEN[0])[0]) in (True, False)
    assert mutate.rules() is before
    assert mutate.registry._rules[TEN[0].code] is TEN[0]
