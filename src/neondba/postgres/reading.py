"""Whether a statement only reads: decided on PostgreSQL's own syntax tree, before a server sees it.

This is the first of three gates. The second is the catalog, which knows what a function may do
(`calls_refused`), the third the server: a role that may only read, in a transaction that may only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from neondba.postgres.connect import Connection, ask

# fmt: off
VOLATILE_AND_HARMLESS: Final = frozenset((
    "clock_timestamp", "gen_random_uuid", "pg_blocking_pids", "pg_current_logfile",
    "pg_current_wal_flush_lsn", "pg_current_wal_insert_lsn", "pg_current_wal_lsn", "pg_database_size",
    "pg_indexes_size", "pg_is_in_recovery", "pg_is_wal_replay_paused", "pg_last_committed_xact",
    "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp",
    "pg_partition_ancestors", "pg_partition_tree", "pg_relation_size", "pg_sequence_last_value",
    "pg_table_size", "pg_tablespace_size", "pg_total_relation_size", "pg_xact_commit_timestamp",
    "pg_xact_status", "random", "random_normal", "timeofday", "txid_status", "uuidv4", "uuidv7",
))
# fmt: on
"""Of pg_catalog: their answer changes, and they change nothing."""
RUNS_TEXT: Final = frozenset({"crosstab", "crosstab2", "crosstab3", "crosstab4", "connectby", "xpath_table"})
"""Of extensions: declared to read only, but they run a statement that they are handed as text."""
READS_WHAT_IT_NAMES: Final = frozenset(
    f"{what}_to_xml{also}" for what in ("table", "schema", "database") for also in ("", "_and_xmlschema")
)
"""Of pg_catalog: declared to read only, but which table they read stands in their arguments."""
HOLD_PASSWORDS: Final = frozenset({"pg_authid", "pg_shadow", "pg_subscription", "pg_user_mapping"})
"""Of pg_catalog: pg_read_all_data may read them."""
AS_WRITTEN: Final = {
    "AlterTableStmt": "ALTER",
    "CopyStmt": "COPY",
    "CreateStmt": "CREATE TABLE",
    "CreateTableAsStmt": "CREATE TABLE AS",
    "IndexStmt": "CREATE INDEX",
    "ReindexStmt": "REINDEX",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
    "RenameStmt": "ALTER ... RENAME",
    "TransactionStmt": "BEGIN, COMMIT or ROLLBACK",
    "VariableSetStmt": "SET or RESET",
    "ViewStmt": "CREATE VIEW",
}
"""Statements whose name in the grammar is not how people write them."""
PLANNED: Final = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
"""What a plain EXPLAIN may hold: nothing of it is executed."""


class Call(NamedTuple):
    """A function that a statement calls."""

    schema: str | None
    name: str


class Table(NamedTuple):
    """A relation that a statement names."""

    schema: str | None
    name: str


@dataclass(frozen=True)
class Read:
    """What a statement needs if it only reads."""

    refused: str | None
    """Why it may not run; `None` if its text only reads."""
    calls: frozenset[Call] = frozenset()
    tables: frozenset[Table] = frozenset()
    explains: bool = False
    """True for EXPLAIN and SHOW: there is no plan to ask for first."""


def read(sql: str) -> Read:
    """Say whether one statement only reads, and which functions and tables it names."""
    import postgast

    if "\x00" in sql:
        # The parser reads up to it, and so would see less than all.
        return Read("it holds a zero byte")
    try:
        statements = postgast.parse(sql).stmts
    except postgast.PgQueryError as wrong:
        return Read(f"PostgreSQL's grammar does not know it: {wrong.message}")
    except (ValueError, RecursionError) as wrong:
        return Read(f"the parser gave up: {wrong}")
    if not statements:
        return Read("there is no statement in it")
    if len(statements) > 1:
        return Read(f"these are {len(statements)} statements; one runs at a time")
    kind = statements[0].stmt.WhichOneof("node")
    tree = getattr(statements[0].stmt, kind)
    if kind == "variable_show_stmt":
        return Read(None, explains=True)
    if kind == "explain_stmt":
        return _explained(tree)
    return _found(tree, plans=False)


def _explained(tree: Any) -> Read:
    executes = any(
        option.def_elem.defname == "analyze" and _is_on(option.def_elem) for option in tree.options
    )
    inner = getattr(tree.query, tree.query.WhichOneof("node"))
    found = _found(inner, plans=not executes)
    return Read(found.refused, found.calls, found.tables, explains=True)


def _is_on(option: Any) -> bool:
    kind = option.arg.WhichOneof("node")
    if kind is None:
        return True
    fields = {"string": "sval", "integer": "ival", "boolean": "boolval"}
    # What is none of these is refused by the server; until then it counts as on.
    said = getattr(getattr(option.arg, kind), fields[kind]) if kind in fields else "on"
    return str(said).lower() not in {"false", "off", "0", "no"}


def _found(tree: Any, *, plans: bool) -> Read:
    name = type(tree).__name__
    if name not in (PLANNED if plans else {"SelectStmt"}):
        return Read(f"{_spoken(name)} does more than read")
    calls: set[Call] = set()
    tables: set[Table] = set()
    ctes: set[str] = set()
    for node in _nodes(tree):
        kind = type(node).__name__
        if (why := _nameless(node)) or (not plans and (why := _changes(kind))):
            return Read(why)
        if kind == "FuncCall":
            parts = [part.string.sval for part in node.funcname]
            calls.add(Call(parts[-2] if len(parts) > 1 else None, parts[-1]))
        elif kind == "RangeVar":
            tables.add(Table(node.schemaname or None, node.relname))
        elif kind == "CommonTableExpr":
            ctes.add(node.ctename)
    # Not only the real ones: inside a CTE of that name, the name still means the catalog's table.
    for table in sorted(tables, key=str):
        if table.name in HOLD_PASSWORDS and table.schema in (None, "pg_catalog"):
            return Read(f"{table.name} holds passwords or their verifiers; pg_roles lists roles without")
    real = {table for table in tables if table.schema or table.name not in ctes}
    return Read(None, frozenset(calls), frozenset(real))


def _changes(kind: str) -> str | None:
    if kind.endswith("Stmt") and kind != "SelectStmt":
        return f"{_spoken(kind)} inside it does more than read"
    if kind == "IntoClause":
        return "SELECT INTO makes a table"
    if kind == "LockingClause":
        return "FOR UPDATE and FOR SHARE lock rows"
    return None


def _nameless(node: Any) -> str | None:
    if type(node).__name__ == "ParamRef":
        return f"${node.number} stands for a value, and none is given with a query: write the value there"
    return None


def _nodes(message: Any) -> Iterator[Any]:
    """Walk the tree without recursion: a statement may be nested deeper than Python's stack."""
    waiting = [message]
    while waiting:
        node = waiting.pop()
        if type(node).__name__ != "Node":
            yield node
        for field, value in node.ListFields():
            if field.message_type is not None:
                waiting += [value] if hasattr(value, "ListFields") else list(value)


