"""The verdict on each statement of a run: bound, bound later, by policy, public, or open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from neondba.project.isolation.judged import Binding, Entrance, Judged
from neondba.project.typescript import callers
from neondba.project.typescript.owned import GROUPS, OwnedTable, folded
from neondba.project.typescript.run import Run
from neondba.project.typescript.statements import PUBLIC, Statement, is_token
from neondba.project.typescript.values import Value

ID = re.compile(r"(^|_)(id|ids|uuid|guid|pk|no|number)$|I[dD]s?$|Uuid$|^path$|[kK]ey$")
"""Columns that name one row, or the one it belongs to."""
READS = ("get", "select")
COUNTING = ("increment", "decrement")


@dataclass(frozen=True)
class Verdict:
    """A judged statement with what a rule needs to tell about it."""

    judged: Judged
    statement: Statement
    entrance: Door
    claim: str = ""
    """The path of the client's value that picks the rows or names their owner: `params.id`."""
    column: str = ""
    """The column it is compared with or written to."""
    fault: str = ""
    """`row`, `list`, `owner` or `parent` (of a new row), `relative` (that it is tied to), `spread`, or
    nothing."""


@dataclass(eq=False)
class Door:
    """An entrance with what was learned about it on the way."""

    entrance: Entrance
    run: Run
    guarded: bool = False
    """Something before it lets no stranger in: a middleware, a wrapper, a procedure."""
    staff: bool = False
    machine: str = ""

    @property
    def strangers(self) -> bool:
        """Whether strangers get in as well as callers that are known."""
        return not self.guarded and self.run.optional and not self.run.refused

    @property
    def known(self) -> bool:
        """Whether a caller is known, or a stranger was turned away before."""
        return bool(self.run.callers) or self.guarded


def verdicts(door: Door) -> list[Verdict]:
    """Judge the statements of one entrance; such as only follow an open one are left out."""
    found: list[Verdict] = []
    for statement in door.run.statements.values():
        if statement.table is None or statement.quiet or not statement.table.is_owned:
            continue
        made = _verdict(door, statement)
        if made is not None:
            found.append(made)
    return found


def _verdict(door: Door, statement: Statement) -> Verdict | None:
    bound = _bound(door, statement)
    if bound is None:
        public = _public(door, statement)
        if public:
            bound = (Binding.PUBLIC, public)
    claim, column = _claim(statement)
    fault = "row" if claim else "list"
    if bound is None and statement.kind == "insert":
        claim, column = _named_owner(door, statement)
        fault = "owner"
    elif bound is None and not claim and statement.where:
        return None
    elif bound is None and statement.kind in READS and column and not ID.search(column):
        if statement.kind == "get":
            bound = (Binding.PUBLIC, f"asks whether there is a row with this {column}")
        fault = "list"
    elif bound is not None and (written := _written(door, statement, bound[0])):
        fault, claim, column = written
        bound = None
    why = "nothing compares the row with the caller"
    binding, why = bound or (Binding.OPEN, why)
    assert statement.table is not None
    judged = Judged(
        door.entrance, statement.kind, statement.table.name, statement.table.owner, statement.path,
        statement.line, binding, why, statement.way,
    )  # fmt: skip
    return Verdict(judged, statement, door, claim, column, fault if binding is Binding.OPEN else "")


def _written(door: Door, statement: Statement, binding: Binding) -> tuple[str, str, str] | None:
    """Tell what the client may write that decides whose a row is, though the row itself was checked."""
    run, table = door.run, statement.table
    assert table is not None
    machine = door.machine or run.machine
    if binding is Binding.BY_POLICY or door.staff or machine or not door.known:
        return None
    staff = statement.staff or run.staff
    if not staff and (parent := _parent(run, statement)):
        return ("parent", *parent)
    if not staff and (relative := _relative(run, statement)):
        return ("relative", *relative)
    # That staff may do more does not help where everybody else may write the own rows.
    if staff and not (statement.compared or run.bound_by(statement)):
        return None
    if (
        statement.kind == "update"
        and is_raw(run, statement.spread)
        and statement.spread not in statement.checks
    ):
        return "spread", statement.spread, table.owner
    return None


