"""Play the revisions a second time on a fresh branch: the safer way, or under an application's load."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.migrations.observer import Observer
from neondba.migrations.results import BLOCKING, LoadSeen, Measured, Rehearsal, Reversibility, Step
from neondba.migrations.target import Asked
from neondba.migrations.tools.detect import open_source, source_of
from neondba.migrations.tools.migrator import Migrator
from neondba.postgres.app_statements import deeds_of
from neondba.postgres.connect import Connection, connect
from neondba.postgres.load import Deed, Load, generated
from neondba.postgres.shapes import shapes

QUIET: Final = 1.0
"""Seconds of load before a revision begins: what is usual there."""
AFTER: Final = 0.3


def blocked(statements: Sequence[Measured]) -> float:
    """Give the longest time that reads or writes of one table wait."""
    found = [lock.seconds for one in statements for lock in one.locks if lock.mode in BLOCKING]
    return max(found, default=0.0)


def first_up(step: Step) -> tuple[Measured, ...]:
    """Give the statements of the first way up that went through."""
    return next((r.measured for r in step.runs if r.direction == "up" and r.outcome == "done"), ())


@dataclass(frozen=True)
class Fresh:
    """A database in the state of the rehearsal's beginning."""

    direct: Secret
    session: Connection
    migrator: Migrator

    def before(self, step: Step) -> None:
        """Fill empty tables as the rehearsal did."""
        Observer(self.session, self.migrator.own_tables).seed(nulls=step.needs_rows is None)


@contextmanager
def fresh(ctx: Context, asked: Asked, direct: Secret) -> Iterator[Fresh]:
    """Open the project's migrations on another copy."""
    source = source_of(asked.folder, asked.config, asked.tool)
    with (
        connect(direct, limit=ctx.settings.step_limit) as session,
        open_source(source, asked.folder, direct, session, asked.python) as migrator,
    ):
        migrator.prepare()
        yield Fresh(direct, session, migrator)


def passed(rehearsal: Rehearsal) -> Iterator[Step]:
    """Give the steps up to the first whose way up did not go through."""
    for step in rehearsal.steps:
        if step.prints.after is None or step.reversibility is Reversibility.FAILS:
            return
        yield step


def under_load(
    ctx: Context, asked: Asked, direct: Secret, rehearsal: Rehearsal, statements: Sequence[tuple[str, int]]
) -> dict[str, LoadSeen]:
    """Run each revision's way up while an application is at work; give what it suffered."""
    found: dict[str, LoadSeen] = {}
    with fresh(ctx, asked, direct) as there:
        for step in passed(rehearsal):
            there.before(step)
            ctx.progress(f"Rehearsing {step.revision} under load.")
            touched = {table for one in first_up(step) for table in one.touches}
            tables = {name: shape for name, shape in shapes(there.session).items() if name in touched}
            own = list(deeds_of(there.session, statements, tables))
            covered = {deed.table for deed in own}
            rest = [shape for name, shape in tables.items() if name not in covered]
            deeds = [*own, *generated(there.session, rest)]
            seen = _loaded(ctx, there, step, deeds, "pg_stat_statements" if own else "generated")
            if seen is not None:
                found[step.revision] = seen
            if seen is None or seen.failed:
                break
    return found


def _loaded(ctx: Context, there: Fresh, step: Step, deeds: list[Deed], source: str) -> LoadSeen | None:
    limit = ctx.settings.step_limit

    def watch() -> None:
        if ctx.cancelled():
            raise KeyboardInterrupt

    if not deeds:
        result = there.migrator.step("up", step.revision, limit, watch)
        return LoadSeen(statements=0, longest_before=0.0, longest=0.0) if not result.failure else None
    with Load(there.direct, deeds, ctx.chance.getrandbits(30), limit) as load:
        start = time.monotonic()
        ctx.clock.sleep(QUIET)
        began = time.monotonic()
        result = there.migrator.step("up", step.revision, limit, watch)
        ended = time.monotonic()
        if result.stopped:
            there.migrator.close()
            Observer(there.session, there.migrator.own_tables).end_others()
        ctx.clock.sleep(AFTER)
    before, during = load.suffered(start, began, whole=True), load.suffered(began, ended)
    said = result.failure.said.splitlines()[0] if result.failure else None
    return LoadSeen(
        statements=during.statements,
        longest_before=before.longest,
        longest=during.longest,
        slow=during.slow,
        waiting=during.waiting,
        errors=dict(during.errors.most_common()),
        source=source,
        failed=f"it was stopped after {limit:g} s" if result.stopped else said,
        seconds=ended - began,
    )
