"""The table that `scripts/contract.py` wrote, with types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

Schema = Mapping[str, Any]
JSON: Final = "application/json"
OTHERWISE: Final = "default"
"""Stands for every status that is not listed."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of the path or the query."""

    name: str
    where: str
    required: bool
    schema: Schema


@dataclass(frozen=True)
class Operation:
    """An operation of the API."""

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    """Of a JSON body; None where there is none, or one of another kind."""
    body_required: bool = False
    responses: Mapping[str, Mapping[str, Schema]] = field(default_factory=dict)
    """By status, then by content type."""
    newer: bool = False
    """True where only the name, the method and the path are known."""

    def answer(self, status: int) -> Schema | None:
        """Give the schema of a JSON answer; None for an answer without a body or not foreseen."""
        kinds = self.responses.get(str(status), self.responses.get(OTHERWISE, {}))
        return kinds.get(JSON)

    def foresees(self, status: int) -> bool:
        """Tell whether the document speaks of this status."""
        return str(status) in self.responses or (OTHERWISE in self.responses and status >= 400)


@cache
def raw() -> dict[str, Any]:
    """Read the table as it is written."""
    text = files("neondba.local.contract").joinpath("operations.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def operations() -> Mapping[str, Operation]:
    """Give every operation by its id, the newer ones too."""
    known = [_operation(each) for each in raw()["operations"]]
    newer = [Operation(each["id"], each["method"], each["path"], newer=True) for each in raw()["newer"]]
    return {each.id: each for each in (*known, *newer)}


@cache
def component(name: str) -> Schema:
    """Give a named schema as JSON Schema, with what it refers to put in place."""
    return placed(raw()["schemas"][name])


def placed(schema: Mapping[str, Any]) -> Schema:
    """Turn a schema of the document into JSON Schema without references."""
    if "$ref" in schema:
        return component(schema["$ref"].rpartition("/")[2])
    made = {
        key: value for key, value in schema.items() if key not in ("nullable", "discriminator", "default")
    }
    if "properties" in made:
        made["properties"] = {name: placed(each) for name, each in made["properties"].items()}
    for key in ("allOf", "oneOf", "anyOf"):
        if key in made:
            made[key] = [placed(each) for each in made[key]]
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = placed(made[key])
    if "pattern" in made:
        made["pattern"] = _to_the_end(made["pattern"])
    return {"anyOf": [{"type": "null"}, made]} if schema.get("nullable") else made


def _to_the_end(pattern: str) -> str:
    """Let `$` mean the end, not also before a last line feed."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern


def _operation(told: Mapping[str, Any]) -> Operation:
    body = told.get("body", {})
    schema = body.get("content", {}).get(JSON)
    asked = (
        Parameter(each["name"], each["in"], each.get("required", False), placed(each["schema"]))
        for each in told["parameters"]
    )
    return Operation(
        told["id"],
        told["method"],
        told["path"],
        tuple(asked),
        None if schema is None else placed(schema),
        body.get("required", False),
        {
            status: {kind: placed(each) for kind, each in kinds.items()}
            for status, kinds in told["responses"].items()
        },
    )
