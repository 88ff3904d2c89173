"""Try on a throw-away branch what is wanted: find what lacks, take it there and back, act as two users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from neondba.access.plan_decisions import Decision, Kind
from neondba.access.plan_items import Item
from neondba.core.context import Context
from neondba.core.problem import ConflictProblem
from neondba.core.secret import Secret
from neondba.postgres.catalog import Catalog, diff, read, snapshot
from neondba.postgres.connect import Connection, Refused, trusted

if TYPE_CHECKING:
    from neondba.access.results import IsolationProof


def lacking(session: Connection, items: Sequence[Item]) -> list[Item]:
    """Make everything in a transaction that is rolled back; give what made a difference.

    Raises:
        ConflictProblem: the server refuses a statement.
    """
    with session.transaction(force_rollback=True):
        before = read(session)
        for item in items:
            _run(session, item.up, item.title)
        after = read(session)
    found = [(item, _differs(item, before, after)) for item in items]
    # What is here already is not ours to take back.
    return [
        replace(item, down=()) if item.keys and not differs else item
        for item, differs in found
        if item.always or differs
    ]


def there_and_back(session: Connection, up: Sequence[str], down: Sequence[str]) -> list[str]:
    """Take the statements forward, back, and forward again; say what the way back leaves.

    Raises:
        ConflictProblem: the server refuses a statement.
    """
    before = snapshot(session)
    with session.transaction():
        _run(session, up, "the way forward")
    with session.transaction():
        _run(session, down, "the way back")
    left = [f"{d.kind} {d.name}" for d in diff(before, snapshot(session))]
    with session.transaction():
        _run(session, up, "the way forward again")
    return left


def proven(ctx: Context, direct: Secret, role: str, decisions: Iterable[Decision]) -> IsolationProof:
    """Act as two users in the application's role, with no filter of the application in between."""
    from neondba.access.isolation import Request, prove_at

    owners = tuple(text for decision in decisions if (text := _owner(decision)))
    with TemporaryDirectory(prefix="neondba-plan-") as empty:
        # The migrations have run; an empty folder holds none to run again.
        return prove_at(ctx, Path(empty), direct, Request(role=role, owners=owners))


def _owner(decision: Decision) -> str | None:
    """Give the column by which the proof tells two users' rows apart."""
    match decision.kind:
        case Kind.OWNER | Kind.MEMBERSHIP | Kind.PEOPLE:
            column = decision.owners[0].name
        case Kind.TENANT if decision.group_column is not None:
            column = decision.group_column.name
        case Kind.PARENT:
            column = decision.parents[0].column.name
        case Kind.GROUP if decision.group is not None:
            column = (decision.group.owner or decision.group.key).name
        case _:
            return None
    return f"{decision.table}.{column}"


def _differs(item: Item, before: Catalog, after: Catalog) -> bool:
    return any(before.objects[kind].get(name) != after.objects[kind].get(name) for kind, name in item.keys)


def _run(session: Connection, statements: Iterable[str], title: str) -> None:
    for statement in statements:
        try:
            session.execute(trusted(statement))
        except Refused as refused:
            said = str(refused).partition("\n")[0]
            raise ConflictProblem(
                "policy-refused",
                f"On the throw-away branch the server refused {title}: {said}.",
                hint="Nothing was written. Name the owner of the table yourself: --owner table=column",
                statement=statement,
            ) from None