def _spoken(kind: str) -> str:
    if kind in AS_WRITTEN:
        return AS_WRITTEN[kind]
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in kind.removesuffix("Stmt"))
    return words.strip().upper()


def calls_refused(session: Connection, calls: frozenset[Call]) -> list[str]:
    """Say of each called function that may change something why it may not run.

    The catalog is asked for every function of that name: which one a call means depends on the types of
    its arguments and the search path.
    """
    there = ask(session, "called_functions", sorted({call.name for call in calls}))
    found = []
    for call in sorted(calls, key=str):
        meant = [row for row in there if call.name == row["name"] and call.schema in (None, row["schema"])]
        if not meant:
            found.append(f"there is no function {call.name}() here")
        found += [f"{row['schema']}.{call.name}() {why}" for row in meant if (why := _why_not(row))]
    return found


def _why_not(row: dict[str, Any]) -> str | None:
    if row["name"] in RUNS_TEXT and row["schema"] != "pg_catalog":
        return "runs a statement that it is handed as text"
    if row["name"] in READS_WHAT_IT_NAMES and row["schema"] == "pg_catalog":
        return "reads tables that only its arguments name"
    if row["volatile"] and not (row["schema"] == "pg_catalog" and row["name"] in VOLATILE_AND_HARMLESS):
        return "is VOLATILE: it may change something, or wait"
    return None
