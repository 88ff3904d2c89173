"""The statements that turn a database with one schema into a database with another."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from neondba.postgres.ddl import change
from neondba.postgres.ddl.described import grants, steps
from neondba.postgres.ddl.first import Verdict
from neondba.postgres.ddl.names import last, namespace, plain, quoted
from neondba.postgres.ddl.ordering import ordered
from neondba.postgres.ddl.partitions import detached, to_detach
from neondba.postgres.ddl.plan import ALTER, MAKE, Step
from neondba.postgres.ddl.schema import Schema, is_derived
from neondba.postgres.ddl.statement import Script, Statement
from neondba.postgres.ddl.steps import Writer
from neondba.postgres.ddl.units import needs_free, occupies
from neondba.postgres.ddl.values import Constraint, Enum, Index, Part, Sequence, Table, Value
from neondba.postgres.ddl.verdicts import Sides, decide, rebuild_too, rebuilt_tables, taken_by_parents

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
    rebuild_too(sides, taken_by_parents(sides, on, after))
    plan, order, forced = ordered(sides)
    writer = Writer(plan)
    late = _after_attaching(order, sides, on, after)
    body = [statement for step in order if step not in late for statement in writer.written(step)]
    very_last = [statement for step in order if step in late for statement in writer.written(step)]
    first, body, last = _owner_rights(body, sides)
    statements = [
        *_new_labels(sides),
        *(_off(before, name) for name in sorted(off)),
        *_room(sides),
        *([Statement(text=UNCHECKED, object="")] if _makes_functions(body) else []),
        *first,
        *body,
        *_column_rights_again(sides),
        *_persistence_again(sides),
        *last,
        *(_on(after, name) for name in _parents_first(after, on)),
        *very_last,
    ]
    return Script(statements=tuple(statements), notes=(*_notes(before, after), *forced))


def _new_labels(sides: Sides) -> Iterator[Statement]:
    """Add labels first: they can be used after a commit only."""
    for key, verdict in sorted(sides.verdicts.items()):
        old, new = sides.old.get(key), sides.new.get(key)
        if verdict is Verdict.ALTER and isinstance(old, Enum) and isinstance(new, Enum):
            for text in change.added_labels(old, new):
                yield Statement(text=text, object=key, in_transaction=False)


def _after_attaching(order: list[Step], sides: Sides, on: Collection[str], after: Schema) -> set[Step]:
    """Find the own indexes of tables that are hung up, and what needs those.

    Postgres would take an index that is there already for a part of the parent's.
    """
    found: set[Step] = set()
    keys: set[str] = set()
    for step in order:
        own = _waits_for_attaching(after.compared.get(step.key), on)
        if step.does in (MAKE, ALTER) and (own or sides.new_needs.get(step.key, set()) & keys):
            found.add(step)
            keys.add(step.key)
    return found


def _column_rights_again(sides: Sides) -> Iterator[Statement]:
    """Give the rights on columns again that went with the same right on the table."""
    for key, verdict in sorted(sides.verdicts.items()):
        old, new = sides.old.get(key), sides.new.get(key)
        if verdict is not Verdict.ALTER or not isinstance(old, Table) or not isinstance(new, Table):
            continue
        taken = {
            (who, right)
            for verb, _, rights, who in steps(old.grants, new.grants)
            for right in rights
            if verb == "REVOKE"
        }
        for column in sides.after.columns(new.name):
            left = {
                who: tuple(right for right in rights if (who, right.removesuffix("*")) in taken)
                for who, rights in column.grants.items()
            }
            for text in grants(column, {}, {who: rights for who, rights in left.items() if rights}):
                yield Statement(text=text, object=column.key)


def _persistence_again(sides: Sides) -> Iterator[Statement]:
    """Set whether a sequence is logged again where its table took it along."""
    for sequence in sides.after.of(Sequence):
        before = sides.before.get(Sequence, sequence.name)
        owners = {each.owned_by.rpartition(".")[0] for each in (before, sequence) if each and each.owned_by}
        for name in sorted(owners):
            old, new = sides.before.get(Table, name), sides.after.get(Table, name)
            if old is not None and new is not None and old.unlogged != new.unlogged:
                text = f"ALTER SEQUENCE {sequence.name} SET {'UNLOGGED' if sequence.unlogged else 'LOGGED'}"
                yield Statement(text=text, object=sequence.key)


def _waits_for_attaching(value: Value | None, on: Collection[str]) -> bool:
    if isinstance(value, Constraint) and value.type == "foreign key":
        return value.references in on
    indexed = isinstance(value, Index) or (isinstance(value, Constraint) and value.type != "check")
    return indexed and isinstance(value, Part) and value.table in on


def _owner_rights(
    body: list[Statement], sides: Sides
) -> tuple[list[Statement], list[Statement], list[Statement]]:
    """Give owners their rights first and take them last: statements in between may need them."""
    given, taken, rest = [], [], []
    for each in body:
        there = sides.verdicts.get(each.object) is Verdict.ALTER
        if each.text.startswith("GRANT ALL ON ") and each.text.endswith(" TO CURRENT_USER") and there:
            given.append(each)
        elif each.text.startswith(("REVOKE ", "GRANT ")) and each.text.endswith(
            ("FROM CURRENT_USER", "TO CURRENT_USER")
        ):
            taken.append(each)
        else:
            rest.append(each)
    return given, rest, taken


def _room(sides: Sides) -> Iterator[Statement]:
    """Rename what a partition has by inheritance where another object wants its name."""
    wanted = {
        place
        for key, verdict in sides.verdicts.items()
        if verdict in (Verdict.MAKE, Verdict.REBUILD)
        for place in needs_free(sides.new[key])
    }
    for value in sides.before.objects.values():
        if isinstance(value, Constraint | Index) and is_derived(value) and occupies(value) & wanted:
            schema = namespace(value.table)
            new = quoted(f"{plain(value.part)[:28]} of {plain(last(value.table))[:28]}")
            yield Statement(text=f"ALTER INDEX {schema}.{value.part} RENAME TO {new}", object=value.key)


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
