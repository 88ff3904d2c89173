"""Mask the data of an anonymised branch, and make its past unreachable."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.local import sql
from neondba.local.computes.process import Compute
from neondba.local.control import masking, timelines
from neondba.local.control.actions import branch_of
from neondba.local.control.masking import Rule
from neondba.local.control.masking_errors import explained
from neondba.local.control.worker import sentence, stamp
from neondba.local.state import masking as states
from neondba.local.state.masking import MaskingRow
from neondba.local.state.tables import BranchRow, EndpointRow, OperationRow, TimelineRow
from neondba.postgres.admin import SQL, AdminSession, Identifier

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

BEGIN: Final = (
    "set local search_path = pg_catalog",
    # Triggers would write what was there into audit tables; keys are checked afterwards.
    "set local session_replication_role = replica",
    "set local statement_timeout = 0",
)
VIEWS: Final = (
    "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where c.relkind = 'm' and c.relispopulated order by c.oid"
)


def run(plane: Plane, operation: OperationRow, step: str) -> None:
    """Initialise or anonymise a branch; what goes wrong is its state, and the operation's error.

    Raises:
        Problem: a rule does not fit the data.
    """
    branch = branch_of(plane, operation)
    with plane.state.read() as rows:
        row = rows.get(MaskingRow, branch.id)
    if row is None:
        return
    rules = [masking.read(each) for each in row.listed()]
    failed = states.INITIALIZATION_ERROR if step == "initialize" else states.ERROR
    try:
        with plane.computes.kept(branch.timeline_id) as compute:
            if step == "initialize":
                check(compute, rules)
                note(plane, branch.id, state=states.INITIALIZED, status_message=None)
            else:
                _anonymize(plane, branch, compute, rules)
    except Exception as error:
        now = stamp(plane.clock.now())
        done = {} if step == "initialize" else {"completed_at": now}
        note(plane, branch.id, state=failed, status_message=sentence(error), failed_at=now, **done)
        raise


def check(compute: Compute, rules: list[Rule]) -> None:
    """Plan every statement that the rules become, and run none.

    Raises:
        Problem: a table or column is not there, or an expression does not fit it.
    """
    for database, found in _by_database(rules).items():
        with _open(compute, database) as session, _furnished(session, database, keep=False):
            for parts in masking.tables(found).values():
                _mask(session, parts, plan=True)


def note(plane: Plane, branch_id: str, **values: Any) -> None:
    """Write down how far a branch's masking is."""
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        row = rows.get(MaskingRow, branch_id)
        for name, value in {**values, "updated_at": now}.items():
            if row is not None:
                setattr(row, name, value)


def _anonymize(plane: Plane, branch: BranchRow, compute: Compute, rules: list[Rule]) -> None:
    now = stamp(plane.clock.now())
    clean = {"failed_at": None, "completed_at": None, "status_message": None, "masked_columns": 0}
    note(plane, branch.id, state=states.ANONYMIZING, started_at=now, **clean)
    done, count = 0, len({(rule.database, rule.schema, rule.table) for rule in rules})
    for database, found in _by_database(rules).items():
        with _open(compute, database) as session:
            with _furnished(session, database, keep=True):
                for (schema, table), parts in masking.tables(found).items():
                    done += 1
                    place = f"{database}.{schema}.{table} ({done}/{count})"
                    note(plane, branch.id, status_message=f"Anonymizing table {place}")
                    _mask(session, parts)
                _check_keys(session, found)
                _refresh(session)
            for schema, table in masking.tables(found):
                # The rows that were there are still in the files, and in the statistics.
                query = SQL("vacuum (full, analyze) {}").format(Identifier(schema, table))
                session.execute(query)
    _forget_history(plane, branch)
    finished = {"completed_at": stamp(plane.clock.now()), "masked_columns": len(rules)}
    note(plane, branch.id, state=states.ANONYMIZED, status_message=None, **finished)


def _by_database(rules: list[Rule]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.database, []).append(rule)
    return found


