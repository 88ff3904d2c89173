"""Which new columns become NOT NULL while they are still empty."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.migration_steps import MigrationSteps, Step
from neondba.project.sql import SqlFiles

WRITES = re.compile(
    r"\b(?:update|insert|merge|session|bulk_update\w*|query|copy|call|perform)\b", re.IGNORECASE
)
"""Words of code that may fill a column in a way that we cannot read."""


def never_filled(migrations: MigrationSteps, sql: SqlFiles, alembic: AlembicHistory) -> Iterator[Step]:
    """Give each SET NOT NULL on a column that its own migration adds and has not filled by then."""
    files = {r.path: r.file.text for _, r in alembic.revisions}
    for step in migrations.live("set not null"):
        if not step.new_column or step.filled or not _is_bare(migrations, step):
            continue
        same = [s for s in migrations.of(step.path) if s.forward and s.table.key == step.table.key]
        fills = [s for s in same if s.kind == "update" and (step.name in s.columns or not s.columns)]
        text = files.get(step.path) or (sql[step.path].text if step.path in sql else "")
        if (fills and all(s.line > step.line for s in fills)) or (not fills and not WRITES.search(text)):
            yield step


def _is_bare(migrations: MigrationSteps, step: Step) -> bool:
    """Tell whether the column was added without anything that fills it."""
    return any(
        s.kind == "add column" and s.name == step.name and s.table.key == step.table.key
        and s.column is not None and not s.column.database_default and s.line <= step.line
        for s in migrations.of(step.path)
    )  # fmt: skip
