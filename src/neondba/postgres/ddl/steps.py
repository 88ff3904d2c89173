"""Write the statements of each step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from neondba.postgres.ddl import change, columns, make, values
from neondba.postgres.ddl.described import called, described
from neondba.postgres.ddl.first import Verdict
from neondba.postgres.ddl.names import namespace, set_aside
from neondba.postgres.ddl.plan import ALTER, ASIDE, DROP, LOOSEN, MAKE, OLD, Plan, Step
from neondba.postgres.ddl.statement import Statement
from neondba.postgres.ddl.units import Default, OwnedBy, ReplicaIdentity
from neondba.postgres.ddl.values import Column, Constraint, Table, Value
from neondba.postgres.ddl.verdicts import inheriting

_DIFFERS_PER_ROW: Final = re.compile(
    r"\b(nextval|random|gen_random_uuid|uuid\w*|clock_timestamp|timeofday)\("
)


class Writer:
    """Writes statements for a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.sides = plan, plan.sides

    def written(self, step: Step) -> Iterator[Statement]:
        """Write one step."""
        old, new = self.sides.old.get(step.key), self.sides.new.get(step.key)
        if step.does == DROP and old is not None:
            yield from self._dropped(old)
        elif step.does == ASIDE and old is not None:
            yield _plain(old, [f"ALTER TYPE {old.name} RENAME TO {set_aside(old.name)}"])
        elif step.does == LOOSEN and isinstance(old, Column):
            text = f"ALTER TABLE {old.table} ALTER COLUMN {old.part} TYPE text"
            yield Statement(text=text, object=old.key, rewrites=True)
        elif step.does == OLD and old is not None:
            name = f"{namespace(old.name)}.{set_aside(old.name)}"
            yield _plain(old, [f"DROP {'DOMAIN' if old.kind == 'domain' else 'TYPE'} {name}"])
        elif step.does == MAKE and new is not None:
            yield from self._made(new)
        elif step.does == ALTER and old is not None and new is not None:
            yield from self._altered(old, new)

    def _dropped(self, value: Value) -> Iterator[Statement]:
        match value:
            case Column():
                text = f"ALTER TABLE {value.table} DROP COLUMN {value.part}"
                yield Statement(text=text, object=value.key, destroys=value.generated is None)
            case Table():
                yield Statement(text=f"DROP TABLE {value.name}", object=value.key, destroys=True)
            case Default():
                only = self._only(value.table)
                text = f"ALTER TABLE {only}{value.table} ALTER COLUMN {value.part} DROP DEFAULT"
                yield Statement(text=text, object=value.key)
            case OwnedBy():
                yield Statement(text=f"ALTER SEQUENCE {value.name} OWNED BY NONE", object=value.key)
            case ReplicaIdentity():
                yield Statement(text=f"ALTER TABLE {value.table} REPLICA IDENTITY DEFAULT", object=value.key)
            case Constraint():
                text = f"ALTER TABLE {value.table} DROP CONSTRAINT {value.part}"
                yield Statement(text=text, object=value.key)
            case values.DefaultPrivileges():
                yield from _all(value, change.default_privileges(value, change.no_default_privileges(value)))
            case _:
                yield Statement(text=f"DROP {called(value)}", object=value.key)

    def _made(self, value: Value) -> Iterator[Statement]:
        match value:
            case Table():
                yield from self._made_table(value)
            case Column():
                yield from self._made_column(value)
            case Default():
                yield from self._made_default(value)
            case OwnedBy() | ReplicaIdentity():
                yield _tied(value)
            case values.DefaultPrivileges():
                yield from _all(value, change.default_privileges(change.no_default_privileges(value), value))
            case _:
                yield from _all(value, make.made(value))
                yield from _all(value, described(value, self.sides.before))

    def _made_table(self, table: Table) -> Iterator[Statement]:
        own = self.sides.after.columns(table.name)
        late = {column.name for column in own if f"default {column.name}" in self.plan.late}
        yield _plain(table, [make.made_table(table, own, late)])
        yield from _all(table, make.table_settings(table))
        yield from _all(table, described(table, self.sides.before))
        for column in own:
            yield from _all(column, self._besides(column))

    def _besides(self, column: Column) -> Iterator[str]:
        """Say what the statement that made a column could not."""
        parent = self._parent(column) if column.inherited else None
        if parent is not None and parent.default is not None and column.default is None:
            yield f"ALTER TABLE ONLY {column.table} ALTER COLUMN {column.part} DROP DEFAULT"
        if parent is not None and not parent.not_null and column.not_null:
            yield from columns.not_null(parent, column, self.sides.after.major)
        start = None
        if parent is not None:
            start = column.model_copy(
                update={
                    "storage": parent.storage,
                    "compression": parent.compression,
                    "statistics": None if column.table in self._made_tables else parent.statistics,
                    "options": (),
                }
            )
        yield from make.column_settings(start, column, self._only(column.table))
        yield from described(column, self.sides.before)

    @property
    def _made_tables(self) -> set[str]:
        return {
            table.name
            for table in self.sides.after.of(Table)
            if self.plan.verdict(table.key) in (Verdict.MAKE, Verdict.REBUILD)
        }

    def _parent(self, column: Column) -> Column | None:
        after = self.sides.after
        table = after.get(Table, column.table)
        assert table is not None
        parents = (table.partition_of, *table.inherits)
        found = (after.get(Column, f"{parent}.{column.part}") for parent in parents if parent is not None)
        return next((each for each in found if each is not None), None)

    def _made_column(self, column: Column) -> Iterator[Statement]:
        late = f"default {column.name}" in self.plan.late
        defined = column
        if column.identity is not None and self._has_heirs(column.table):
            defined = column.model_copy(update={"identity": None})
        text = f"ALTER TABLE {column.table} ADD COLUMN {make.column_definition(defined, late=late)}"
        per_row = defined.identity or (column.generated and not column.virtual)
        rewrites = bool(per_row or _DIFFERS_PER_ROW.search(column.default or ""))
        yield Statement(text=text, object=column.key, rewrites=rewrites)
        if defined is not column:
            head = f"ALTER TABLE ONLY {column.table} ALTER COLUMN {column.part}"
            yield Statement(text=f"{head} ADD {make.identity(column)}", object=column.key)
        yield from _all(column, self._besides(column))
        yield from self._besides_children(column)

    def _has_heirs(self, table: str) -> bool:
        """Tell whether tables inherit from it that are no partitions."""
        found = self.sides.after.get(Table, table)
        return found is not None and found.partition_by is None and table in self.sides.after.children

    def _besides_children(self, column: Column) -> Iterator[Statement]:
        for child in inheriting(column, self.sides.after):
            if child.table in self._made_tables:
                continue
            yield from _all(child, self._besides(child))
            yield from self._besides_children(child)

    def _made_default(self, value: Default) -> Iterator[Statement]:
        column = self.sides.after.get(Column, value.name)
        assert column is not None
        if column.inherited and self.plan.verdict(column.key) in (Verdict.MAKE, Verdict.REBUILD):
            parent = self._parent(column)
            if parent is not None and parent.default == value.text:
                return
        only = self._only(value.table)
        text = f"ALTER TABLE {only}{value.table} ALTER COLUMN {value.part} SET DEFAULT {value.text}"
        yield Statement(text=text, object=value.key)

    def _only(self, table: str) -> str:
        has_children = table in self.sides.after.children or table in self.sides.before.children
        return "ONLY " if has_children else ""

    def _altered(self, old: Value, new: Value) -> Iterator[Statement]:
        match old, new:
            case Table(), Table():
                for text in change.table(old, new):
                    yield Statement(text=text, object=new.key, rewrites=_rewrites(text))
            case Column(), Column():
                yield from self._altered_column(old, new)
            case Default(), Default():
                yield from self._made_default(new)
            case (OwnedBy(), OwnedBy()) | (ReplicaIdentity(), ReplicaIdentity()):
                yield _tied(new)
            case values.Enum(), values.Enum():
                yield from _all(new, change.said(old, new))
            case _:
                yield from _all(new, change.altered(old, new))

    def _altered_column(self, old: Column, new: Column) -> Iterator[Statement]:
        if old.inherited and new.inherited:
            old = self._as_parents_left_it(old, new)
        retyped = new.key in self.sides.retyped and not new.inherited
        found = columns.altered(
            old,
            new,
            retyped=retyped,
            major=self.sides.after.major,
            only=self._only(new.table),
            has_heirs=self._has_heirs(new.table),
        )
        for text in found:
            rewrites = (" TYPE " in text and not _only_wider(old, new)) or " SET EXPRESSION " in text
            yield Statement(text=text, object=new.key, rewrites=rewrites)

    def _as_parents_left_it(self, old: Column, new: Column) -> Column:
        """Give a child's column as it is once its parent's has been altered."""
        parent = self._parent(new)
        if parent is None:
            return old
        before = self.sides.before.get(Column, parent.name)
        fixed = ("type", "collation", "generated", "virtual", "identity", "sequence")
        follows = ("not_null", "not_null_validated", "not_null_no_inherit")
        given = {name: getattr(new, name) for name in fixed}
        if before is not None and any(getattr(before, name) != getattr(parent, name) for name in follows):
            if parent.not_null:
                given |= {name: getattr(parent, name) for name in follows}
            elif not self._has_heirs(parent.table):
                given["not_null"] = old.not_null_local
        if new.key in self.sides.retyped:
            given["storage"] = None
        return old.model_copy(update=given)


