"""What migration tools keep for themselves has one list, and every tool's table is on it."""

from __future__ import annotations

import pytest

from neondba.migrations.tools.flyway import Flyway
from neondba.migrations.tools.javascript import Drizzle, Prisma
from neondba.migrations.tools.marked_files import Dbmate, GolangMigrate, Goose, PlainFiles
from neondba.project.version_tables import VERSION_TABLES


@pytest.mark.parametrize("tool", [Flyway, Drizzle, Prisma, Dbmate, GolangMigrate, Goose, PlainFiles])
def test_the_table_of_each_tool_is_known(tool: type) -> None:
    table: str = tool.table  # type: ignore[attr-defined]
    assert table.rpartition(".")[2] in VERSION_TABLES
