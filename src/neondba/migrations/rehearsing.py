"""One rehearsal from start to end: the copy, the passes over it, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, Problem
from neondba.migrations import safer_pass
from neondba.migrations.prediction import predicted, sizes_of
from neondba.migrations.rehearsal import rehearse_at
from neondba.migrations.results import Rehearsal, Step
from neondba.migrations.second_pass import under_load
from neondba.migrations.target import Asked, kept
from neondba.migrations.tools.detect import source_of
from neondba.migrations.tools.migrator import Source
from neondba.neon.throwaway import Wanted, reached, throwaway_branch
from neondba.postgres.app_statements import statements_of
from neondba.postgres.connect import Refused, connect
from neondba.project.alembic_runner.locate import interpreters

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project
    from neondba.neon.throwaway import Throwaway

PURPOSE: Final = "rehearse"
FEW: Final = 20
"""Revisions that are played a second time where there is no data: a whole history is not."""


def usable(asked: Asked) -> Source:
    """Find the migrations, and for Alembic the Python, before anything is made.

    Raises:
        Problem: they are not there.
    """
    source = source_of(asked.folder, asked.config, asked.tool)
    if source.tool == "Alembic":
        interpreters(source.place, asked.folder, asked.python)
    return source


class Rehearsing:
    """A rehearsal of one project's migrations on copies of one branch, or on empty databases."""

    def __init__(self, ctx: Context, client: NeonClient, asked: Asked, project: str | None) -> None:
        self._ctx, self._client, self._asked = ctx, client, asked
        self._project: Project | None = client.find_project(project) if project else None
        if asked.branch and self._project is None:
            raise ArgumentProblem(
                "project-needed",
                f"Branch {asked.branch} is named, but not its project.",
                hint="Name the project with --project.",
            )
        self._parent: Branch | None = self._found()

    def _found(self) -> Branch | None:
        if self._project is None:
            return None
        if self._asked.branch:
            return self._client.find_branch(self._project, self._asked.branch)
        return self._client.default_branch(self._project)

    @contextmanager
    def _copy(self) -> Iterator[Throwaway]:
        with throwaway_branch(
            self._client,
            self._ctx,
            project=self._project.id if self._project else None,
            purpose=PURPOSE,
            database=self._asked.database,
            wanted=Wanted(parent=self._parent.id if self._parent else None, hold_end=True),
        ) as copy:
            yield copy

    def all(self, *, load: bool) -> Rehearsal:
        """Make the passes, one copy after the other, and remember what was seen."""
        began = self._ctx.clock.monotonic()
        asked = self._asked
        with self._copy() as copy:
            with connect(copy.direct) as session:
                here = sizes_of(session)
            done = rehearse_at(
                self._ctx,
                asked.folder,
                copy.direct,
                config=asked.config,
                python=asked.python,
                tool=asked.tool,
                branch=copy.branch_name if self._project else None,
            )
            database = copy.database
        steps = {step.revision: step for step in done.steps}
        self._predict(steps, here, database)
        if safer_pass.worth_it(done) and (self._project is not None or len(done.steps) <= FEW):
            self._again(steps, done, load=False)
        if load and done.steps:
            self._again(steps, done, load=True)
        seconds = self._ctx.clock.monotonic() - began
        done = done.model_copy(update={"steps": tuple(steps.values()), "seconds": seconds})
        if self._project is not None and self._parent is not None:
            remembered = kept(done, self._ctx, self._project.id, self._parent.id, database)
            self._ctx.rehearsals.add(remembered)
        return done

    def _again(self, steps: dict[str, Step], done: Rehearsal, *, load: bool) -> None:
        """Make a further pass on a fresh copy; add what it shows to the steps."""
        with self._copy() as copy:
            if load:
                seen = under_load(self._ctx, self._asked, copy.direct, done, self._own_statements())
                for revision, suffered in seen.items():
                    steps[revision] = steps[revision].model_copy(update={"load": suffered})
            else:
                ways = safer_pass.safer_ways(self._ctx, self._asked, copy.direct, done)
                for revision, way in ways.items():
                    steps[revision] = steps[revision].model_copy(update={"safer": way})

    def _own_statements(self) -> list[tuple[str, int]]:
        """Ask the branch itself what its application sends: a copy does not know."""
        if self._project is None or self._parent is None:
            return []
        there = reached(self._client, self._project.id, self._parent, self._asked.database)
        with connect(there.direct) as session:
            return statements_of(session)

    def _predict(self, steps: dict[str, Step], here: dict[str, int], database: str) -> None:
        """Say how long each revision will take on the default branch."""
        if self._project is None or self._parent is None:
            return
        default = self._client.default_branch(self._project)
        there = None
        if default.id != self._parent.id:
            try:
                elsewhere = reached(self._client, self._project.id, default, database)
                with connect(elsewhere.direct) as session:
                    there = sizes_of(session)
            except (Problem, Refused):
                return
        for revision, step in steps.items():
            found = predicted(step, default.name, here, there)
            steps[revision] = step.model_copy(update={"prediction": found})
