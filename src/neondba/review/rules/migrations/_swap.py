"""A column takes the place of a dropped one, so that running code finds what it asks for."""

from __future__ import annotations

from neondba.postgres.sql_types import base_type
from neondba.project.migration_steps import MigrationSteps, Step

ALIKE = (
    frozenset({"smallint", "integer", "bigint", "serial", "bigserial", "smallserial"}),
    frozenset({"text", "character varying", "citext"}),
)
"""Types whose values the same code reads and writes."""


def swapped(migrations: MigrationSteps, step: Step) -> bool:
    """Tell whether a drop and a rename in one migration leave the name and the kind of value in place."""
    for dropped, renamed in _pairs(migrations, step):
        if step in (dropped, renamed) and _alike(_type(dropped), _type(renamed)):
            return True
    return False


def _pairs(migrations: MigrationSteps, step: Step) -> list[tuple[Step, Step]]:
    same = [s for s in migrations.of(step.path) if s.forward and s.table.key == step.table.key]
    renames = [s for s in same if s.kind == "rename column"]
    drops = [s for s in same if s.kind == "drop column"]
    return [(d, r) for d in drops for r in renames if r.new == d.name]


def _type(step: Step) -> str | None:
    return step.before.type if step.before else None


def _alike(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return False
    pair = {base_type(one), base_type(other)}
    return len(pair) == 1 or any(pair <= family for family in ALIKE)