def _relative(run: Run, statement: Statement) -> tuple[str, str] | None:
    """Give the client's value that ties the caller's row to a row of somebody else's, and its column."""
    table = statement.table
    if table is None or not table.relatives or statement.kind not in ("insert", "update"):
        return None
    for column, value in statement.data:
        if folded(column) in table.relatives and not run.is_bound(value.origins, statement.checks):
            claim = _client(value)
            if claim and claim not in run.ever:
                return claim, column
    if statement.kind != "insert" or not statement.spread:
        return None
    written = {folded(c) for c, _ in statement.data}
    for name in table.table.columns:
        found = table.table.columns[name]
        missing = folded(name) in table.relatives and folded(name) not in written
        claim = f"{statement.spread}.{found.field or name}"
        # What must be there and is not named comes with the whole object.
        if missing and not found.nullable and found.default is None and claim not in run.ever:
            return claim, found.field or name
    return None


def _parent(run: Run, statement: Statement) -> tuple[str, str] | None:
    """Give the client's value that puts a row under a parent nobody checked, and its column."""
    table = statement.table
    if table is None or not table.parent or not table.private or statement.kind not in ("insert", "update"):
        return None
    if statement.kind == "insert" and run.bound_by(statement):
        return None
    named = {folded(column): value for column, value in statement.data}
    if table.parent in named:
        value = named[table.parent]
        claim = _client(value)
        column = next(c for c, _ in statement.data if folded(c) == table.parent)
        return (claim, column) if claim and not run.is_bound(value.origins, statement.checks) else None
    whole = statement.spread
    if not whole or (statement.kind == "update" and whole.partition(".")[0] in run.parsed):
        return None
    inside = {
        path
        for path in statement.checks
        if path == whole or folded(path) == folded(f"{whole}.{table.parent}")
    }
    return None if inside else (whole, table.owner.partition(".")[0])


def _bound(door: Door, statement: Statement) -> tuple[Binding, str] | None:
    run = door.run
    if statement.kind == "insert":
        return _insert_is_bound(door, statement)
    if statement.by_policy:
        return (Binding.BY_POLICY, f"{statement.by_policy}: the policies of {statement.table_name} decide")
    if why := run.bound_by(statement):
        return (Binding.BOUND, why)
    if statement.compared:
        return (Binding.BOUND_LATER, statement.compared[1])
    if not statement.is_write and (why := _vouched_later(run, statement)):
        return (Binding.BOUND_LATER, why)
    if door.staff or statement.staff or (run.staff and not statement.is_write):
        told = statement.staff or (run.staff[1] if run.staff else door.entrance.name)
        return (Binding.BOUND, f"only staff get here: {told}")
    if statement.by_client and "admin" not in statement.by_client.lower():
        return (Binding.BY_POLICY, "the policies of the provider decide what its client reads")
    return None


def _vouched_later(run: Run, statement: Statement) -> str:
    return run.is_bound(frozenset(o for o in statement.origins_of_where() if o[0] == "client"), run.ever)


def _insert_is_bound(door: Door, statement: Statement) -> tuple[Binding, str] | None:
    if statement.by_policy:
        return (Binding.BY_POLICY, f"{statement.by_policy}: the policies of {statement.table_name} decide")
    if door.staff or statement.staff:
        return (Binding.BOUND, f"only staff get here: {statement.staff or door.entrance.name}")
    claim, _ = _named_owner(door, statement)
    if claim:
        return None
    if door.run.callers:
        return (Binding.BOUND, door.run.callers[0])
    return (Binding.PUBLIC, "a row for nobody in particular")


def _named_owner(door: Door, statement: Statement) -> tuple[str, str]:
    """Give the client's value that is written as the owner of a new row, unless it was checked."""
    assert statement.table is not None
    if "." in statement.table.owner or statement.table.people:
        return "", ""
    given = [(c, v) for c, v in statement.data if folded(c) in statement.table.columns]
    bound = [c for c, v in given if door.run.is_bound(v.origins, statement.checks)]
    mine = any(folded(c) not in GROUPS for c in bound)
    for column, value in given:
        if column in bound or (mine and folded(column) not in GROUPS):
            continue  # Beside the caller's own id, another one names whom the row is about.
        if folded(column) in GROUPS and not door.known:
            continue  # A stranger's form: a message to a company.
        if claim := _client(value):
            return claim, column
    return _overwritten(door, statement, bound) if door.known else ("", "")


