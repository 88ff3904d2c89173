"""Every operation gives the same result or the same problem through all four surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from masking import difference, masked
from surfaces_under_test import REPOSITORY, SURFACES, Outcome, examples_through, quick, with_consent
from toys import TOYS

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.settings import Settings

T = TypeVar("T")
REAL = sorted(name for name in capabilities.load() if not name.startswith("toy."))


@pytest.fixture(scope="session")
def worlds(prepared: Callable[[], Path]) -> Iterator[dict[str, Context]]:
    """Give each surface a local Neon of its own with a project called parity."""
    folders = {surface: prepared() for surface in SURFACES}
    made = {surface: _context(folder) for surface, folder in folders.items()}
    try:
        at_once(lambda surface: _call("project.create", made[surface], name="parity", branch="main"))
        yield {surface: _context(folder, project="parity") for surface, folder in folders.items()}
    finally:
        at_once(lambda surface: _call("local.stop", made[surface]))


def at_once(work: Callable[[str], T]) -> dict[str, T]:
    """Do the work for all surfaces at the same time: each mostly waits for a database of its own."""
    with ThreadPoolExecutor(len(SURFACES)) as pool:
        return dict(zip(SURFACES, pool.map(work, SURFACES), strict=True))


def _context(folder: Path, project: str | None = None) -> Context:
    return Context(settings=Settings(state_dir=folder, project=project), folder=REPOSITORY)


def _call(name: str, ctx: Context, /, **arguments: object) -> None:
    outcome = with_consent("python", ctx, capabilities.load()[name], arguments)
    assert outcome.problem is None, outcome.shown


def check(operation: Operation, outcomes: dict[str, list[Outcome]]) -> None:
    """Hold each surface's outcomes against Python's and the examples."""
    for number, example in enumerate(quick(operation)):
        expected = outcomes["python"][number]
        assert expected.problem == example.problem, f"{operation.name} {dict(example.arguments)}"
        for surface, given in outcomes.items():
            where = f"{operation.name} {dict(example.arguments)} through {surface}"
            assert given[number].problem == expected.problem, f"{where}: {given[number].shown[:500]}"
            ours, theirs = masked(given[number].data), masked(expected.data)
            differs = difference(ours, theirs, beginning=given[number].beginning)
            assert differs is None, f"{where}: {differs}"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", REAL)
def test_an_operation_answers_the_same_everywhere(name: str, worlds: dict[str, Context]) -> None:
    operation = capabilities.load()[name]
    assert operation.examples, f"{name} has no example"
    check(operation, at_once(lambda surface: examples_through(surface, worlds[surface], operation)))


@pytest.mark.parametrize("name", [name for name, _, given in TOYS if given.get("examples")])
def test_a_toy_answers_the_same_everywhere(name: str, toys: dict[str, Operation], ctx: Context) -> None:
    check(toys[name], {surface: examples_through(surface, ctx, toys[name]) for surface in SURFACES})


def test_a_dry_run_gives_the_same_plan_everywhere(toys: dict[str, Operation], ctx: Context) -> None:
    ctx.dry_run = True
    plans = [SURFACES[surface](ctx, toys["toy.break"], {"name": "top"}).data for surface in SURFACES]
    assert plans[0]["steps"] == ["Break top.", "Sweep the floor."]
    assert [plan for plan in plans if plan != plans[0]] == []


def test_consent_to_an_older_plan_is_refused_everywhere(toys: dict[str, Operation], ctx: Context) -> None:
    ctx.confirmation = "0" * 12
    codes = {SURFACES[surface](ctx, toys["toy.break"], {"name": "top"}).problem for surface in SURFACES}
    assert codes == {"plan-changed"}
    assert list(ctx.journal.entries()) == []
