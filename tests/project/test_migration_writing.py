"""What a written revision sends is what it was given, character by character."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql

from neondba.project.migration_writing.alembic import body
from neondba.project.migration_writing.change import Change


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        'ALTER TABLE "t" ADD COLUMN "a" text',
        "COMMENT ON TABLE t IS 'at :noon, :x::text and C:\\temp'",
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\n  SELECT ':a' || \"b\" FROM t\n$$",
        'COMMENT ON TABLE t IS \'"""\'',
        'DROP TABLE "odd"',
        'SELECT \'{"a": 1, "b":true}\'::jsonb',
        "SELECT '\\\\:x'",
    ],
)
def test_a_statement_reaches_the_server_as_it_was(statement: str) -> None:
    sent = io.StringIO()
    context = MigrationContext.configure(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        opts={"as_sql": True, "output_buffer": sent},
    )
    lines = body(Change("test", (statement,), ()), (statement,))
    run = f"def upgrade():\n    {lines}\nupgrade()"
    exec(run, {"op": Operations(context), "sa": SimpleNamespace()})
    assert sent.getvalue().strip().removesuffix(";") == statement
