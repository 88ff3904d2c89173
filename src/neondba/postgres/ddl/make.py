"""The statements that create an object."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from neondba.postgres.ddl import values
from neondba.postgres.ddl.names import listed, literal
from neondba.postgres.ddl.sequences import options as sequence_options
from neondba.postgres.ddl.values import Column, Table, Value


def made(value: Value) -> Iterator[str]:
    """Create an object that is no table or column; comments and rights come after."""
    yield from _MAKERS[type(value)](value)


def made_table(
    table: Table, columns: Collection[Column], late: Collection[str] = (), *, parted: bool = True
) -> str:
    """Write CREATE TABLE with its columns; a default may be left for later."""
    head = f"CREATE {'UNLOGGED ' if table.unlogged else ''}TABLE {table.name}"
    if table.partition_of is not None and parted:
        lines = f" PARTITION OF {table.partition_of} {table.bound}"
    else:
        own = [each for each in columns if each.local or not table.inherits]
        inner = ",\n".join(f"    {column_definition(each, late=each.name in late)}" for each in own)
        lines = f" (\n{inner}\n)" if inner else " ()"
        if table.inherits:
            lines += f" INHERITS ({listed(table.inherits)})"
    if table.partition_by is not None:
        lines += f" PARTITION BY {table.partition_by}"
    if table.access_method is not None:
        lines += f" USING {table.access_method}"
    return head + lines + with_options(table.options)


def with_options(options: Collection[str]) -> str:
    """Write the WITH clause of storage options."""
    return f" WITH ({', '.join(option(each) for each in options)})" if options else ""


def option(text: str) -> str:
    """Quote the value of an option such as `fillfactor=70`."""
    name, _, value = text.partition("=")
    return f"{name}={literal(value)}"


def column_definition(column: Column, *, late: bool = False) -> str:
    """Write a column as in CREATE TABLE."""
    words = [column.part, column.type]
    if column.compression is not None:
        words.append(f"COMPRESSION {column.compression}")
    if column.collation is not None:
        words.append(f"COLLATE {column.collation}")
    if column.generated is not None:
        words.append(f"GENERATED ALWAYS AS ({column.generated}) {'VIRTUAL' if column.virtual else 'STORED'}")
    elif column.identity is not None:
        words.append(identity(column))
    elif column.default is not None and not late:
        words.append(f"DEFAULT {column.default}")
    if column.not_null and column.not_null_validated:
        words.append(not_null(column))
    return " ".join(words)


def identity(column: Column) -> str:
    """Write GENERATED … AS IDENTITY with what differs from a plain one."""
    counting = sequence_options(column.sequence) if column.sequence else []
    inner = f" ({' '.join(counting)})" if counting else ""
    return f"GENERATED {column.identity} AS IDENTITY{inner}"


def not_null(column: Column) -> str:
    """Write the constraint, by name where it is not the one that Postgres would give."""
    end = " NO INHERIT" if column.not_null_no_inherit else ""
    named = f"CONSTRAINT {column.not_null_name} " if column.not_null_name is not None else ""
    return f"{named}NOT NULL{end}"


def column_settings(before: Column | None, column: Column, only: str = "") -> Iterator[str]:
    """Set what a column definition cannot say: storage, statistics and options."""
    old = before or Column(name=column.name, table=column.table, part=column.part, position=0, type="")
    head = f"ALTER TABLE {only}{column.table} ALTER COLUMN {column.part}"
    if old.storage != column.storage:
        yield f"{head} SET STORAGE {column.storage or 'DEFAULT'}"
    if before is not None and old.compression != column.compression:
        yield f"{head} SET COMPRESSION {column.compression or 'DEFAULT'}"
    if old.statistics != column.statistics:
        yield f"{head} SET STATISTICS {-1 if column.statistics is None else column.statistics}"
    yield from options_changed(head, old.options, column.options)
    if column.not_null and not column.not_null_validated and (not old.not_null or old.not_null_validated):
        yield f"ALTER TABLE {column.table} ADD {_invalid_not_null(column)}"


def _invalid_not_null(column: Column) -> str:
    end = " NO INHERIT" if column.not_null_no_inherit else ""
    return f"CONSTRAINT {column.not_null_name} NOT NULL {column.part}{end} NOT VALID"


def options_changed(head: str, before: Collection[str], after: Collection[str]) -> Iterator[str]:
    """Set and reset storage options."""
    names = {each.partition("=")[0] for each in after}
    if gone := sorted({each.partition("=")[0] for each in before} - names):
        yield f"{head} RESET ({', '.join(gone)})"
    if new := [option(each) for each in after if each not in before]:
        yield f"{head} SET ({', '.join(new)})"


def table_settings(table: Table) -> Iterator[str]:
    """Set what CREATE TABLE cannot say."""
    if table.row_security:
        yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"
    if table.force_row_security:
        yield f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY"


def _namespace(value: values.Namespace) -> Iterator[str]:
    yield f"CREATE SCHEMA {value.name}"


def _extension(value: values.Extension) -> Iterator[str]:
    yield f"CREATE EXTENSION {value.name} SCHEMA {value.in_schema} VERSION {literal(value.version)}"


def _enum(value: values.Enum) -> Iterator[str]:
    yield f"CREATE TYPE {value.name} AS ENUM ({', '.join(map(literal, value.labels))})"


def _domain(value: values.Domain) -> Iterator[str]:
    words = [f"CREATE DOMAIN {value.name} AS {value.type}"]
    if value.collation is not None:
        words.append(f"COLLATE {value.collation}")
    if value.default is not None:
        words.append(f"DEFAULT {value.default}")
    if value.not_null:
        words.append("NOT NULL")
    words += [f"CONSTRAINT {name} {text}" for name, (text, valid) in sorted(value.checks.items()) if valid]
    yield " ".join(words)
    for name, (text, valid) in sorted(value.checks.items()):
        if not valid:
            yield f"ALTER DOMAIN {value.name} ADD CONSTRAINT {name} {text} NOT VALID"


def _composite(value: values.Composite) -> Iterator[str]:
    yield f"CREATE TYPE {value.name} AS ({', '.join(f'{name} {kind}' for name, kind in value.attributes)})"


def _range(value: values.Range) -> Iterator[str]:
    given = {
        "SUBTYPE": value.subtype,
        "SUBTYPE_OPCLASS": value.operator_class,
        "COLLATION": value.collation,
        "CANONICAL": value.canonical,
        "SUBTYPE_DIFF": value.subtype_diff,
        "MULTIRANGE_TYPE_NAME": value.multirange,
    }
    inner = ", ".join(f"{word} = {text}" for word, text in given.items() if text is not None)
    yield f"CREATE TYPE {value.name} AS RANGE ({inner})"


def _sequence(value: values.Sequence) -> Iterator[str]:
    kind = [] if value.type == "bigint" else [f"AS {value.type}"]
    head = f"CREATE {'UNLOGGED ' if value.unlogged else ''}SEQUENCE {value.name}"
    yield " ".join([head, *kind, *sequence_options(value)])


def _constraint(value: values.Constraint) -> Iterator[str]:
    end = "" if value.validated else " NOT VALID"
    yield f"ALTER TABLE {value.table} ADD CONSTRAINT {value.part} {value.definition}{end}"
    if value.clustered:
        yield f"ALTER TABLE {value.table} CLUSTER ON {value.part}"


def _index(value: values.Index) -> Iterator[str]:
    yield value.definition
    if value.clustered:
        yield f"ALTER TABLE {value.table} CLUSTER ON {value.part}"
    for place, target in value.statistics.items():
        yield f"ALTER INDEX {value.name} ALTER COLUMN {place} SET STATISTICS {target}"


def _view(value: values.View) -> Iterator[str]:
    body = value.definition.strip().removesuffix(";")
    replace = "" if value.materialized else "OR REPLACE "
    end = "" if value.populated or not value.materialized else "\n  WITH NO DATA"
    yield f"CREATE {replace}{value.word} {value.name}{with_options(value.options)} AS\n {body}{end}"
    yield from view_comments(None, value)


def view_comments(before: values.View | None, after: values.View) -> Iterator[str]:
    """Comment on the columns of a view."""
    old = {name: text for name, _, text in before.columns} if before else {}
    for name, _, text in after.columns:
        if old.get(name) != text:
            yield f"COMMENT ON COLUMN {after.name}.{name} IS {'NULL' if text is None else literal(text)}"


def _function(value: values.Function) -> Iterator[str]:
    if value.type == "AGGREGATE":
        yield f"CREATE AGGREGATE {value.signature} ({value.definition})"
    else:
        yield value.definition.strip()


def _trigger(value: values.Trigger) -> Iterator[str]:
    yield value.definition
    yield from trigger_state(None, value)


def trigger_state(before: values.Trigger | None, after: values.Trigger) -> Iterator[str]:
    """Enable or disable a trigger."""
    if after.state != (before.state if before else "ENABLE"):
        yield f"ALTER TABLE {after.table} {after.state} TRIGGER {after.part}"


def _event_trigger(value: values.EventTrigger) -> Iterator[str]:
    tags = f" WHEN TAG IN ({', '.join(map(literal, value.tags))})" if value.tags else ""
    yield f"CREATE EVENT TRIGGER {value.name} ON {value.event}{tags} EXECUTE FUNCTION {value.function}()"
    if value.state != "ENABLE":
        yield f"ALTER EVENT TRIGGER {value.name} {value.state}"


def _policy(value: values.Policy) -> Iterator[str]:
    words = [f"CREATE POLICY {value.part} ON {value.table}"]
    words += [] if value.permissive else ["AS RESTRICTIVE"]
    words += [] if value.command == "ALL" else [f"FOR {value.command}"]
    words += [] if value.roles == ("PUBLIC",) else [f"TO {listed(value.roles)}"]
    words += [f"USING ({value.using})"] if value.using is not None else []
    words += [f"WITH CHECK ({value.check})"] if value.check is not None else []
    yield " ".join(words)


def _rule(value: values.Rule) -> Iterator[str]:
    yield value.definition.strip().removesuffix(";")
    if value.state != "ENABLE":
        yield f"ALTER TABLE {value.table} {value.state} RULE {value.part}"


def _statistics(value: values.Statistics) -> Iterator[str]:
    yield value.definition
    if value.target is not None:
        yield f"ALTER STATISTICS {value.name} SET STATISTICS {value.target}"


_MAKERS: Final[dict[type[Value], Callable[[Any], Iterator[str]]]] = {
    values.Namespace: _namespace,
    values.Extension: _extension,
    values.Enum: _enum,
    values.Domain: _domain,
    values.Composite: _composite,
    values.Range: _range,
    values.Sequence: _sequence,
    values.Constraint: _constraint,
    values.Index: _index,
    values.View: _view,
    values.Function: _function,
    values.Trigger: _trigger,
    values.EventTrigger: _event_trigger,
    values.Policy: _policy,
    values.Rule: _rule,
    values.Statistics: _statistics,
}
