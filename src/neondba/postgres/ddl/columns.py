"""The statements that alter a column in its place; its default is a unit of its own."""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.ddl import change, make
from neondba.postgres.ddl.sequences import changed_options
from neondba.postgres.ddl.values import Column


def altered(
    before: Column, after: Column, *, retyped: bool, major: int, only: str = "", has_heirs: bool = False
) -> Iterator[str]:
    """Turn a column into its other form.

    Args:
        before: The column as it is.
        after: The column as it shall be.
        retyped: Whether its values become ones of another type, if only of a new type of the old name.
        major: The server's release.
        only: `ONLY ` where the table has children that are cared for themselves.
        has_heirs: Whether tables inherit from it that are no partitions.
    """
    head = f"ALTER TABLE {after.table} ALTER COLUMN {after.part}"
    if before.identity is not None and after.identity is None:
        yield f"{head} DROP IDENTITY"
    if before.generated is not None and after.generated is None:
        yield f"{head} DROP EXPRESSION"
    if before.not_null and not after.not_null:
        # Before its type changes: PostgreSQL 18 trips over the constraints of children otherwise.
        # Heirs see to themselves: they may have a reason of their own, as a primary key.
        heirs = "ONLY " if has_heirs else ""
        yield f"ALTER TABLE {heirs}{after.table} ALTER COLUMN {after.part} DROP NOT NULL"
        before = before.model_copy(update={"not_null": False})
    if retyped:
        yield retyping(before, after)
        before = before.model_copy(update={"storage": None})
    if after.generated is not None and before.generated != after.generated:
        yield f"{head} SET EXPRESSION AS ({after.generated})"
    yield from not_null(before, after, major)
    yield from _identity(before, after)
    yield from make.column_settings(before, after, only)
    yield from change.said(before, after)


def retyping(before: Column, after: Column) -> str:
    """Write the change of a column's type."""
    collation = f" COLLATE {after.collation}" if after.collation is not None else ""
    head = f"ALTER TABLE {after.table} ALTER COLUMN {after.part} TYPE {after.type}{collation}"
    if after.generated is not None:
        return head
    if before.type == after.type and before.collation == after.collation:
        return f"{head} USING {after.part}::text::{after.type}"
    return f"{head} USING {change.using(after.part, before.type, after.type)}"


def not_null(before: Column, after: Column, major: int) -> Iterator[str]:
    """Forbid or allow nulls, by the name that the constraint shall have."""
    table, part = f"ALTER TABLE {after.table}", after.part
    renamed = before.not_null_name != after.not_null_name
    if before.not_null and after.not_null and _same_rule(before, after):
        if after.not_null_validated and not before.not_null_validated:
            yield f"{table} VALIDATE CONSTRAINT {before.not_null_name}"
        if renamed and before.not_null_name and after.not_null_name and not after.inherited:
            yield f"{table} RENAME CONSTRAINT {before.not_null_name} TO {after.not_null_name}"
        return
    if before.not_null:
        yield f"{table} ALTER COLUMN {part} DROP NOT NULL"
    if after.not_null and after.not_null_validated:
        if major < 18 or after.not_null_name is None:
            yield f"{table} ALTER COLUMN {part} SET NOT NULL"
        else:
            end = " NO INHERIT" if after.not_null_no_inherit else ""
            yield f"{table} ADD CONSTRAINT {after.not_null_name} NOT NULL {part}{end}"


def _same_rule(before: Column, after: Column) -> bool:
    if before.not_null_no_inherit != after.not_null_no_inherit:
        return False
    return after.not_null_validated or not before.not_null_validated


def _identity(before: Column, after: Column) -> Iterator[str]:
    head = f"ALTER TABLE {after.table} ALTER COLUMN {after.part}"
    if after.identity is None:
        return
    if before.identity is None:
        yield f"{head} ADD {make.identity(after)}"
        return
    words = [f"SET GENERATED {after.identity}"] if before.identity != after.identity else []
    if before.sequence and after.sequence:
        words += [
            each if each.startswith("RESTART") else f"SET {each}"
            for each in changed_options(before.sequence, after.sequence)
        ]
    if words:
        yield f"{head} {' '.join(words)}"
