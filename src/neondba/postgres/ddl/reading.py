"""Read the schema of a database from its catalogs, in one consistent look."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, cast

from psycopg import IsolationLevel
from psycopg.errors import InternalError_, UndefinedObject, UndefinedTable

from neondba.core.problem import ConflictProblem
from neondba.postgres.connect import Connection, Row, trusted
from neondba.postgres.ddl import values
from neondba.postgres.ddl.requirements import Address, requirements
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.values import Part, Thing, Value
from neondba.postgres.queries import query

KINDS: Final[dict[str, type[Value]]] = {
    "schemas": values.Namespace,
    "extensions": values.Extension,
    "enums": values.Enum,
    "domains": values.Domain,
    "composites": values.Composite,
    "ranges": values.Range,
    "sequences": values.Sequence,
    "tables": values.Table,
    "columns": values.Column,
    "constraints": values.Constraint,
    "indexes": values.Index,
    "views": values.View,
    "functions": values.Function,
    "triggers": values.Trigger,
    "event_triggers": values.EventTrigger,
    "policies": values.Policy,
    "rules": values.Rule,
    "statistics": values.Statistics,
    "default_privileges": values.DefaultPrivileges,
}
"""Query file (`ddl_…`) to what its rows become."""
EXTRA: Final = ("comments", "grants", "depends", "not_compared")
ATTRDEF: Final = 2604
"""Number of pg_attrdef, the same in every database."""
OWNER: Final = "@owner"
TRIES: Final = 5
FOR_EVERYBODY: Final[dict[type[Value], values.Grants]] = {
    values.Function: {"PUBLIC": ("EXECUTE",)},
    values.Enum: {"PUBLIC": ("USAGE",)},
    values.Domain: {"PUBLIC": ("USAGE",)},
    values.Composite: {"PUBLIC": ("USAGE",)},
    values.Range: {"PUBLIC": ("USAGE",)},
}
"""What PostgreSQL grants on a new object."""
SERVER: Final = (
    "select quote_ident(current_user) as role, current_setting('server_version_num')::int / 10000 as major"
)


def schema_of(session: Connection, without: Collection[str] = (), *, owners: bool = False) -> Schema:
    """Read every object of a database.

    Args:
        session: Open on the database; not inside a transaction.
        without: Tables to leave out with what hangs on them, by quoted qualified name.
        owners: Whether owners count too.

    Raises:
        ConflictProblem: others change the schema faster than it can be read.
    """
    for _ in range(TRIES):
        session.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            with session.transaction():
                rows, about = _looked(session)
            return _assembled(rows, about, frozenset(without), owners)
        except (InternalError_, UndefinedObject, UndefinedTable):
            continue  # The functions that print definitions do not see the past: something was dropped.
        finally:
            session.isolation_level = None
    raise ConflictProblem(
        "schema-moving",
        f"The schema of {session.info.dbname} changes while it is read.",
        hint="Wait until the migration that runs there has ended, then try again.",
    )


def schema_in(session: Connection, without: Collection[str] = (), *, owners: bool = False) -> Schema:
    """Read every object as the open transaction sees it, its own changes included."""
    path = session.execute("select current_setting('search_path') as path").fetchone()
    rows, about = _looked(session)
    session.execute("select set_config('search_path', %s, true)", [path["path"] if path else ""])
    return _assembled(rows, about, frozenset(without), owners)


def _looked(session: Connection) -> tuple[dict[str, list[Row]], Row]:
    # With an empty path, Postgres qualifies every name it prints.
    session.execute("set local search_path = ''")
    with session.pipeline():
        cursors = {name: session.execute(trusted(query(f"ddl_{name}"))) for name in (*KINDS, *EXTRA)}
        server = session.execute(trusted(SERVER))
    return {name: cursor.fetchall() for name, cursor in cursors.items()}, server.fetchone() or {}


def _assembled(rows: dict[str, list[Row]], about: Row, without: Collection[str], owners: bool) -> Schema:
    comments = {_address(row): row["text"] for row in rows["comments"]}
    grants = _grants(rows["grants"])
    keys: dict[Address, str] = {}
    objects: dict[str, Value] = {}
    for file, kind in KINDS.items():
        for row in rows[file]:
            address = _address(row)
            value = _value(kind, row, comments.get(address), grants.get(address), owners)
            keys[address] = value.key
            if isinstance(value, values.Column) and row["default_oid"] is not None:
                plain = value.default is not None
                keys[ATTRDEF, row["default_oid"], 0] = f"default {value.name}" if plain else value.key
            if not _left_out(value, without):
                objects[value.key] = value
    return Schema.model_construct(
        objects=cast("dict[str, Thing]", objects),
        requires=requirements(rows["depends"], keys, objects),
        role=about["role"],
        major=about["major"],
        not_compared=tuple(f"{row['number']} {row['kind']}" for row in rows["not_compared"]),
    )


def _address(row: Row) -> Address:
    return row["classid"], row["objid"], row["objsubid"]


def _grants(rows: list[Row]) -> dict[Address, values.Grants]:
    found: dict[Address, values.Grants] = {}
    for row in rows:
        # An object from which even the owner's rights were taken has no row of the owner.
        of = found.setdefault(_address(row), {OWNER: ()})
        if row["grantee"] == OWNER and row["standard"]:
            del of[OWNER]
        elif row["grantee"] is not None:
            of[row["grantee"]] = tuple(row["privileges"])
    return found


def _value(
    kind: type[Value], row: Row, comment: str | None, grants: values.Grants | None, owners: bool
) -> Value:
    given = {name: row[name] for name in kind.model_fields if name in row} | {"comment": comment}
    if not owners:
        given["owner"] = None
    if grants is None:
        given["grants"] = FOR_EVERYBODY.get(kind, {})
    elif kind in (values.Column, values.DefaultPrivileges):
        given["grants"] = {grantee: held for grantee, held in grants.items() if grantee != OWNER}
    else:
        given["grants"] = grants
    if kind is values.Index:
        given["definition"] = _on_partitions_too(row)
    return kind.model_validate(given)


def _on_partitions_too(row: Row) -> str:
    """Take out the ONLY that the server prints for an index of a partitioned table."""
    unique = "UNIQUE " if row["unique"] else ""
    head = f"CREATE {unique}INDEX {row['part']} ON "
    return str(row["definition"]).replace(f"{head}ONLY {row['table']} ", f"{head}{row['table']} ", 1)


def _left_out(value: Value, without: Collection[str]) -> bool:
    if isinstance(value, values.Sequence) and value.owned_by is not None:
        return any(value.owned_by.startswith(f"{table}.") for table in without)
    return (value.table if isinstance(value, Part) else value.name) in without
