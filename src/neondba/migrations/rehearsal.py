"""Run each revision up, down and up again, and look at the database in between.

This part knows a connection string and a folder, not where the database came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, Problem
from neondba.core.secret import Secret
from neondba.migrations.fingerprint import content_of, fingerprint, users
from neondba.migrations.observer import Observer, Picture, differences, rewritten, short
from neondba.migrations.results import MANY_ROWS, Direction, Outcome, Prints, Rehearsal, Run, Step
from neondba.migrations.tools.detect import open_source, source_of
from neondba.migrations.tools.migrator import Migrator, pending
from neondba.migrations.verdict import Evidence, judged
from neondba.postgres.connect import Connection, Refused, connect
from neondba.postgres.repair import drop_added, start_over
from neondba.postgres.roles import create_plain_role, missing_role
from neondba.project.alembic_runner.history import Revision
from neondba.project.alembic_runner.runner import StepResult


def rehearse_at(
    ctx: Context,
    folder: Path,
    direct: Secret,
    *,
    config: str | None = None,
    python: str | None = None,
    tool: str | None = None,
    branch: str | None = None,
) -> Rehearsal:
    """Rehearse every pending revision in a database that nobody will miss.

    Raises:
        Problem: the project's migrations cannot be run there; nothing has been changed then.
    """
    began = ctx.clock.monotonic()
    folder = folder.resolve()
    source = source_of(folder, config, tool)
    with (
        connect(direct, limit=ctx.settings.step_limit) as session,
        open_source(source, folder, direct, session, python) as migrator,
    ):
        stage = Stage(ctx, folder, migrator, session)
        steps = stage.played()
        done = {step.revision for step in steps}
        return Rehearsal(
            config=source.relative(folder),
            tool=source.tool,
            branch=branch,
            server_version=session.info.parameter_status("server_version") or "",
            steps=steps,
            skipped=tuple(r.id for r in stage.pending if r.id not in done),
            already_applied=len(migrator.revisions) - len(stage.pending),
            not_seeded=tuple(stage.observer.not_seeded.values()),
            not_compared=tuple(sorted(stage.observer.not_compared)),
            compared_in_part=tuple(sorted(stage.observer.bounds)),
            seconds=ctx.clock.monotonic() - began,
            catalog=stage.began_with.model_dump_json(),
        )


class Stage:
    """The branch on which the revisions are played through, one after the other."""

    def __init__(self, ctx: Context, folder: Path, migrator: Migrator, session: Connection) -> None:
        self._ctx = ctx
        self._folder = folder
        self._migrator = migrator
        self.observer = Observer(session, migrator.own_tables)
        self._limit = ctx.settings.step_limit
        self.pending = pending(migrator)
        untouched = not migrator.applied
        migrator.prepare()
        self._now = self.observer.picture()
        self.began_with = users(self._now.catalog, migrator.own_tables)
        self._from_scratch = untouched and not self._now.catalog.names("table")
        self._passed: list[Revision] = []
        self._stuck = False
        self._playing = ""

    def played(self) -> tuple[Step, ...]:
        """Play the pending revisions.

        Raises:
            ConflictProblem: one of them ended the session from which it was watched.
        """
        try:
            return tuple(self._all_steps())
        except Refused:
            if not self.observer.session.closed:
                raise
            raise self._session_ended() from None

    def _session_ended(self) -> Problem:
        return ConflictProblem(
            "session-ended",
            f"neondba's own session on the branch was ended while revision {self._playing} ran.",
            hint="See whether somebody deleted the branch meanwhile, or whether the migration ends other "
            "sessions (pg_terminate_backend), which cannot be rehearsed.",
            revision=self._playing,
        )

    def _all_steps(self) -> Iterator[Step]:
        """Play the pending revisions until one stands in the way of the rest."""
        for number, revision in enumerate(self.pending):
            title = f"Rehearsing {revision.id} {revision.title}".rstrip()
            self._playing = revision.id
            self._ctx.progress(f"{title}.", number / len(self.pending))
            evidence = self._played(revision)
            step = judged(revision, self._relative(revision), evidence)
            yield step.model_copy(
                update={
                    "prints": self._prints(revision, evidence),
                    "catalog_after": self._catalog_after(step, evidence),
                }
            )
            self._passed.append(revision)
            if self._stuck:
                return

    def _catalog_after(self, step: Step, seen: Evidence) -> str:
        many = any(one.rows >= MANY_ROWS for run in step.runs for one in run.measured)
        notable = many or any(lock.is_notable for lock in step.locks)
        if seen.upgraded is None or not notable:
            return ""
        return users(seen.upgraded.catalog, self._migrator.own_tables).model_dump_json()

    def _prints(self, revision: Revision, seen: Evidence) -> Prints:
        def of(picture: Picture | None) -> str | None:
            own = self._migrator.own_tables
            return fingerprint(users(picture.catalog, own)) if picture is not None else None

        downs = [run for run in seen.runs if run.direction is Direction.DOWN]
        back = bool(downs) and downs[-1].outcome is Outcome.DONE and seen.came_back
        return Prints(
            content=content_of(self._migrator.files(revision.id)),
            before=of(seen.before) or "",
            after=of(seen.upgraded),
            back=of(seen.downgraded) if back else None,
        )

    def _played(self, revision: Revision) -> Evidence:
        seen = Evidence(before=self._seeded(), limit=self._limit)
        result = self._run(seen, Direction.UP, revision)
        missing = missing_role(result.failure.said) if result.failure else None
        if missing and create_plain_role(self.observer.session, missing, self._password()):
            seen.made_roles.append(missing)
            result = self._run(seen, Direction.UP, revision)
        if result.failure and _about_rows(result):
            result = self._with_other_rows(seen, revision, result)
        if not self._ended_well(seen, result):
            self._stuck = True
            return seen
        seen.upgraded = self._now if seen.stops_on_any else self._seeded(nulls=not seen.stops_on_rows)
        if revision.downgrade == "missing" and self._migrator.source.tool != "Alembic":
            seen.one_way = self._migrator.source.tool
            return seen
        down = self._run(seen, Direction.DOWN, revision)
        seen.downgraded = self._now
        if not self._ended_well(seen, down):
            self._stuck = down.stopped or bool(differences(seen.upgraded, seen.downgraded))
            if self._stuck and not down.stopped:
                self._rebuild(revision)
            return seen
        if seen.nothing_undone(down):
            seen.came_back = False
            self._migrator.stamp(revision.id, self._limit)
            return seen
        self._up_again(seen, revision)
        return seen

    def _up_again(self, seen: Evidence, revision: Revision) -> None:
        again = self._run(seen, Direction.UP_AGAIN, revision)
        if self._ended_well(seen, again):
            seen.upgraded_again = self._now
            return
        seen.second_up_fails = again.failure.said if again.failure else None
        if again.stopped:
            self._stuck = True
            return
        assert seen.downgraded is not None
        drop_added(self.observer.session, differences(seen.before, seen.downgraded))
        if self._step("up", revision).failure:
            self._rebuild(revision)
        self._now = self.observer.picture()

    def _seeded(self, *, nulls: bool = True) -> Picture:
        """Add rows where they are missing, and give the picture with them."""
        if self.observer.seed(nulls=nulls):
            self._now = self.observer.picture()
        return self._now

    def _with_other_rows(self, seen: Evidence, revision: Revision, first: StepResult) -> StepResult:
        """See whether rows stop the step: try without nulls, then without our rows."""
        if not self.observer.empty():
            return first
        assert first.failure is not None
        said = first.failure.said
        seen.before = self._seeded(nulls=False)
        second = self._run(seen, Direction.UP, revision)
        if not second.failure:
            seen.stops_on_rows = said
            return second
        if not self.observer.empty():
            return first
        seen.before = self._now = self.observer.picture()
        third = self._run(seen, Direction.UP, revision)
        if not third.failure:
            seen.stops_on_any = said
            return third
        return first

    def _run(self, seen: Evidence, direction: Direction, revision: Revision) -> StepResult:
        """Run one direction and keep what was seen, of a failed try too."""
        before = self._now
        result = self._step("down" if direction is Direction.DOWN else "up", revision)
        if not result.stopped:
            self._now = self.observer.picture()
        seen.runs.append(self._described(direction, result, before, self._now))
        return result

    def _step(self, direction: str, revision: Revision) -> StepResult:
        return self._migrator.step(direction, revision.id, self._limit, self._watch)

    def _watch(self) -> None:
        if self._ctx.cancelled():
            raise KeyboardInterrupt
        self.observer.look()

    def _described(self, direction: Direction, result: StepResult, before: Picture, after: Picture) -> Run:
        outcome = Outcome.STOPPED if result.stopped else Outcome.FAILED if result.failure else Outcome.DONE
        own = [s for s in self.observer.measured(result, before) if self._counts(s.text)]
        return Run(
            direction=direction,
            outcome=outcome,
            seconds=result.seconds,
            statements=len(own),
            measured=tuple(s.model_copy(update={"text": short(s.text), "full": s.text}) for s in own),
            locks=self.observer.locks(own, before),
            rewritten=rewritten(before, after),
            error=result.failure.said.split("\n")[0] if result.failure else None,
        )

    def _counts(self, text: str) -> bool:
        """Leave out what the tool writes into its own tables."""
        names = [table.rpartition(".")[2].strip('"') for table in self._migrator.own_tables]
        return not any(name in text for name in names)

    def _ended_well(self, seen: Evidence, result: StepResult) -> bool:
        if result.stopped:
            seen.waited = self.observer.why_waiting(result)
            self._migrator.close()
            self.observer.end_others()
        if result.failure:
            seen.failure = result.failure
        return not result.stopped and not result.failure

    def _rebuild(self, revision: Revision) -> None:
        """Get to the state after a revision again, by going there straight from nothing."""
        self._stuck = True
        if not self._from_scratch:
            return
        self.observer.owned.clear()
        start_over(self.observer.session)
        for earlier in [*self._passed, revision]:
            if self._step("up", earlier).failure:
                return
        self._now = self.observer.picture()
        self._stuck = False

    def _password(self) -> Secret:
        return Secret(f"{self._ctx.chance.getrandbits(128):032x}")

    def _relative(self, revision: Revision) -> str:
        path = Path(revision.file)
        return str(path.relative_to(self._folder)) if path.is_relative_to(self._folder) else path.name


def _about_rows(result: StepResult) -> bool:
    """See whether the server refused data (classes 22 and 23), not the statement."""
    code = result.failure.sqlstate if result.failure else None
    return code is not None and code[:2] in ("22", "23")
