"""What the project file says of columns: mask as a kind, keep with a reason, or give a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from neondba.core.problem import ArgumentProblem
from neondba.postgres.masking.columns import Column
from neondba.postgres.masking.kinds import MEANING, fits

LEAST_REASON: Final = 3


class Rule(BaseModel):
    """One line of the project file."""

    model_config = ConfigDict(frozen=True)

    where: str
    """schema.table.column"""
    kind: str | None = None
    keep: str | None = None
    """Why the column may stay as it is."""
    value: str | None = None
    """What stands in every row instead."""
    source: str = ""


def read(source: str, table: Mapping[str, Any]) -> dict[str, Rule]:
    """Read the rules of one file.

    Raises:
        ArgumentProblem: a line is none that is known.
    """
    found = {}
    for where, given in table.items():
        found[where] = _rule(source, where, given)
    return found


def _rule(source: str, where: str, given: Any) -> Rule:
    if where.count(".") < 2:
        raise _wrong(source, where, "name the column as schema.table.column")
    if isinstance(given, str):
        if given not in MEANING:
            raise _wrong(source, where, f"there is no mask {given}; there are {', '.join(MEANING)}")
        return Rule(where=where, kind=given, source=source)
    if isinstance(given, Mapping) and set(given) == {"keep"}:
        if not isinstance(given["keep"], str) or len(given["keep"].strip()) < LEAST_REASON:
            raise _wrong(source, where, "keep needs the reason why the column may stay")
        return Rule(where=where, keep=given["keep"].strip(), source=source)
    if isinstance(given, Mapping) and set(given) == {"value"}:
        value = given["value"]
        if isinstance(value, bool | int | float | str):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            return Rule(where=where, value=text, source=source)
    raise _wrong(source, where, 'write "KIND", { keep = "REASON" } or { value = "…" }')


def check(rule: Rule, column: Column) -> None:
    """Refuse a rule that its column's type cannot take.

    Raises:
        ArgumentProblem: with the kinds that fit.
    """
    if column.generated and rule.keep is None:
        raise _wrong(
            rule.source, rule.where, "it is generated: give rules for the columns that it comes from"
        )
    if rule.kind is None or rule.kind in fits(column):
        return
    known = ", ".join(fits(column)) or "none"
    raise _wrong(
        rule.source,
        rule.where,
        f"{rule.kind} does not fit {column.type}; what fits: {known}, keep or a value",
    )


def line(where: str, said: str) -> str:
    """Write a line for the project file."""
    return f"{json.dumps(where, ensure_ascii=False)} = {said}"


def _wrong(source: str, where: str, what: str) -> ArgumentProblem:
    return ArgumentProblem(
        "mask-rule-invalid",
        f"{source}: the rule for {where}: {what}.",
        hint="Correct it under [tool.neondba.mask] in pyproject.toml, or [mask] in neondba.toml.",
        column=where,
    )
