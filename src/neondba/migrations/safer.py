"""The way to the same schema that keeps nobody waiting, statement by statement, where there is one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from neondba.postgres.ddl.names import last, namespace, plain, quote_ident
from neondba.postgres.shapes import Shape
from neondba.postgres.sql_text import code_only
from neondba.postgres.statement import (
    AlterTable,
    Change,
    ConstraintDef,
    CreateIndex,
    DropObjects,
    Name,
    RowChange,
)
from neondba.postgres.statements import parse
from neondba.project.migration_facts import is_volatile

PARTICULAR = re.compile(r"\b(?:include|nulls|deferrable|overlaps|with|exclude)\b", re.IGNORECASE)
JOINED = re.compile(r"\b(?:from|returning|with|where)\b", re.IGNORECASE)

Tables = dict[str, Shape]


@dataclass(frozen=True)
class Safe:
    """One transaction of the safer way, or one statement outside any."""

    text: str
    alone: bool = False
    key: str | None = None
    """The column, quoted, by whose order it is cut into batches: the text lacks the condition on it."""
    table: str = ""
    """The table that is changed in batches."""

    @property
    def filtered(self) -> bool:
        """Whether the text has a WHERE already."""
        return re.search(r"\bwhere\b", code_only(self.text), re.IGNORECASE) is not None

    def within(self, low: str | None, high: str) -> str:
        """Write one batch: keys above the one bound, as far as the other; both are constants of SQL."""
        bounds = [f"{self.key} > {low}"] if low is not None else []
        bounds.append(f"{self.key} <= {high}")
        return f"{self.text} {'and' if self.filtered else 'where'} {' and '.join(bounds)}"

    @property
    def shown(self) -> str:
        """Write it for a person."""
        if self.key is None:
            return self.text
        word = "and" if self.filtered else "where"
        return f"{self.text} {word} {self.key} > … and {self.key} <= …  -- in batches, each a transaction"


@dataclass(frozen=True)
class Instead:
    """What to do instead of one statement."""

    why: str
    steps: tuple[Safe, ...]


def instead_of(text: str, tables: Tables) -> Instead | None:
    """Give the safer way for a statement on tables that are there already; nothing where there is none."""
    statements = parse(text)
    if len(statements) != 1:
        return None
    match statements[0].action:
        case CreateIndex(concurrently=False) as index if _there(index.table, tables):
            return _concurrently(text, "Build the index with CONCURRENTLY.")
        case DropObjects(kind="index", concurrently=False, cascade=False) as drop if len(drop.names) == 1:
            return _concurrently(text, "Drop the index with CONCURRENTLY.")
        case AlterTable(table, (change,)) if shape := _there(table, tables):
            return _changed(text, table, change, shape)
        case RowChange(kind="update", filtered=False) as update if shape := _there(update.table, tables):
            return _batched(text, update, shape)
    return None


def _there(name: Name, tables: Tables) -> Shape | None:
    for known, shape in tables.items():
        if plain(last(known)) == name.name and name.schema in (None, plain(namespace(known))):
            return shape
    return None


def _concurrently(text: str, why: str) -> Instead | None:
    match = re.search(r"\bindex\b", code_only(text), re.IGNORECASE)
    if match is None:
        return None
    return Instead(why, (Safe(f"{text[: match.end()]} concurrently{text[match.end() :]}", alone=True),))


def _changed(text: str, table: Name, change: Change, shape: Shape) -> Instead | None:
    constraint, column = change.constraint, change.column
    if change.kind == "set not null" and change.name:
        return _not_null(shape.name, change.name)
    if constraint and constraint.kind in ("check", "foreign key") and not constraint.not_valid:
        return _not_valid(text, table, constraint, shape)
    if constraint and constraint.kind in ("unique", "primary key") and not constraint.using_index:
        return _using_index(text, table, constraint, shape)
    if change.kind == "add column" and column and column.default and is_volatile(column.default):
        return _filled(shape, column.name, column.type, column.default, column.nullable)
    if change.kind == "alter type" and change.name and change.type and change.using is None:
        return _expanded(shape, change.name, change.type)
    return None


def _not_null(table: str, column: str) -> Instead:
    name, own = quote_ident(f"{column}_is_there"), quote_ident(column)
    return Instead(
        "Prove it with a CHECK, validated while others read and write; SET NOT NULL then reads nothing.",
        (
            Safe(f"alter table {table} add constraint {name} check ({own} is not null) not valid"),
            Safe(f"alter table {table} validate constraint {name}"),
            Safe(
                f"alter table {table} alter column {own} set not null;"
                f" alter table {table} drop constraint {name}"
            ),
        ),
    )


def _not_valid(text: str, table: Name, constraint: ConstraintDef, shape: Shape) -> Instead | None:
    name = constraint.name or _usual_name(table, constraint)
    if name is None:
        return None
    first = text.rstrip().rstrip(";")
    if constraint.name is None:
        found = re.search(r"\badd\s+", code_only(first), re.IGNORECASE)
        if found is None:
            return None
        first = f"{first[: found.end()]}constraint {quote_ident(name)} {first[found.end() :]}"
    return Instead(
        "Add it NOT VALID, which reads no row, then VALIDATE it while others read and write.",
        (
            Safe(f"{first} not valid"),
            Safe(f"alter table {shape.name} validate constraint {quote_ident(name)}"),
        ),
    )


def _usual_name(table: Name, constraint: ConstraintDef) -> str | None:
    """Give the name that Postgres itself chooses, where that is plain."""
    if constraint.kind == "check" or not constraint.columns:
        return None
    endings = {"foreign key": [*constraint.columns, "fkey"], "primary key": ["pkey"]}
    return "_".join([table.name, *endings.get(constraint.kind, [*constraint.columns, "key"])])


def _using_index(text: str, table: Name, constraint: ConstraintDef, shape: Shape) -> Instead | None:
    name = constraint.name or _usual_name(table, constraint)
    nullable = {c.name for c in shape.columns if not c.not_null}
    proven = constraint.kind != "primary key" or not nullable & set(constraint.columns)
    if name is None or not proven or PARTICULAR.search(code_only(text)):
        return None
    own, columns = quote_ident(name), ", ".join(quote_ident(column) for column in constraint.columns)
    return Instead(
        "Build the unique index with CONCURRENTLY; taking it as the constraint's is a matter of a moment.",
        (
            Safe(f"create unique index concurrently {own} on {shape.name} ({columns})", alone=True),
            Safe(f"alter table {shape.name} add constraint {own} {constraint.kind} using index {own}"),
        ),
    )


def _key(shape: Shape) -> str | None:
    return quote_ident(shape.primary_key[0]) if len(shape.primary_key) == 1 else None


def _filled(shape: Shape, column: str, kind: str, default: str, nullable: bool) -> Instead | None:
    key, own, table = _key(shape), quote_ident(column), shape.name
    if key is None:
        return None
    return Instead(
        "Add the column empty, set its default for new rows, and fill the old ones in batches.",
        (
            Safe(
                f"alter table {table} add column {own} {kind};"
                f" alter table {table} alter column {own} set default {default}"
            ),
            Safe(f"update {table} set {own} = {default} where {own} is null", key=key, table=table),  # noqa: S608
            *(() if nullable else _not_null(table, column).steps),
        ),
    )


def _batched(text: str, update: RowChange, shape: Shape) -> Instead | None:
    key = _key(shape)
    if key is None or shape.primary_key[0] in update.columns or JOINED.search(code_only(text)):
        return None
    bare = text.rstrip().rstrip(";")
    return Instead(
        "Update some rows at a time, each batch in a transaction of its own.",
        (Safe(bare, key=key, table=shape.name),),
    )


def _expanded(shape: Shape, old: str, kind: str) -> Instead | None:
    """Add a column of the new type beside the old one, keep it in step, fill it, then change places."""
    key, column, table = _key(shape), shape.column(old), shape.name
    bound = any(old in constraint.columns for constraint in shape.constraints)
    if key is None or column is None or bound or column.generated or column.default is not None:
        return None
    own, other, help_ = quote_ident(old), quote_ident(f"{old}_new"), quote_ident(f"{old}_in_step")
    body = f"$$begin new.{other} := new.{own}::{kind}; return new; end$$"
    return Instead(
        "Expand and contract: a second column of the new type, kept in step by a trigger and filled in "
        "batches, then takes the place of the old one.",
        (
            Safe(
                f"alter table {table} add column {other} {kind};"
                f" create function {help_}() returns trigger language plpgsql as {body};"
                f" create trigger {help_} before insert or update on {table}"
                f" for each row execute function {help_}()"
            ),
            Safe(f"update {table} set {other} = {own}::{kind}", key=key, table=table),  # noqa: S608
            *(_not_null(table, f"{old}_new").steps if column.not_null else ()),
            Safe(
                f"drop trigger {help_} on {table}; drop function {help_}();"
                f" alter table {table} drop column {own}; alter table {table} rename column {other} to {own}"
            ),
        ),
    )