def _plain(value: Value, texts: list[str]) -> Statement:
    return Statement(text=texts[0], object=value.key)


def _all(value: Value, texts: Iterable[str]) -> Iterator[Statement]:
    for text in texts:
        yield Statement(text=text, object=value.key)


def _tied(value: Value) -> Statement:
    if isinstance(value, OwnedBy):
        return Statement(text=f"ALTER SEQUENCE {value.name} OWNED BY {value.column}", object=value.key)
    assert isinstance(value, ReplicaIdentity)
    return Statement(text=f"ALTER TABLE {value.table} REPLICA IDENTITY {value.text}", object=value.key)


def _rewrites(text: str) -> bool:
    return text.endswith((" SET LOGGED", " SET UNLOGGED")) or " SET ACCESS METHOD " in text


def _only_wider(before: Column, after: Column) -> bool:
    """Tell whether a new type takes all old values as they are stored."""
    texts = ("character varying", "text")
    if before.collation != after.collation:
        return False
    old, new = change.base_type(before.type), change.base_type(after.type)
    if old not in texts or new not in texts or before.type == after.type:
        return False
    return new == "text" or after.type == new or (old == new and _length(after.type) >= _length(before.type))


def _length(kind: str) -> int:
    found = re.search(r"\((\d+)\)", kind)
    return int(found[1]) if found else 2**31
