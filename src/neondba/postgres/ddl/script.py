"""The statements that turn a database with one schema into a database with another."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from neondba.postgres.ddl import change
from neondba.postgres.ddl.partitions import detached, to_detach
from neondba.postgres.ddl.plan import ordered
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.statement import Script, Statement
from neondba.postgres.ddl.steps import Writer
from neondba.postgres.ddl.values import Enum, Table
from neondba.postgres.ddl.verdicts import Sides, Verdict, decide, rebuilt_tables

UNCHECKED = "SET check_function_bodies = off"
"""A function's body may name a table that comes later."""


def script(before: Schema, after: Schema) -> Script:
    """Order the statements that lead from one schema to another.

    A renamed object shows as one dropped and one made: nothing tells the two apart.
    """
    off, on = to_detach(before, after, rebuilt_tables(before, after))
    start = detached(before, off)
    end = detached(after, on, beside=start)
    sides = decide(start, end)
    plan, steps, forced = ordered(sides)
    writer = Writer(plan)
    body = [statement for step in steps for statement in writer.written(step)]
    statements = [
        *_new_labels(sides),
        *(_off(before, name) for name in sorted(off)),
        *([Statement(text=UNCHECKED, object="")] if _makes_functions(body) else []),
        *body,
        *(_on(after, name) for name in _parents_first(after, on)),
    ]
    return Script(statements=tuple(statements), notes=(*_notes(before, after), *forced))


def _new_labels(sides: Sides) -> Iterator[Statement]:
    """Add labels first: they can be used after a commit only."""
    for key, verdict in sorted(sides.verdicts.items()):
        old, new = sides.old.get(key), sides.new.get(key)
        if verdict is Verdict.ALTER and isinstance(old, Enum) and isinstance(new, Enum):
            for text in change.added_labels(old, new):
                yield Statement(text=text, object=key, in_transaction=False)


def _off(before: Schema, name: str) -> Statement:
    table = before.get(Table, name)
    assert table is not None
    if table.partition_of is not None:
        text = f"ALTER TABLE {table.partition_of} DETACH PARTITION {name}"
    else:
        text = f"ALTER TABLE {name} " + ", ".join(f"NO INHERIT {parent}" for parent in table.inherits)
    return Statement(text=text, object=table.key)


def _on(after: Schema, name: str) -> Statement:
    table = after.get(Table, name)
    assert table is not None
    if table.partition_of is not None:
        text = f"ALTER TABLE {table.partition_of} ATTACH PARTITION {name} {table.bound}"
    else:
        text = f"ALTER TABLE {name} " + ", ".join(f"INHERIT {parent}" for parent in table.inherits)
    return Statement(text=text, object=table.key)


def _parents_first(after: Schema, names: Collection[str]) -> list[str]:
    def depth(name: str) -> int:
        table = after.get(Table, name)
        parents = (table.partition_of, *table.inherits) if table else ()
        return 1 + max((depth(parent) for parent in parents if parent is not None), default=0)

    return sorted(names, key=lambda name: (depth(name), name))


def _makes_functions(statements: list[Statement]) -> bool:
    return any(each.text.startswith("CREATE") and each.object.startswith("function ") for each in statements)


def _notes(before: Schema, after: Schema) -> Iterator[str]:
    for table in after.of(Table):
        old = [column.part for column in before.columns(table.name)]
        new = [column.part for column in after.columns(table.name)]
        kept = [part for part in old if part in new]
        if old and [part for part in new if part in old] + [p for p in new if p not in old] != kept + [
            part for part in new if part not in old
        ]:
            yield f"The columns of {table.name} stand in another order; no statement can change that."
    left_out = sorted({*before.not_compared, *after.not_compared})
    if left_out:
        yield f"Not compared: {', '.join(left_out)}."
