"""The registry: what a definition becomes, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from neondba.core import operation as core
from neondba.core.context import Context
from neondba.core.operation import Example, find, operation, registered
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem
from neondba.core.settings import Settings


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Cup(BaseModel):
    name: str
    size: Size


Name = Annotated[str, Field(description="Name of the cup.", min_length=1)]
Sized = Annotated[Size, Field(description="How much it holds.")]


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    before = dict(core._registry)
    yield
    core._registry.clear()
    core._registry.update(before)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path))


def define(name: str = "cup.fill_up", effect: Effect = Effect.READ) -> core.Operation:
    @operation(name, effect=effect, examples=(Example({"name": "blue"}),), featured=True)
    def fill(ctx: Context, name: Name, *, size: Sized = Size.SMALL) -> Cup:
        """Fill a cup.

        To the brim.
        """
        return Cup(name=name, size=size)

    return registered()[name]


def test_a_definition_becomes_every_surface_s_name() -> None:
    made = define()
    assert (made.words, made.tool, made.path) == (("cup", "fill-up"), "cup_fill_up", "/v1/cup/fill-up")
    assert (made.summary, made.description) == ("Fill a cup.", "To the brim.")
    assert made.featured
    assert made.examples[0].arguments == {"name": "blue"}
    assert made.findings(None) == 0


def test_parameters_before_the_star_are_positional() -> None:
    first, second = define().parameters
    assert (first.name, first.positional, first.required, first.default) == ("name", True, True, None)
    assert (second.name, second.positional, second.required) == ("size", False, False)
    assert (second.default, second.description) == (Size.SMALL, "How much it holds.")


def test_the_schema_comes_from_the_signature() -> None:
    schema = define().arguments.model_json_schema()
    assert schema["required"] == ["name"]
    assert schema["properties"]["name"]["minLength"] == 1
    assert schema["properties"]["size"]["default"] == "small"


def test_a_call_checks_and_converts_its_arguments(ctx: Context) -> None:
    assert define().call(ctx, {"name": "blue", "size": "large"}) == Cup(name="blue", size=Size.LARGE)


def test_the_function_itself_stays_callable(ctx: Context) -> None:
    assert define().function(ctx, "red") == Cup(name="red", size=Size.SMALL)


@pytest.mark.parametrize(
    ("arguments", "blamed"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "size": "huge"}, "size"),
        ({"name": "x", "lid": 1}, "lid"),
    ],
)
def test_wild_arguments_are_refused_by_name(ctx: Context, arguments: dict[str, object], blamed: str) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        define().call(ctx, arguments)
    assert caught.value.code == "argument-invalid"
    assert caught.value.facts == {"operation": "cup.fill_up", "argument": blamed}
    assert caught.value.message.startswith(f"cup.fill_up: {blamed}: ")
    assert "neondba cup fill-up --help" in str(caught.value.hint)


def test_a_refusal_that_names_no_argument_blames_them_all(ctx: Context) -> None:
    from pydantic import ValidationError
    from pydantic_core import InitErrorDetails

    error = ValidationError.from_exception_data("x", [InitErrorDetails(type="missing", loc=(), input=1)])
    assert define()._refused(error).facts["argument"] == "arguments"


def test_an_operation_without_arguments_says_so(ctx: Context) -> None:
    @operation("cup.count", effect=Effect.READ)
    def count(ctx: Context) -> int:
        """Count the cups."""
        return 3

    found = registered()["cup.count"]
    assert found.call(ctx, {}) == 3
    assert found.dump(3) == 3
    with pytest.raises(ArgumentProblem, match="extra") as caught:
        found.call(ctx, {"extra": 1})
    assert str(caught.value.hint).startswith("It takes: none.")


def test_a_dry_run_gives_the_plan_as_result(ctx: Context) -> None:
    plan = Plan(operation="cup.break", effect=Effect.WRITE, target=Target(), steps=("Drop it.",))

    @operation("cup.break", effect=Effect.WRITE)
    def break_cup(ctx: Context) -> Cup:
        """Break a cup."""
        with ctx.carry_out(plan):
            return Cup(name="gone", size=Size.SMALL)

    found = registered()["cup.break"]
    ctx.dry_run = True
    assert found.call(ctx, {}) == plan
    assert found.dump(plan)["steps"] == ["Drop it."]
    ctx.dry_run = False
    assert found.dump(found.call(ctx, {})) == {"name": "gone", "size": "small"}


def test_two_operations_cannot_share_a_name() -> None:
    define()
    with pytest.raises(ConflictProblem, match=r"cup\.fill_up"):
        define()


def test_a_parameter_without_a_description_is_refused() -> None:
    def plain(ctx: Context, name: str) -> Cup:
        """Do it."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="name needs Annotated"):
        operation("cup.plain", effect=Effect.READ)(plain)


def test_a_parameter_without_a_type_is_refused() -> None:
    def untyped(ctx: Context, name) -> Cup:
        """Do it."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="name needs Annotated"):
        operation("cup.untyped", effect=Effect.READ)(untyped)


def test_a_missing_result_type_is_refused() -> None:
    def endless(ctx: Context):
        """Do it."""

    with pytest.raises(TypeError, match="result type"):
        operation("cup.endless", effect=Effect.READ)(endless)


@pytest.mark.parametrize("doc", [None, "", "x" * 81])
def test_a_summary_that_does_not_fit_a_line_is_refused(doc: str | None) -> None:
    def silent(ctx: Context) -> Cup:
        raise NotImplementedError

    silent.__doc__ = doc
    with pytest.raises(TypeError, match="1 to 80"):
        operation("cup.silent", effect=Effect.READ)(silent)


@pytest.mark.parametrize("name", ["cup.fill_up", "cup fill-up", "cup_fill_up", " cup.fill-up "])
def test_an_operation_is_found_by_each_of_its_names(name: str) -> None:
    made = define()
    assert find(name) is made


def test_a_near_miss_suggests_the_operation() -> None:
    define()
    with pytest.raises(NotFoundProblem) as caught:
        find("cup.fil")
    assert caught.value.hint == "Did you mean cup.fill_up?"


def test_a_wild_name_points_to_the_list() -> None:
    with pytest.raises(NotFoundProblem) as caught:
        find("zzzzzzzz")
    assert caught.value.hint == "neondba operation list shows all of them."


def test_operations_are_listed_by_name() -> None:
    define("cup.b")
    define("cup.a")
    names = list(registered())
    assert names == sorted(names)
