"""SQL that closes what a proof has found open."""

from __future__ import annotations

from collections.abc import Sequence

from neondba.access.results import Protection, TableProof
from neondba.postgres.shapes import Column

ROLE = "app"


def fix_for(tables: Sequence[tuple[TableProof, Column]], passes_by: str | None) -> str | None:
    """Give the statements for all open tables, or nothing when none is open."""
    open_tables = [(t, c) for t, c in tables if not t.protection.holds]
    if not open_tables:
        return None
    lines: list[str] = []
    if passes_by or any(t.protection is Protection.BYPASSED for t, _ in open_tables):
        lines += [
            "-- By SQL, not through the Neon API or Console: roles made there carry BYPASSRLS.",
            f"create role {ROLE} login nobypassrls password :'app_password';",
            f"grant usage on schema public to {ROLE};",
        ]
        lines += [f"grant select, insert, update, delete on {t.table} to {ROLE};" for t, _ in tables]
        lines += [f"grant usage on all sequences in schema public to {ROLE};", ""]
    for table, column in open_tables:
        if table.protection in (Protection.APPLICATION_ONLY, Protection.DISABLED):
            lines.append(f"alter table {table.table} enable row level security;")
        lines.append(f"alter table {table.table} force row level security;")
        if table.protection is Protection.APPLICATION_ONLY and not table.policies:
            lines += _policy(table, column)
    return "\n".join(lines)


def _policy(table: TableProof, column: Column) -> list[str]:
    name = table.table.rpartition(".")[2].strip('"')
    cast = "" if column.category == "S" else f"::{column.type}"
    asks = f"(select nullif(current_setting('app.{column.name}', true), '')){cast}"
    return [
        f'create policy "{name}_owner" on {table.table}',
        f'    using ("{column.name}" = {asks})',
        f'    with check ("{column.name}" = {asks});',
    ]
