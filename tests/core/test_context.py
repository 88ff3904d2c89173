"""Consent, dry runs, progress, and the record of what became of a plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from neondba.core.context import Clock, Context
from neondba.core.plan import Effect, Plan, PlannedOnly, Target
from neondba.core.problem import ConfirmationNeeded, ConflictProblem
from neondba.core.settings import Settings


def plan(effect: Effect = Effect.WRITE, *, protected: bool = False) -> Plan:
    target = Target(project="shop", branch="main", role="app", protected=protected)
    return Plan(operation="cup.break", effect=effect, target=target, steps=("Drop it.",))


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path))


def outcomes(ctx: Context) -> list[str]:
    return [entry.outcome for entry in ctx.journal.entries()]


def test_a_write_is_done_and_recorded(ctx: Context) -> None:
    with ctx.carry_out(plan()):
        pass
    assert outcomes(ctx) == ["done"]


def test_a_dry_run_does_and_records_nothing(ctx: Context) -> None:
    ctx.dry_run = True
    with pytest.raises(PlannedOnly) as caught, ctx.carry_out(plan()):
        raise AssertionError("the body ran")
    assert caught.value.plan == plan()
    assert outcomes(ctx) == []


@pytest.mark.parametrize("waiting", [plan(Effect.DESTROY), plan(protected=True)])
def test_what_cannot_be_undone_or_is_protected_waits_for_consent(ctx: Context, waiting: Plan) -> None:
    with pytest.raises(ConfirmationNeeded) as caught, ctx.carry_out(waiting):
        raise AssertionError("the body ran")
    assert caught.value.code == "confirmation-needed"
    assert caught.value.facts["hash"] == waiting.hash
    assert Plan.model_validate(caught.value.facts["plan"]) == waiting
    assert outcomes(ctx) == []


def test_the_hash_of_the_plan_is_consent(ctx: Context) -> None:
    ctx.confirmation = plan(Effect.DESTROY).hash
    with ctx.carry_out(plan(Effect.DESTROY)):
        pass
    assert outcomes(ctx) == ["done"]


def test_consent_to_another_plan_is_none(ctx: Context) -> None:
    ctx.confirmation = plan().hash
    ctx.ask = lambda _plan: True
    with pytest.raises(ConfirmationNeeded) as caught, ctx.carry_out(plan(Effect.DESTROY)):
        raise AssertionError("the body ran")
    assert caught.value.code == "plan-changed"


@pytest.mark.parametrize("agrees", [True, False])
def test_a_person_who_can_be_asked_decides(ctx: Context, agrees: bool) -> None:
    ctx.ask = lambda _plan: agrees
    if agrees:
        with ctx.carry_out(plan(Effect.DESTROY)):
            pass
    else:
        with pytest.raises(ConfirmationNeeded), ctx.carry_out(plan(Effect.DESTROY)):
            raise AssertionError("the body ran")
    assert outcomes(ctx) == (["done"] if agrees else [])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ConflictProblem("cup-in-use", "It is full."), "cup-in-use"),
        (ValueError("slip"), "ValueError"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_what_ended_the_body_is_recorded(ctx: Context, error: BaseException, outcome: str) -> None:
    with pytest.raises(type(error)), ctx.carry_out(plan()):
        raise error
    assert outcomes(ctx) == [outcome]


def test_progress_reaches_the_listener(ctx: Context) -> None:
    heard: list[tuple[str, float | None]] = []
    ctx.progress("nobody hears this")
    ctx.listener = lambda message, done: heard.append((message, done))
    ctx.progress("half", 0.5)
    assert heard == [("half", 0.5)]


def test_progress_is_where_a_cancelled_operation_stops(ctx: Context) -> None:
    ctx.cancelled = lambda: True
    with pytest.raises(KeyboardInterrupt):
        ctx.progress("on")


def test_the_clock_tells_the_time() -> None:
    clock = Clock()
    before = clock.monotonic()
    clock.sleep(0)
    assert clock.monotonic() >= before
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60
