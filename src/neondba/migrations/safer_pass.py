"""Rehearse the safer way of each revision that has one, and see that it leads to the same schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.migrations.fingerprint import fingerprint, users
from neondba.migrations.measuring import Before, measured
from neondba.migrations.results import MANY_ROWS, Measured, Rehearsal, SaferWay, Step
from neondba.migrations.safer import Instead, Safe, instead_of
from neondba.migrations.second_pass import Fresh, blocked, first_up, fresh, passed
from neondba.migrations.target import Asked
from neondba.migrations.tools.sql_session import SqlSession
from neondba.postgres.alone import stands_alone
from neondba.postgres.applied import Part, brief
from neondba.postgres.catalog import Catalog, diff, snapshot
from neondba.postgres.connect import ask, literal, rows_of
from neondba.postgres.seen import Level
from neondba.postgres.shapes import shapes
from neondba.postgres.statements import parse

BATCH: Final = 10_000
"""Rows of one batch."""


def _nothing() -> None:
    """Look at nothing meanwhile."""


def worth_it(rehearsal: Rehearsal) -> bool:
    """Tell whether anything was seen that an application would feel."""
    return any(_felt(step) for step in passed(rehearsal))


def _felt(step: Step) -> bool:
    return any(lock.is_notable for lock in step.locks) or any(one.rows >= MANY_ROWS for one in first_up(step))


def safer_ways(ctx: Context, asked: Asked, direct: Secret, rehearsal: Rehearsal) -> dict[str, SaferWay]:
    """Try them on a copy in the state of the rehearsal's beginning; give them by revision."""
    found: dict[str, SaferWay] = {}
    limit = ctx.settings.step_limit
    with fresh(ctx, asked, direct) as there:
        for step in passed(rehearsal):
            there.before(step)
            steps, ways = _planned(there, first_up(step)) if _felt(step) else ([], [])
            if not ways:
                if there.migrator.step("up", step.revision, limit, _nothing).failure:
                    break
                continue
            ctx.progress(f"Rehearsing a safer way for {step.revision}.")
            way = _tried(there, step, steps, ways, limit)
            found[step.revision] = way
            if way.trouble or there.migrator.stamp(step.revision, limit).failure:
                break
    return found


def _planned(there: Fresh, statements: Sequence[Measured]) -> tuple[list[Safe], list[tuple[str, Instead]]]:
    """Put the safer way in the place of each statement that has one; nothing if one cannot be run again."""
    tables = shapes(there.session)
    steps: list[Safe] = []
    ways: list[tuple[str, Instead]] = []
    for one in statements:
        read = parse(one.full)
        if any(statement.error for statement in read) or not read:
            # Alembic sends some values apart from the text; it has no meaning without them.
            return [], []
        found = instead_of(one.full, tables) if one.work or one.locks else None
        if found is not None and one.work:
            steps += found.steps
            ways.append((one.text, found))
        else:
            steps.append(Safe(one.full, alone=any(stands_alone(statement) for statement in read)))
    return steps, ways


def _tried(
    there: Fresh, step: Step, steps: Sequence[Safe], ways: Sequence[tuple[str, Instead]], limit: float
) -> SaferWay:
    run = _Run(there, limit)
    try:
        trouble = next((said for said in map(run.one, steps) if said), None)
    finally:
        run.worker.close()
    own = first_up(step)
    return SaferWay(
        instead_of=tuple(text for text, _ in ways),
        why=tuple(dict.fromkeys(way.why for _, way in ways)),
        statements=tuple(safe.shown for _, way in ways for safe in way.steps),
        seconds=sum(one.seconds or 0.0 for one in run.done),
        seconds_before=sum(one.seconds or 0.0 for one in own),
        blocked=blocked(run.done),
        blocked_before=blocked(own),
        grows=next((brief(one.text) for one in run.done if one.work and blocked([one])), None),
        trouble=trouble or _other_schema(there, step),
    )


class _Run:
    """Runs the safer way's transactions and measures them."""

    def __init__(self, there: Fresh, limit: float) -> None:
        self._there, self._limit = there, limit
        self.worker = SqlSession(there.direct)
        self.done: list[Measured] = []

    def one(self, safe: Safe) -> str | None:
        """Run one step; say what went wrong."""
        if safe.key is not None:
            return self._in_batches(safe)
        return self._sent(Part(name="", statements=(safe.text,), alone=safe.alone))

    def _sent(self, part: Part) -> str | None:
        before = _before(self._there)
        result = self.worker.run([part], self._limit, _nothing)
        self.done += measured(result, before)
        if result.stopped:
            return f"it was stopped after {self._limit:g} s."
        return f"{result.failure.said.splitlines()[0]}." if result.failure else None

    def _in_batches(self, safe: Safe) -> str | None:
        low: str | None = None
        while True:
            above = f"where {safe.key} > {low}" if low is not None else ""
            inner = f"select {safe.key} as k from {safe.table} {above} order by 1 limit {BATCH}"  # noqa: S608
            found = rows_of(
                self._there.session,
                f"select b.k::text from ({inner}) b order by b.k desc limit 1",  # noqa: S608
            )
            if not found:
                return None
            high = literal(str(found[0][0]))
            trouble = self._sent(Part(name="", statements=(safe.within(low, high),)))
            if trouble is not None:
                return trouble
            low = high


def _before(there: Fresh) -> Before:
    rows = ask(there.session, "filenodes")
    names = {str(row["name"]) for row in rows} - set(there.migrator.own_tables)
    files = {int(str(row["oid"])): int(str(row["filenode"])) for row in rows}
    return Before(names, files, {}, 1)


def _other_schema(there: Fresh, step: Step) -> str | None:
    """Say in what the schema differs from the one that the revision itself leaves."""
    now = users(snapshot(there.session), there.migrator.own_tables)
    if fingerprint(now) == step.prints.after or not step.catalog_after:
        return None
    wanted = Catalog.model_validate_json(step.catalog_after)
    found = [d.text for d in diff(wanted, now) if d.level is Level.DIFFERENCE]
    return f"it leads to another schema: {'; '.join(found[:3])}." if found else None
