"""What every operation owes the people who read its help."""

from __future__ import annotations

import jsonschema
import pytest
from pydantic import TypeAdapter

from neondba import capabilities
from neondba.core.operation import Operation
from neondba.surfaces import index, options, render, shape, tools

OPERATIONS = capabilities.load()
_NOT_IMPERATIVE = ("this ", "the ", "a ", "an ", "it ", "returns ", "gets ", "lists ", "shows ", "creates ")


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)
def test_an_operation_is_well_described(operation: Operation) -> None:
    assert len(operation.summary) <= 80
    assert operation.summary[0].isupper()
    assert operation.summary.endswith(".")
    first = operation.summary.split()[0]
    assert not operation.summary.lower().startswith(_NOT_IMPERATIVE)
    assert not first.endswith(("ing", "ed"))
    for parameter in operation.parameters:
        assert parameter.description[0].isupper(), parameter.name
        assert parameter.description.rstrip().endswith((".", "?")), parameter.name


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)
def test_an_operation_s_schemas_are_valid(operation: Operation) -> None:
    jsonschema.Draft202012Validator.check_schema(operation.arguments.model_json_schema())
    jsonschema.Draft202012Validator.check_schema(tools.schema(operation))
    TypeAdapter(operation.result).json_schema(mode="serialization")


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)
def test_the_slim_schema_accepts_every_good_example(operation: Operation) -> None:
    validator = jsonschema.Draft202012Validator(tools.schema(operation))
    for example in operation.examples:
        if example.problem is None:
            validator.validate({**example.arguments})


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)
def test_no_parameter_hides_an_option_of_every_command(operation: Operation) -> None:
    taken = {argument.name for argument in options.RUNNING} | {"help", "version", "ctx"}
    assert taken & {parameter.name for parameter in operation.parameters} == set()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)
def test_an_operation_s_result_can_be_shown_as_text_and_json(operation: Operation) -> None:
    assert {"terminal", "json"} <= set(render.formats(operation))
    assert shape.usage("x", shape.arguments_of(operation)).startswith("x")


def test_names_stay_apart_on_every_surface() -> None:
    for derived in ("tool", "path", "words"):
        names = [getattr(operation, derived) for operation in OPERATIONS.values()]
        assert len(set(names)) == len(names)
    assert {one["name"] for one in tools.OWN} & {operation.tool for operation in OPERATIONS.values()} == set()


def test_the_index_names_exactly_what_is_registered() -> None:
    index.listed.cache_clear()
    listed = {item.name: (item.summary, item.words) for item in index.listed().values()}
    assert listed == {name: (one.summary, one.words) for name, one in OPERATIONS.items()}