@contextmanager
def _open(compute: Compute, database: str) -> Iterator[AdminSession]:
    with compute.admin() as session:
        rows = session.execute("select datname from pg_database where datallowconn order by oid").fetchall()
    known = [row[0] for row in rows if row[0] not in ("template0", "template1")]
    if database not in known:
        said = f"there is no database {database}; there are {', '.join(known)}"
        raise ArgumentProblem("masking-rule", said)
    with compute.admin(database) as session:
        yield session


@contextmanager
def _furnished(session: AdminSession, database: str, *, keep: bool) -> Iterator[None]:
    """Open a transaction in which the masking functions are there, and gone when it ends."""
    if session.execute("select 1 from pg_namespace where nspname = 'anon'").fetchone():
        raise ConflictProblem(
            "anon-schema",
            f"database {database} has a schema anon of its own; "
            "drop or rename it on this branch and try again",
        )
    with session.transaction(force_rollback=not keep):
        for statement in BEGIN:
            session.execute(SQL(statement))
        session.execute(SQL(sql.text("anon")))
        session.execute(SQL(sql.text("anon_invented")))
        session.execute("select set_config('anon.salt', %s, true)", [secrets.token_hex(16)])
        yield
        session.execute("drop schema anon cascade")


def _mask(session: AdminSession, parts: list[Rule], *, plan: bool = False) -> None:
    """Run a table's statement with the rights that API-made roles have, not the superuser's."""
    statement = masking.update(session, parts)
    if plan:
        statement = SQL("explain {}").format(statement)
    with explained(session, parts):
        session.execute("select anon._run(%s)", [statement.as_string(session)])


def _check_keys(session: AdminSession, rules: list[Rule]) -> None:
    """Refuse masks that left rows without the row they refer to.

    Raises:
        ConflictProblem: which foreign key, and what to do.
    """
    masked = [json.dumps([rule.schema, rule.table, rule.column], ensure_ascii=False) for rule in rules]
    for name, here, there in session.execute(sql.text("masked_keys"), [masked]).fetchall():
        child, parent = (Identifier(*side[0][:2]) for side in (here, there))
        given = [SQL("c.{} is not null").format(Identifier(column)) for *_, column in here]
        pairs = zip(here, there, strict=True)
        same = [SQL("p.{} = c.{}").format(Identifier(other[2]), Identifier(own[2])) for own, other in pairs]
        query = SQL("select 1 from {} c where {} and not exists (select from {} p where {})").format(
            child, SQL(" and ").join(given), parent, SQL(" and ").join(same)
        )
        if session.execute("select anon._finds(%s)", [query.as_string(session)]).fetchone() == (True,):
            first, second = (", ".join(".".join(each) for each in side) for side in (here, there))
            raise ConflictProblem(
                "masking-broke-key",
                f"masking broke foreign key {name}: rows of {first} refer to values that {second} no longer "
                f"has. Mask neither side, or both with the same function of the value, such as "
                f"anon.hash({here[0][2]}) and anon.hash({there[0][2]})",
            )


def _refresh(session: AdminSession) -> None:
    """Build materialized views again: they hold copies of what was masked."""
    for schema, name in session.execute(VIEWS).fetchall():
        session.execute(SQL("refresh materialized view {}").format(Identifier(schema, name)))


def _forget_history(plane: Plane, branch: BranchRow) -> None:
    """Drop the log and the base copies of the time before, and the way to the parent's.

    The next base is taken by itself once the compute is awake.
    """
    name = branch.timeline_id
    with plane.history.reading(name):
        plane.computes.stop(name)
        archive = plane.history.archive(name)
        for folder in (archive.wal, archive.bases_folder):
            shutil.rmtree(folder, ignore_errors=True)
        with plane.state.change() as rows:
            timeline = rows.get(TimelineRow, name)
            if timeline is not None:
                timeline.parent_id = None
            replicas = [row.id for row in rows.all(EndpointRow, branch_id=branch.id, type="read_only")]
    for replica in replicas:
        # They are made anew from the masked rows: until they have caught up they would show the old ones.
        timelines.discard(plane, replica)
    plane.computes.start(name)
