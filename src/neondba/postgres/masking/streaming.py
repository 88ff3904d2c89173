"""Stream masked rows from one database into another; originals never leave the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import psycopg
from psycopg import sql

from neondba.core.problem import ConflictProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, trusted
from neondba.postgres.masking import text
from neondba.postgres.masking.columns import Column
from neondba.postgres.masking.decision import Decision, State
from neondba.postgres.masking.kinds import expression
from neondba.postgres.masking.looking import table_of
from neondba.postgres.masking.unfitting import unfitting, unread

LONGEST: Final = 1000
CHUNK: Final = 1 << 16
BLOCK: Final = 64
"""Bytes that HMAC-SHA-256 takes at once."""
PARALLEL: Final = (
    "set max_parallel_workers_per_gather = 2",
    "set parallel_setup_cost = 0",
    "set parallel_tuple_cost = 0",
    "set min_parallel_table_scan_size = '1MB'",
    "set jit = off",
)
"""Masking costs more than anything else of such a query, and the planner does not know."""


def room_for_addresses(columns: Sequence[Column], decisions: Mapping[str, Decision]) -> int:
    """Give the characters that every masked e-mail address of a database may have."""
    masked = (column for column in columns if decisions[column.where].kind == "email")
    return min([column.room for column in masked if column.room] + [LONGEST])


def equip(session: Connection, key: Secret, room: int = LONGEST) -> None:
    """Make the masking functions, and give the session the key of this run.

    The key goes as a parameter: no statement that a server logs or counts holds it.
    """
    session.execute(trusted(text("functions")))
    plain = key.reveal()
    for name, pad in (("inner", 0x36), ("outer", 0x5C)):
        session.execute(
            "select set_config(%s, %s, false)",
            [f"neondba_mask.{name}", "".join(chr(ord(sign) ^ pad) for sign in plain)],
        )
    session.execute("select set_config('neondba_mask.room', %s, false)", [str(room)])
    for statement in PARALLEL:
        session.execute(trusted(statement))


def new_key(pick: Callable[[str], str]) -> Secret:
    """Make the key of a run from a source of chance.

    As many signs as a block of the hash, of which none becomes zero by HMAC's two pads.
    """
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01234578"
    return Secret("".join(pick(signs) for _ in range(BLOCK)))


class Stream:
    """Copy the tables of one database."""

    def __init__(
        self,
        source: Connection,
        target: Connection,
        decisions: Mapping[str, Decision],
        documents: Mapping[str, str],
    ) -> None:
        self._source = source
        self._target = target
        self._decisions = decisions
        self._documents = documents

    def copy(self, columns: Sequence[Column], tell: Callable[[int], None]) -> int:
        """Copy one table; give how many rows it has.

        Raises:
            ConflictProblem: a masked value does not fit a constraint of the table.
        RemoteProblem: the rows could not be read or written.
        """
        given = [column for column in columns if not column.generated]
        if not given:
            return 0
        reading = sql.SQL("copy (select {} from {}) to stdout").format(
            sql.SQL(", ").join(self._read(column) for column in given), table_of(given[0])
        )
        writing = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(*given[0].of), sql.SQL(", ").join(sql.Identifier(each.column) for each in given)
        )
        rows = 0
        try:
            with self._target.cursor() as writer, writer.copy(writing) as into:
                for rows, chunk in self._chunks(reading):
                    into.write(chunk)
                    tell(rows)
            return rows
        except psycopg.errors.IntegrityError as error:
            raise unfitting(".".join(given[0].of), error) from None
        except (psycopg.errors.DataException, psycopg.errors.FeatureNotSupported) as error:
            raise _unfit(".".join(given[0].of), error) from None
        except psycopg.Error as error:
            raise unread(".".join(given[0].of), error) from None

    def _chunks(self, reading: sql.Composed) -> Iterator[tuple[int, bytes]]:
        held: list[bytes] = []
        size = rows = 0
        with self._source.cursor() as reader, reader.copy(reading) as out:
            for block in out:
                held.append(bytes(block))
                size += len(block)
                rows += 1
                if size >= CHUNK:
                    yield rows, b"".join(held)
                    held, size = [], 0
        if held:
            yield rows, b"".join(held)

    def _read(self, column: Column) -> sql.Composable:
        decision = self._decisions[column.where]
        if decision.state is not State.MASKED:
            return sql.Identifier(column.column)
        if decision.kind == "value":
            return sql.SQL("{}::{}").format(sql.Literal(decision.value), sql.SQL(trusted(column.type)))
        keys = self._documents.get(column.where, "{}")
        return expression(column, str(decision.kind), keys, decision.inside)


def _unfit(table: str, error: psycopg.Error) -> ConflictProblem:
    said = (error.diag.message_primary or "").partition(":")[0]
    return ConflictProblem(
        "mask-breaks-type",
        f"A masked value does not fit its column in {table}: {said}.",
        hint="Give that column another mask or a value under [tool.neondba.mask].",
        table=table,
    )
