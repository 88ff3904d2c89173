"""SQL that closes what a proof has found open."""

from __future__ import annotations

from collections.abc import Sequence

from neondba.access.results import Protection, TableProof
from neondba.access.verdict import Guard
from neondba.postgres.ddl.names import quote_ident
from neondba.postgres.role_membership import SPLIT
from neondba.postgres.shapes import Column

ROLE = "app"


def fix_for(
    tables: Sequence[tuple[TableProof, Column, Guard]], role: str, passes_by: str | None, server: int
) -> str | None:
    """Give the statements for all open tables, or nothing where none is open or lacks anything."""
    open_tables = [each for each in tables if not each[0].protection.holds]
    lines = _membership({guard.made_for_others for _, _, guard in open_tables}, role, server)
    if open_tables and (passes_by or any(t.protection is Protection.BYPASSED for t, _, _ in open_tables)):
        lines += [
            "-- By SQL, not through the Neon API or Console: roles made there carry BYPASSRLS.",
            f"create role {ROLE} login nobypassrls password :'app_password';",
            f"grant usage on schema public to {ROLE};",
        ]
        lines += [f"grant select, insert, update, delete on {t.table} to {ROLE};" for t, _, _ in tables]
        lines += [f"grant usage on all sequences in schema public to {ROLE};", ""]
    for table, column, guard in open_tables:
        if not guard.enabled:
            lines.append(f"alter table {table.table} enable row level security;")
        if not guard.forced:
            lines.append(f"alter table {table.table} force row level security;")
        if table.protection is Protection.APPLICATION_ONLY and not table.policies:
            lines += _policy(table, column)
    return "\n".join(lines) or None


def _membership(others: set[str], role: str, server: int) -> list[str]:
    """Let the role inherit from the one role that the policies are made for."""
    others.discard("")
    if len(others) != 1 or ", " in (other := next(iter(others))):
        return []
    ours, theirs = quote_ident(role), quote_ident(other)
    said = f"-- The policies are made for {other}: log in as it, or let {role} have what it has."
    if server < SPLIT:
        return [said, f"alter role {ours} inherit;", f"grant {theirs} to {ours};"]
    return [said, f"grant {theirs} to {ours} with inherit true;"]


def _policy(table: TableProof, column: Column) -> list[str]:
    name = table.table.rpartition(".")[2].strip('"')
    cast = "" if column.category == "S" else f"::{column.type}"
    asks = f"(select nullif(current_setting('app.{column.name}', true), '')){cast}"
    return [
        f'create policy "{name}_owner" on {table.table}',
        f'    using ("{column.name}" = {asks})',
        f'    with check ("{column.name}" = {asks});',
    ]
