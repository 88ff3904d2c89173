"""Be an application for a while: read, change and insert rows, and note every wait."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg import sql

from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.postgres.applied import brief
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.seeding import CannotSeedError, Seeder
from neondba.postgres.shapes import Shape

WORKERS: Final = 4
PAUSE: Final = 0.01
"""Seconds between two statements of one worker: it is an application, not a benchmark."""
SAMPLE: Final = 300
"""Rows whose keys are used."""
SLOW: Final = 1.0

Send = Callable[[Connection, random.Random], None]


@dataclass(frozen=True)
class Deed:
    """One thing that the application does."""

    text: str
    table: str
    send: Send
    weight: int = 1


@dataclass(frozen=True)
class Sent:
    """One statement and what came of it."""

    text: str
    began: float
    ended: float
    error: str | None = None


@dataclass
class Suffered:
    """What the application went through in a stretch of time."""

    statements: int = 0
    longest: float = 0.0
    waiting: str | None = None
    slow: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class Load:
    """Workers that send the deeds until they are stopped."""

    def __init__(self, url: Secret, deeds: Sequence[Deed], seed: int, limit: float) -> None:
        self._url, self._deeds, self._limit = url, list(deeds), limit
        self._over = threading.Event()
        self._sent: list[Sent] = []
        chances = [random.Random(seed + n) for n in range(WORKERS)]  # noqa: S311 - which row next
        self._threads = [threading.Thread(target=self._work, args=(c,), daemon=True) for c in chances]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(self._limit)

    def _work(self, chance: random.Random) -> None:
        weights = [deed.weight for deed in self._deeds]
        try:
            with connect(self._url, limit=self._limit) as session:
                session.prepare_threshold = None
                while not self._over.wait(PAUSE):
                    deed = chance.choices(self._deeds, weights)[0]
                    self._one(session, deed, chance)
                    if session.closed:
                        return
        except (Problem, psycopg.Error) as error:
            now = time.monotonic()
            self._sent.append(Sent("connect", now, now, str(error).partition("\n")[0]))

    def _one(self, session: Connection, deed: Deed, chance: random.Random) -> None:
        began, error = time.monotonic(), None
        try:
            deed.send(session, chance)
        except psycopg.Error as refused:
            error = refused.diag.message_primary or str(refused).partition("\n")[0]
        except CannotSeedError:
            return
        self._sent.append(Sent(deed.text, began, time.monotonic(), error))

    def suffered(self, since: float, until: float, *, whole: bool = False) -> Suffered:
        """Sum up the statements that were under way in a stretch of time, or ended within it."""
        found = Suffered()
        for one in list(self._sent):
            if one.ended < since or one.began > until or (whole and one.ended > until):
                continue
            found.statements += 1
            wait = one.ended - one.began
            found.slow += wait >= SLOW
            if wait > found.longest:
                found.longest, found.waiting = wait, brief(one.text)
            if one.error:
                found.errors[one.error] += 1
        return found


def generated(session: Connection, tables: Sequence[Shape]) -> Iterator[Deed]:
    """Make up what an application does with some tables: reads and changes by key, inserts."""
    for shape in tables:
        name = sql.SQL(trusted(shape.name))
        keys = _keys(session, shape)
        if keys:
            yield _read(shape, name, keys)
            free = [c for c in shape.columns if c.name not in shape.primary_key and not c.generated]
            if free:
                yield _change(shape, name, keys, free[0].name)
        yield Deed(f"insert into {shape.name} …", shape.name, _inserting(shape))


def _keys(session: Connection, shape: Shape) -> list[list[str]]:
    if not shape.primary_key:
        return []
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in shape.primary_key)
    wanted = sql.SQL("select {} from {} limit {}").format(columns, sql.SQL(trusted(shape.name)), SAMPLE)
    with session.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        return [[str(value) for value in row] for row in cursor.execute(wanted).fetchall()]


def _where(shape: Shape) -> sql.Composed:
    return sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(c)) for c in shape.primary_key)


def _read(shape: Shape, name: sql.SQL, keys: list[list[str]]) -> Deed:
    wanted = sql.SQL("select * from {} where {}").format(name, _where(shape))

    def send(session: Connection, chance: random.Random) -> None:
        session.execute(wanted, chance.choice(keys)).fetchall()

    return Deed(f"select * from {shape.name} where {', '.join(shape.primary_key)} = …", shape.name, send, 3)  # noqa: S608


def _change(shape: Shape, name: sql.SQL, keys: list[list[str]], column: str) -> Deed:
    own = sql.Identifier(column)
    wanted = sql.SQL("update {} set {} = {} where {}").format(name, own, own, _where(shape))

    def send(session: Connection, chance: random.Random) -> None:
        session.execute(wanted, chance.choice(keys))

    return Deed(f"update {shape.name} set {column} = …", shape.name, send, 2)  # noqa: S608


def _inserting(shape: Shape) -> Send:
    seeders: dict[int, Seeder] = {}

    def send(session: Connection, chance: random.Random) -> None:
        seeder = seeders.get(id(session))
        if seeder is None:
            seeder = seeders[id(session)] = Seeder(session)
            seeder.start_at(chance.randrange(1_000_000_000))
        seeder.insert(shape)

    return send
