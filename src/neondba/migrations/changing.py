"""Take the steps of a rehearsed change on the target, each verified before the next."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, Problem
from neondba.core.rehearsed import RehearsedStep
from neondba.migrations.change_results import ChangedStep
from neondba.migrations.fingerprint import fingerprint, users
from neondba.migrations.target import schema_of
from neondba.migrations.tools.alembic import AlembicMigrator
from neondba.migrations.tools.migrator import Migrator
from neondba.migrations.tools.sql_migrator import SqlMigrator
from neondba.postgres.applied import Applied, Part, PartRun, Patience, Wait, brief
from neondba.postgres.apply_trouble import Standing, ended_by
from neondba.postgres.applying import apply
from neondba.postgres.catalog import read, snapshot
from neondba.postgres.connect import Connection, Refused, connect
from neondba.project.alembic_runner.runner import StepResult, first_line

if TYPE_CHECKING:
    from neondba.core.secret import Secret

LONGEST: Final = 24 * 3600.0
"""Seconds of one step; what never ends shows in the rehearsal, and can be stopped here."""
RETRIED: Final = ("55P03", "40P01", "40001")


def taken(
    ctx: Context,
    url: Secret,
    migrator: Migrator,
    steps: Sequence[RehearsedStep],
    direction: str,
    patience: Patience,
) -> list[ChangedStep]:
    """Take the steps in order, over a direct connection.

    Raises:
        ConflictProblem: one was refused, stopped, did not get its lock, or did not come out as rehearsed;
            the message says what stands.
    """
    if isinstance(migrator, SqlMigrator):
        return _by_parts(ctx, url, migrator, steps, direction, patience)
    assert isinstance(migrator, AlembicMigrator)
    return ByAlembic(ctx, url, migrator, steps, direction, patience).all()


def expected(step: RehearsedStep, direction: str) -> str | None:
    """Give the fingerprint that the schema must have after a step."""
    return step.after if direction == "up" else step.back


def started_from(step: RehearsedStep, direction: str) -> str | None:
    """Give the fingerprint that the schema must have before a step."""
    return step.before if direction == "up" else step.after


def _by_parts(
    ctx: Context,
    url: Secret,
    migrator: SqlMigrator,
    steps: Sequence[RehearsedStep],
    direction: str,
    patience: Patience,
) -> list[ChangedStep]:
    """Take steps that are SQL: each is verified inside its last transaction, before the commit."""
    parts: list[Part] = []
    last: dict[int, RehearsedStep] = {}
    for step in steps:
        parts += migrator.parts(direction, step.revision)
        last[id(parts[-1])] = step

    def guard(session: Connection) -> None:
        _require(session, migrator.own_tables, started_from(steps[0], direction), inside=False)
        migrator.prepare()

    def check(session: Connection, part: Part) -> None:
        if step := last.get(id(part)):
            _require(session, migrator.own_tables, expected(step, direction), inside=True)

    done = apply(ctx, url, parts, patience=patience, first=guard, check=check)
    return [_summed(step, done) for step in steps]


def _require(session: Connection, own_tables: Sequence[str], wanted: str | None, *, inside: bool) -> None:
    """Compare the schema with the rehearsed one.

    Raises:
        ConflictProblem: it is another one.
    """
    now = users(read(session) if inside else snapshot(session), own_tables)
    if wanted is not None and fingerprint(now) != wanted:
        code = "not-as-rehearsed" if inside else "target-moved"
        when = "after the step" if inside else "just before the first step"
        raise ConflictProblem(
            code,
            f"The schema {when} is not the one of the rehearsal: somebody changed it meanwhile.",
            hint="Rehearse again on what is there now: neondba migration rehearse",
        )


def _summed(step: RehearsedStep, done: Applied) -> ChangedStep:
    runs = [run for run in done.parts if run.name == step.revision]
    return ChangedStep(
        revision=step.revision,
        title=step.title,
        seconds=sum(run.seconds for run in runs),
        rehearsed_seconds=step.seconds,
        retries=sum(len(run.waits) for run in runs),
        waited=sum(wait.seconds for run in runs for wait in run.waits),
        held_by=next((w.held_by for run in runs for w in run.waits if w.held_by), None),
    )


class ByAlembic:
    """Take steps through the project's own Alembic, which commits each itself."""

    def __init__(
        self,
        ctx: Context,
        url: Secret,
        migrator: AlembicMigrator,
        steps: Sequence[RehearsedStep],
        direction: str,
        patience: Patience,
    ) -> None:
        self._ctx, self._url, self._migrator = ctx, url, migrator
        self._steps, self._direction, self._patience = steps, direction, patience
        self._parts = tuple(Part(name=step.revision, statements=()) for step in steps)
        self._done: list[PartRun] = []
        self._statement = ""

    def all(self) -> list[ChangedStep]:
        """Take the steps in order."""
        with connect(self._url) as session:
            _require(
                session,
                self._migrator.own_tables,
                started_from(self._steps[0], self._direction),
                inside=False,
            )
            return [self._one(session, number) for number in range(len(self._steps))]

    def _one(self, session: Connection, number: int) -> ChangedStep:
        step, began = self._steps[number], self._ctx.clock.monotonic()
        waits: list[Wait] = []
        pause = self._patience.first_pause
        while True:
            try:
                result = self._tried(step, number)
            except (Problem, KeyboardInterrupt, SystemExit) as stop:
                raise self._ended(session, number, stop, waits) from None
            if result.failure is None:
                break
            self._statement = result.statements[-1].text if result.statements else ""
            waits.append(
                Wait(seconds=result.seconds, statement=brief(self._statement), said=result.failure.said)
            )
            over = self._ctx.clock.monotonic() - began >= self._patience.limit
            if result.failure.sqlstate not in RETRIED or over:
                raise self._ended(session, number, self._refused(step, result, waits), waits)
            try:
                self._ctx.progress(f"{step.revision}: no lock, rolled back. Try {len(waits) + 1} follows.")
                self._ctx.clock.sleep(pause * self._ctx.chance.uniform(0.75, 1.25))
            except (KeyboardInterrupt, SystemExit) as stop:
                raise self._ended(session, number, stop, waits) from None
            pause = min(pause * 2, self._patience.longest_pause)
        seconds = self._ctx.clock.monotonic() - began
        self._done.append(PartRun(name=step.revision, waits=tuple(waits), seconds=seconds))
        self._verify(session, number)
        return _summed(step, Applied(parts=(self._done[-1],)))

    def _tried(self, step: RehearsedStep, number: int) -> StepResult:
        def look() -> None:
            self._ctx.progress(f"Taking {step.revision} {self._direction}.", number / len(self._steps))

        return self._migrator.step(self._direction, step.revision, LONGEST, look, self._patience.lock_timeout)

    def _verify(self, session: Connection, number: int) -> None:
        step = self._steps[number]
        now = schema_of(session, self._migrator)
        if fingerprint(now) == expected(step, self._direction):
            return
        raise ConflictProblem(
            "not-as-rehearsed",
            f"{step.revision} went through, but the schema is not the one of its rehearsal: somebody changed "
            f"it meanwhile, or the migration depends on its environment. "
            f"{self._standing(number, True, ()).sentence}",
            hint="Compare with the rehearsal, or come back to the restore point.",
            **self._standing(number, True, ()).facts(),
        )

    def _refused(self, step: RehearsedStep, result: StepResult, waits: list[Wait]) -> Problem:
        assert result.failure is not None
        said = first_line(result.failure.said).rstrip(".")
        if result.failure.sqlstate in RETRIED:
            return ConflictProblem(
                "lock-not-had",
                f"{step.revision}: `{brief(self._statement)}` did not get its lock in {len(waits)} tries: "
                f"{said}.",
                hint="Try again at a quieter time.",
            )
        return ConflictProblem(
            "statement-refused",
            f"{step.revision}: `{brief(self._statement)}` was refused: {said}.",
            hint="Correct the migration, then rehearse it again.",
        )

    def _ended(self, session: Connection, number: int, why: BaseException, waits: list[Wait]) -> Problem:
        """Make sure that nothing of it goes on; say what stands."""
        stands: bool | None = None
        with suppress(Refused):
            self._migrator.halt(session)
            recorded = self._steps[number].revision in self._migrator.recorded(session)
            stands = recorded if self._direction == "up" else not recorded
        return ended_by(why, self._standing(number, stands, waits))

    def _standing(self, number: int, stands: bool | None, waits: Sequence[Wait]) -> Standing:
        done = [run for run in self._done if run.name != self._parts[number].name]
        return Standing(
            self._parts, tuple(done), self._parts[number], self._statement, stands, (), tuple(waits)
        )
