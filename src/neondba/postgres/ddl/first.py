"""Decide by the two forms of an object alone whether one can be altered into the other."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from neondba.postgres.ddl import change, values
from neondba.postgres.ddl.schema import changed
from neondba.postgres.ddl.values import Column, Table, Value


class Verdict(StrEnum):
    """What becomes of a unit."""

    KEEP = "keep"
    ALTER = "alter"
    MAKE = "make"
    DROP = "drop"
    REBUILD = "rebuild"
    """Dropped, and made anew."""
    SWAP = "swap"
    """A type: set aside under another name until its columns have moved to the new one."""


def first(before: Value, after: Value, major: int) -> Verdict:
    """Decide for two forms that differ, on a server of some release."""
    if isinstance(before, Column) and isinstance(after, Column):
        return Verdict.ALTER if _column_alters(before, after, major) else Verdict.REBUILD
    judge = _JUDGES.get(type(after))
    if judge is None or judge(before, after):
        return Verdict.ALTER
    return Verdict.SWAP if isinstance(after, TYPES) else Verdict.REBUILD


def retyped(before: Column, after: Column) -> bool:
    """Tell whether a column changes its type or collation."""
    return (before.type, before.collation) != (after.type, after.collation)


def _column_alters(before: Column, after: Column, major: int) -> bool:
    if before.inherited or after.inherited:
        return True
    if before.generated == after.generated and before.virtual == after.virtual:
        return True
    if after.generated is None:
        return not before.virtual
    kept = before.generated is not None and before.virtual == after.virtual
    return kept and major >= 17 and not retyped(before, after)


def _view_alters(before: values.View, after: values.View) -> bool:
    if before.materialized != after.materialized:
        return False
    if before.definition == after.definition:
        return True
    old = [(name, kind) for name, kind, _ in before.columns]
    new = [(name, kind) for name, kind, _ in after.columns]
    return not after.materialized and new[: len(old)] == old


def _function_alters(before: values.Function, after: values.Function) -> bool:
    if before.type == "AGGREGATE" or after.type == "AGGREGATE":
        return (before.definition, before.type) == (after.definition, after.type)
    return (before.type, before.arguments, before.result) == (after.type, after.arguments, after.result)


def _domain_alters(before: values.Domain, after: values.Domain) -> bool:
    return (before.type, before.collation) == (after.type, after.collation)


def _range_alters(before: values.Range, after: values.Range) -> bool:
    return changed(before, after).keys() <= {"comment", "grants", "owner"}


def _table_alters(before: Table, after: Table) -> bool:
    return before.partition_by == after.partition_by


def _constraint_alters(before: values.Constraint, after: values.Constraint) -> bool:
    loosened = before.validated and not after.validated
    return (before.definition, before.type) == (after.definition, after.type) and not loosened


def _index_alters(before: values.Index, after: values.Index) -> bool:
    return (before.definition, before.table) == (after.definition, after.table)


def _policy_alters(before: values.Policy, after: values.Policy) -> bool:
    taken = (after.using is None and before.using) or (after.check is None and before.check)
    return (before.permissive, before.command) == (after.permissive, after.command) and not taken


def _event_trigger_alters(before: values.EventTrigger, after: values.EventTrigger) -> bool:
    return not changed(before, after).keys() & {"event", "function", "tags"}


def _same_definition(before: Value, after: Value) -> bool:
    return "definition" not in changed(before, after)


TYPES = (values.Enum, values.Domain, values.Composite, values.Range)
_JUDGES: Final[dict[type[Value], Callable[[Any, Any], bool]]] = {
    values.Enum: change.keeps_labels,
    values.Domain: _domain_alters,
    values.Composite: change.keeps_attributes,
    values.Range: _range_alters,
    Table: _table_alters,
    values.Constraint: _constraint_alters,
    values.Index: _index_alters,
    values.View: _view_alters,
    values.Function: _function_alters,
    values.Policy: _policy_alters,
    values.EventTrigger: _event_trigger_alters,
    values.Trigger: _same_definition,
    values.Rule: _same_definition,
    values.Statistics: _same_definition,
}
"""Kinds that cannot always be altered."""
