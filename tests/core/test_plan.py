"""When a plan waits for consent, and what its hash says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from neondba.core.plan import Effect, Plan, PlannedOnly, Target


def plan(
    effect: Effect = Effect.WRITE, steps: tuple[str, ...] = ("Go.",), *, protected: bool = False
) -> Plan:
    return Plan(operation="x.y", effect=effect, target=Target(branch="b", protected=protected), steps=steps)


@pytest.mark.parametrize(
    ("effect", "protected", "waits"),
    [
        (Effect.READ, True, False),
        (Effect.WRITE, False, False),
        (Effect.WRITE, True, True),
        (Effect.DESTROY, False, True),
    ],
)
def test_consent_follows_from_effect_and_target(effect: Effect, protected: bool, waits: bool) -> None:
    assert plan(effect, protected=protected).needs_confirmation is waits


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_plans_share_a_hash_only_when_they_are_equal(one: list[str], other: list[str]) -> None:
    first, second = plan(steps=tuple(one)), plan(steps=tuple(other))
    assert (first.hash == second.hash) == (one == other)
    assert len(first.hash) == 12


def test_every_part_of_a_plan_enters_its_hash() -> None:
    assert len({plan().hash, plan(Effect.DESTROY).hash, plan(protected=True).hash}) == 3


def test_what_was_measured_is_no_part_of_what_is_consented_to() -> None:
    slow, fast = (plan().model_copy(update={"measured": (took,)}) for took in ("2.0 s", "1.9 s"))
    assert slow.hash == fast.hash == plan().hash


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        plan().steps = ()


def test_stopping_at_the_plan_carries_it() -> None:
    assert PlannedOnly(plan()).plan == plan()
