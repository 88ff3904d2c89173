"""Check requests, and in tests answers, against the table. Validators are made once per operation."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from neondba.local.contract import formats
from neondba.local.contract.sentences import sentence
from neondba.local.contract.table import Operation, Parameter, Schema, operations

WHOLE: Final = re.compile(r"-?[0-9]{1,20}\Z")
TRUTH: Final = {"true": "true", "1": "true", "false": "false", "0": "false"}


class Invalid(ValueError):
    """A request that does not fit; the text names the field and what is allowed."""


class Checker:
    """Checks the requests of one operation."""

    def __init__(self, operation: Operation) -> None:
        self._query = [each for each in operation.parameters if each.where == "query"]
        self._path = [each for each in operation.parameters if each.where == "path"]
        self._validators = {each.name: _validator(each.schema) for each in operation.parameters}
        self._body = None if operation.body is None else _validator(operation.body)
        self._body_required = operation.body_required
        self.reads_body = self._body is not None or not operation.method or operation.newer

    def path(self, given: Mapping[str, str]) -> None:
        """Check the parameters of the path."""
        for each in self._path:
            self._parameter(each, given[each.name])

    def query(self, given: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Check the query; give it with one text each: lists with commas, truth as true or false."""
        listed: dict[str, list[str]] = {}
        for name, text in given:
            listed.setdefault(name, []).append(text)
        plain = {name: texts[-1] for name, texts in listed.items()}
        for each in self._query:
            if each.name not in listed:
                if each.required:
                    raise Invalid(f"parameter {each.name} is required")
                continue
            if each.schema.get("type") == "array":
                plain[each.name] = ",".join(text for text in listed[each.name] if text)
            elif each.schema.get("type") == "boolean":
                plain[each.name] = TRUTH.get(plain[each.name].lower(), plain[each.name])
            self._parameter(each, plain[each.name])
        return plain

    def body(self, given: Any | None) -> None:
        """Check the body; None is an absent one.

        Raises:
            Invalid: with a sentence about the first thing wrong.
        """
        if self._body is None or (given is None and not self._body_required):
            return
        wrong = _first(self._body, {} if given is None else given)
        if wrong is not None:
            raise Invalid(sentence(wrong, "the request body"))

    def _parameter(self, parameter: Parameter, text: str) -> None:
        wrong = _first(self._validators[parameter.name], _value(parameter.schema, text))
        if wrong is not None:
            raise Invalid(sentence(wrong, f"parameter {parameter.name}"))


@cache
def checker(operation_id: str) -> Checker:
    """Give an operation's checker; one that is not in the table is not checked."""
    unknown = Operation(operation_id, "", "")
    return Checker(operations().get(operation_id, unknown))


def answer_fault(operation_id: str, status: int, body: Any) -> str | None:
    """Say how an answer differs from what the document foresees; None if it does not."""
    operation = operations().get(operation_id)
    if operation is None or operation.newer:
        return None
    if not operation.foresees(status):
        return f"status {status} is not foreseen"
    wrong = next(iter(_answer(operation_id, status).iter_errors(body)), None)
    return None if wrong is None else f"{wrong.json_path}: {wrong.message}"


@cache
def _answer(operation_id: str, status: int) -> Any:
    schema = operations()[operation_id].answer(status)
    return _validator({} if schema is None else schema)


def _value(schema: Schema, text: str) -> Any:
    """Read a parameter's text as what its schema wants; what cannot be read stays text, and is refused."""
    kind = schema.get("type")
    if kind == "array":
        return [part for part in text.split(",") if part]
    if kind == "integer" and WHOLE.match(text):
        return int(text)
    if kind == "number":
        return _number(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _number(text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def _validator(schema: Schema) -> Any:
    return _class()(schema, format_checker=_formats())


@cache
def _class() -> Any:
    kinds = Draft202012Validator.TYPE_CHECKER.redefine("integer", formats.is_integer)
    return validators.extend(Draft202012Validator, type_checker=kinds)


@cache
def _formats() -> FormatChecker:
    made = FormatChecker(formats=())
    for name, test in formats.TESTS.items():
        made.checks(name)(test)
    return made


def _first(validator: Any, value: Any) -> ValidationError | None:
    wrong = next(validator.iter_errors(value), None)
    while wrong is not None and wrong.context:
        wrong = max(wrong.context, key=lambda each: (len(each.absolute_path), each.validator_value != "null"))
    return wrong
