"""What schema and code say beside the shapes of the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from neondba.access.plan_deciding import Evidence
from neondba.access.plan_names import snake
from neondba.access.plan_present import Present, bind_all
from neondba.postgres.ddl.names import last, namespace, plain
from neondba.postgres.statement import Name
from neondba.project.facts import Facts
from neondba.project.isolation.fact import Isolation
from neondba.project.isolation.judged import Binding, Judged
from neondba.project.schema import Schema
from neondba.project.schema_provider import provider_of_tables
from neondba.project.schema_table import Column, Table


def evidence_of(facts: Facts, present: Present) -> Evidence:
    """Gather providers of tables, policies of the project's own, and what the code binds."""
    tables = {table.title: table.name.name for table in facts.get(Schema).definitions}
    judged = facts.get(Isolation).judged
    return Evidence(
        _providers(present), _bound(judged, tables), _policies(present), _anonymous(judged, tables)
    )


def _providers(present: Present) -> dict[str, str]:
    tables = {
        name: Table(
            Name(plain(last(name)), plain(namespace(name))),
            "",
            0,
            "sql",
            columns={c.name: Column(c.name, c.type, "", 0) for c in shape.columns},
        )
        for name, shape in present.shapes.items()
    }
    provider_of_tables(list(tables.values()))
    return {name: table.provider for name, table in tables.items() if table.provider}


def _bound(judged: Iterable[Judged], tables: Mapping[str, str]) -> dict[tuple[str, str], int]:
    """Count the statements that compare a table's column with the caller, or set it to them."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in judged:
        if each.binding in (Binding.BOUND, Binding.BOUND_LATER) and "." not in each.owner:
            counts[snake(tables.get(each.table, each.table)), snake(each.owner)] += 1
    return dict(counts)


def _anonymous(judged: Iterable[Judged], tables: Mapping[str, str]) -> dict[str, int]:
    """Count the statements on a table behind entrances that know nobody."""
    places = {(each.table, each.path, each.line) for each in judged if not each.entrance.principal}
    return dict(Counter(snake(tables.get(table, table)) for table, _, _ in places))


def _policies(present: Present) -> dict[str, str]:
    """Tell which tables keep policies of the project's own; plain ones that fall short give way to ours."""
    found = {}
    for table in present.shapes:
        written = present.written(table)
        if not written:
            continue
        names = ", ".join(each.name for each in written)
        if all(each.column for each in written):
            if bind_all(written):
                found[table] = f"{names} bind every command by {written[0].column}"
        else:
            found[table] = f"{names} stay as they are; isolation prove shows whether they hold"
    return found
