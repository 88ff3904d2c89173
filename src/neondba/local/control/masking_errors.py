"""Say which column's mask does not fit its table, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from neondba.core.problem import ConflictProblem
from neondba.local.control.masking import Rule
from neondba.postgres.admin import AdminSession

UNIQUE: Final = (
    "select i.relname, array_agg(a.attname order by a.attnum), x.indimmediate"
    " from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid"
    " join pg_namespace n on n.oid = c.relnamespace"
    " join pg_attribute a on a.attrelid = c.oid and a.attnum = any (x.indkey)"
    " where x.indisunique and n.nspname = %s and c.relname = %s group by i.relname, x.indimmediate"
)


@contextmanager
def explained(session: AdminSession, parts: list[Rule]) -> Iterator[None]:
    """Turn what PostgreSQL refuses into a sentence that names table and column, and no value."""
    from neondba.postgres.connect import Refused

    unique: dict[str, list[str]] = {}
    for name, columns, immediate in session.execute(UNIQUE, [parts[0].schema, parts[0].table]).fetchall():
        unique[name] = columns
        if not immediate and not {rule.column for rule in parts}.isdisjoint(columns):
            raise ConflictProblem(
                "masking-deferrable",
                f"{parts[0].schema}.{parts[0].table} has a deferrable unique constraint {name} over "
                f"{', '.join(columns)}: drop it on this branch first, or mask other columns",
            )
    try:
        yield
    except Refused as error:
        raise ConflictProblem("masking-failed", _sentence(error, parts, unique)) from None


def _sentence(error: Any, parts: list[Rule], unique: dict[str, list[str]]) -> str:
    state, diagnosis = error.sqlstate or "", error.diag
    table = f"{parts[0].schema}.{parts[0].table}"
    masked = [rule.column for rule in parts]
    if state == "23505":
        columns = unique.get(diagnosis.constraint_name, masked)
        column = next((name for name in columns if name in masked), columns[0])
        return (
            f"masking gave two rows of {table} the same {', '.join(columns)}, "
            f"which {diagnosis.constraint_name} forbids. Use a function that gives each row another value, "
            f"such as anon.hash({column}), "
            "anon.fake_email() or anon.random_string(20)"
        )
    if state == "23502":
        return f"masking left {table}.{diagnosis.column_name} null, which it may not be: use another function"
    if state == "23514":
        return (
            f"masking {table} ({', '.join(masked)}) broke check {diagnosis.constraint_name}: "
            "use functions whose values it allows"
        )
    # What a value is at fault for is told without the value.
    said = diagnosis.message_primary if state.startswith("42") else type(error).__name__
    return f"masking {table} ({', '.join(masked)}) failed: {said}"
