"""Compare two sides: their schemas as statements and as text, and the rows of named tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from neondba.branches.side import Side, opened
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem
from neondba.postgres.seen import Change

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project
    from neondba.postgres.connect import Connection
    from neondba.postgres.ddl.schema import Schema
    from neondba.postgres.row_difference import TableDifference

SIGNS: Final = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}
LONGEST: Final = 200
"""Characters of a value that are shown in a terminal."""


class ChangedObject(BaseModel):
    """An object that only one side has, or that differs."""

    kind: str
    name: str
    change: Change
    attributes: dict[str, tuple[Any, Any]] = {}
    """Base and branch, for each attribute that differs."""


class DiffStatement(BaseModel):
    """One statement on the way from the base to the branch."""

    text: str
    object: str
    destroys: bool
    """True when rows or values are gone afterwards."""
    rewrites: bool
    """True when every row of a table is written anew, or may be."""
    in_transaction: bool
    """False when it must be committed before the next one."""


class RowDifference(BaseModel):
    """One row that only one side has, or that differs."""

    key: dict[str, Any]
    change: Change
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class DataDifference(BaseModel):
    """How the rows of one table differ."""

    table: str
    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    rows: tuple[RowDifference, ...]
    """The first of them; the counts are of all."""
    not_compared: tuple[str, ...] = ()
    """Columns that only one side has."""


class BranchDiff(BaseModel):
    """What turns the base into the branch."""

    project: str
    database: str
    base: str
    branch: str
    objects: tuple[ChangedObject, ...]
    statements: tuple[DiffStatement, ...]
    diff: str
    """The same as a unified diff, one part for each object."""
    notes: tuple[str, ...] = ()
    data: tuple[DataDifference, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def differences(self) -> int:
        """How much differs."""
        return len(self.objects) + sum(each.added + each.removed + each.changed for each in self.data)

    def as_text(self, width: int) -> str:  # noqa: ARG002 - statements are not wrapped
        """Show the schemas as git would, then the rows."""
        parts = [self._headline(), self.diff.rstrip("\n"), *(_data_text(each) for each in self.data)]
        parts += ["\n".join(f"Note: {note}" for note in self.notes), "\n".join(self.next)]
        return "\n\n".join(part for part in parts if part)

    def as_sql(self) -> str:
        """Give the statements that lead from the base to the branch, and what to know about them."""
        lines = [f"-- {_on_one_line(note)}" for note in self.notes]
        for each in self.statements:
            warnings = ["destroys data"] if each.destroys else []
            warnings += ["rewrites the table"] if each.rewrites else []
            warnings += [] if each.in_transaction else ["commit before what follows"]
            lines += [f"-- {', '.join(warnings)}"] if warnings else []
            lines.append(f"{each.text};")
        return "\n".join(lines)

    def _headline(self) -> str:
        between = f"{self.branch} differs from {self.base}"
        if not self.differences:
            return (
                f"{self.branch} and {self.base} are alike: no difference in the schema of {self.database}"
                + (" or in the rows asked for." if self.data else ".")
            )
        objects, rows = len(self.objects), self.differences - len(self.objects)
        found = [f"{objects} object{'s' * (objects != 1)}"] if objects else []
        found += [f"{rows} row{'s' * (rows != 1)}"] if rows else []
        return f"{between} in {' and '.join(found)} of {self.database}."


def compared(
    client: NeonClient, ctx: Context, base: Side, side: Side, tables: list[str], limit: int
) -> BranchDiff:
    """Read both sides and say how they differ."""
    from neondba.postgres.ddl.reading import schema_of
    from neondba.postgres.ddl.schema import changes
    from neondba.postgres.ddl.script import script
    from neondba.postgres.ddl.text import text_difference

    with ExitStack() as stack:
        ctx.progress(f"Reading {base.spoken}.")
        old = stack.enter_context(opened(client, ctx, base))
        before = schema_of(old)
        ctx.progress(f"Reading {side.spoken}.")
        new = stack.enter_context(opened(client, ctx, side))
        after = schema_of(new)
        found = script(before, after)
        data = [_rows(ctx, name, (old, before), (new, after), limit) for name in tables]
        database = new.info.dbname
    return BranchDiff(
        project=side.project.name,
        database=database,
        base=base.spoken,
        branch=side.spoken,
        objects=tuple(ChangedObject(**each.model_dump()) for each in changes(before, after)),
        statements=tuple(DiffStatement(**each.model_dump()) for each in found.statements),
        diff=text_difference(before, after),
        notes=found.notes,
        data=tuple(_data(each) for each in data),
        next=_next(base, side) if found.statements else (),
    )


def _next(base: Side, side: Side) -> tuple[str, ...]:
    if side.point or base.point:
        return ()
    words = f"neondba branch diff {quote(side.branch.name)} --base {quote(base.branch.name)}"
    return (f"{words} --project {quote(side.project.name)} --format sql",)


def _rows(
    ctx: Context,
    wanted: str,
    base: tuple[Connection, Schema],
    side: tuple[Connection, Schema],
    limit: int,
) -> TableDifference:
    from neondba.postgres.ddl.values import Table
    from neondba.postgres.row_difference import (
        find_table,
        key_of,
        keyed_rows,
        only_on_one_side,
        row_difference,
    )

    schemas = (base[1], side[1])
    table = find_table(wanted, *schemas)
    key, without = key_of(table, *schemas), only_on_one_side(table, *schemas)
    ctx.progress(f"Comparing the rows of {table}.")

    def rows(session: Connection, schema: Schema) -> Iterator[tuple[str, str]]:
        if schema.get(Table, table) is None:
            return iter(())
        return keyed_rows(session, table, key, without)

    return row_difference(table, key, rows(*base), rows(*side), limit=limit, not_compared=without)


def _data(found: TableDifference) -> DataDifference:
    return DataDifference.model_validate(found.model_dump())


def _data_text(found: DataDifference) -> str:
    counts = f"{found.added} added, {found.removed} removed, {found.changed} changed"
    lines = [f"rows of {found.table} by {', '.join(found.key)}: {counts}"]
    if found.not_compared:
        lines.append(f"  (not compared, on one side only: {', '.join(found.not_compared)})")
    for row in found.rows:
        old, new = row.before or {}, row.after or {}
        if row.change is Change.CHANGED:
            shown = {name: (old.get(name), new[name]) for name in new if old.get(name) != new[name]}
            said = ", ".join(f"{name} {_json(one)} -> {_json(other)}" for name, (one, other) in shown.items())
            lines.append(f"~ {_json(row.key)} {said}")
        else:
            lines.append(f"{SIGNS[row.change]} {_json(old or new)}")
    rest = found.added + found.removed + found.changed - len(found.rows)
    return "\n".join([*lines, f"… and {rest} more"] if rest else lines)


def _json(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def base_of(branch: Branch, there: list[Branch], project: Project, *, past: bool) -> Branch:
    """Give the branch to compare with when none is named: the parent, or its own past.

    Raises:
        ArgumentProblem: it has no parent, and no point of its past is asked for.
    """
    parent = next((each for each in there if each.id == branch.parent_id), None)
    if parent is not None:
        return parent
    if past:
        return branch
    raise ArgumentProblem(
        "base-needed",
        f"Branch {branch.name} of project {project.name} has no parent to compare with.",
        hint="Name another branch with --base, or a point of its own past with --base-at.",
    )
