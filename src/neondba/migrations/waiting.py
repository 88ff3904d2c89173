"""Say why a wait grows with the table: what a statement does to rows while a lock is held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from neondba.postgres.catalog import Catalog
from neondba.postgres.statement import AlterTable, Change, CreateIndex, Name, RowChange, Statement
from neondba.postgres.statements import parse

CHECKED = "until every row is checked"
BUILT = "until the index is built"


class Growth:
    """Reads the statements of one step in order, and remembers what checks guarantee meanwhile."""

    def __init__(self, known: Collection[str], before: Catalog, rewritten: Collection[str]) -> None:
        """Take the tables from before the step, as newer ones are empty, and those written anew."""
        self._known = {name.rpartition(".")[2].strip('"'): name for name in known}
        self._rewritten = rewritten
        self._guaranteed: dict[str, str] = defaultdict(str)
        self._awaited: dict[tuple[str, str], str] = {}
        for name, constraint in before.objects.get("constraint", {}).items():
            table, _, own = name.rpartition(".")
            self._checks(
                table, own.strip('"'), constraint["definition"] or "", constraint["validated"] == "yes"
            )

    def reason(self, text: str) -> str | None:
        """Give what the statement does to all rows; nothing when its time does not depend on them."""
        statements = [one for whole in parse(text) for one in (whole, *whole.nested)]
        return next(iter([reason for one in statements for reason in self._reasons(one)]), None)

    def _reasons(self, statement: Statement) -> Iterator[str]:
        match statement.action:
            case CreateIndex(concurrently=False) as index if self._name(index.table):
                yield BUILT
            case RowChange() as change if self._name(change.table):
                yield f"until rows are {'updated' if change.kind == 'update' else 'deleted'}"
            case AlterTable(table, changes) if name := self._name(table):
                if name in self._rewritten:
                    yield "until the table is written anew"
                yield from self._of_changes(name, changes)

    def _of_changes(self, table: str, changes: Iterable[Change]) -> Iterator[str]:
        for change in changes:
            constraint = change.constraint
            if change.kind == "set not null" and not self._holds_no_null(table, change.name or ""):
                yield CHECKED
            elif change.kind == "validate constraint":
                self._guaranteed[table] += self._awaited.get((table, change.name or ""), "")
                yield CHECKED
            elif constraint and constraint.kind in ("unique", "primary key") and not constraint.using_index:
                yield BUILT
            elif constraint and constraint.kind in ("check", "foreign key"):
                self._checks(
                    table, constraint.name or "", constraint.expression or "", not constraint.not_valid
                )
                if not constraint.not_valid:
                    yield CHECKED

    def _checks(self, table: str, name: str, expression: str, valid: bool) -> None:
        plain = expression.lower().replace('"', "")
        text = f"({plain})"
        if valid:
            self._guaranteed[table] += text
        else:
            self._awaited[table, name] = text

    def _holds_no_null(self, table: str, column: str) -> bool:
        return f"({column.lower()} is not null)" in self._guaranteed[table]

    def _name(self, table: Name) -> str | None:
        return self._known.get(table.name)