def _overwritten(door: Door, statement: Statement, bound: list[str]) -> tuple[str, str]:
    """Give the owner that an object of the client's brings along: alone, or after the caller's own id."""
    table, whole = statement.table, statement.spread
    assert table is not None
    if not is_raw(door.run, whole) or (folded(table.owner) in GROUPS and not bound):
        return "", ""
    columns = [c for c, _ in statement.data]
    last = max(n for n, c in enumerate(columns) if c in ("", "..."))
    if any(folded(c) in table.columns for c in columns[last + 1 :]):
        return "", ""
    column = bound[0] if bound else table.owner
    return f"{whole}.{column}", column


def is_raw(run: Run, whole: str) -> bool:
    """Tell whether an object is what the client sent, with fields nobody named."""
    return bool(whole) and whole.partition(".")[0] not in (*run.parsed, "valid", "tool")


def _claim(statement: Statement) -> tuple[str, str]:
    for column, value in statement.where:
        if claim := _client(value):
            return claim, column
    return "", ""


def _client(value: Value) -> str:
    return next((key for kind, key in sorted(value.origins) if kind == "client"), "")


def _public(door: Door, statement: Statement) -> str:
    """Tell why a statement is meant for everyone, or for nobody in particular."""
    run, table = door.run, statement.table
    assert table is not None
    if why := door.machine or run.machine:
        return f"another program calls, and proves itself by {why}"
    token = next((c for c, v in statement.where if is_token(c) and v.origins), "")
    if token:
        return f"whoever knows the {token}"
    by_email = any(folded(c) == "email" for c, _ in statement.where)
    if table.people and (by_email or run.login):
        return "signing in or up by e-mail" if by_email else "signing in"
    if _counts(statement) and table.read_by_all:
        return "only a counter moves"
    if _takes(run, statement):
        return "a free row is taken for a new one of the caller's"
    return _shown(door, statement, table) if statement.kind in READS else ""


def _shown(door: Door, statement: Statement, table: OwnedTable) -> str:
    """Tell why everyone may read what a statement reads."""
    shown = next((c for c, v in statement.where if PUBLIC.match(folded(c))), "")
    if shown:
        return f"only rows whose {shown} says so"
    if statement.amount:
        return "only a number"
    if statement.used == "tested":
        return "only asks whether there is such a row"
    if table.people:
        return "users may be shown to others"
    # What is made to be read by all are the rows, not who stands behind them.
    behind = bool(statement.people) and statement.kind == "get" and table.private and door.known
    if (table.read_by_all or not table.private) and not behind:
        return f"{table.name} rows are made to be read by others"
    return ""


def _takes(run: Run, statement: Statement) -> bool:
    """Tell whether an update takes what was free, for a new row of the caller's that names it."""
    set_ = {folded(c) for c, v in statement.data if not v.origins}
    if statement.kind != "update" or not set_ or len(set_) < len(statement.data):
        return False
    asked = {o for o in statement.origins_of_where() if o[0] == "client"}
    free = any(
        s.kind in READS and s.table is statement.table and asked & s.origins_of_where()
        and set_ & {folded(c) for c, v in s.where if not v.origins}
        for s in run.statements.values()
    )  # fmt: skip
    return free and any(
        s.kind == "insert" and run.bound_by(s) and asked & {o for _, v in s.data for o in v.origins}
        for s in run.statements.values()
    )


def _counts(statement: Statement) -> bool:
    """Tell whether an update only moves a number up or down."""
    data = statement.data
    return statement.kind == "update" and bool(data) and all(c in COUNTING and not v.origins for c, v in data)


def is_machine(path: str) -> bool:
    """Tell whether an address is for other programs."""
    return bool(callers.MACHINE_PATH.search(path))
