"""Carry a merge out: first on a fresh branch of the target, then on the target itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ConflictProblem, Problem
from neondba.neon.restore_point import RestorePoint, make_restore_point
from neondba.neon.throwaway import Wanted, throwaway_branch

if TYPE_CHECKING:
    from neondba.branches.merge_found import Asked, Between, Found
    from neondba.branches.merge_migration import Recorded
    from neondba.core.secret import Secret
    from neondba.neon.client import NeonClient
    from neondba.postgres.applied import Applied, Part
    from neondba.postgres.connect import Connection
    from neondba.postgres.ddl.conflict import Conflict

PURPOSE: Final = "merge"
_REFUSED: Final = "statement-refused"
_UNSAFE_LABEL: Final = "55P04"
"""A new label of an enum is used before it is committed."""


class Carrying:
    """The changing half of a merge."""

    def __init__(
        self, client: NeonClient, ctx: Context, between: Between, asked: Asked, found: Found
    ) -> None:
        self._client, self._ctx, self._found, self._asked = client, ctx, found, asked
        self._project, self._theirs, self._ours = between.project, between.theirs, between.ours

    def rehearsed(self, texts: list[str]) -> tuple[tuple[Part, ...], Applied | None, list[Conflict]]:
        """Run the merge on a fresh branch of the target; give the parts that work, and rows in the way."""
        from neondba.postgres.applied import Part, parts_of

        name = f"merge {self._theirs.name}"
        whole = (Part(name=name, statements=tuple(texts)),)
        plan = Plan(
            operation="branch.merge",
            effect=Effect.WRITE,
            target=Target(project=self._project.name, branch=f"neondba-{PURPOSE}-…"),
            steps=(f"Make a throw-away branch of {self._ours.name}, merge there, and delete it.",),
        )
        try:
            with self._ctx.carry_out(plan):
                return whole, *self._tried(whole)
        except Problem as problem:
            if problem.facts.get("sqlstate") != _UNSAFE_LABEL:
                raise
        alone = {each.text: each.in_transaction for each in self._found.statements}
        split = parts_of(name, [(text, alone.get(text, True)) for text in texts])
        with self._ctx.carry_out(plan):
            return split, *self._tried(split)

    def _tried(self, parts: tuple[Part, ...]) -> tuple[Applied | None, list[Conflict]]:
        from neondba.branches.merge_data import rows_in_the_way
        from neondba.postgres.applying import apply
        from neondba.postgres.connect import connect
        from neondba.postgres.ddl.script import script

        wanted = Wanted(parent=self._ours.id)
        with throwaway_branch(
            self._client,
            self._ctx,
            project=self._project.id,
            purpose=PURPOSE,
            database=self._asked.database,
            wanted=wanted,
        ) as copy:
            try:
                return apply(self._ctx, copy.direct, parts, check=self._alike(parts[-1])), []
            except Problem as problem:
                if problem.code != _REFUSED:
                    raise
                with connect(copy.direct) as session:
                    rows = rows_in_the_way(
                        session,
                        self._found.ours,
                        self._found.wanted,
                        script(self._found.ours, self._found.wanted),
                    )
                if not rows:
                    raise self._failed(problem) from None
                return None, rows

    def _failed(self, problem: Problem) -> Problem:
        return type(problem)(
            problem.code,
            f"The merge does not run on a fresh branch of {self._ours.name}, which is untouched: "
            f"{problem.message}",
            hint=problem.hint,
            **problem.facts,
        )

    def apply(self, url: Secret, parts: tuple[Part, ...], record: Recorded) -> tuple[RestorePoint, Applied]:
        """Make a restore point, write the migration, apply and verify."""
        from neondba.postgres.applying import apply

        with self._files(record) as undo:
            point = make_restore_point(self._client, self._ctx, self._project, self._ours, purpose=PURPOSE)
            applied = apply(
                self._ctx,
                url,
                parts,
                first=self._unmoved(),
                check=self._alike(parts[-1]),
            )
            undo.pop_all()
        return point, applied

    def _files(self, record: Recorded) -> ExitStack:
        """Write the migration; take it away again if the merge does not go through."""
        from neondba.core.whole_file import put

        stack = ExitStack()
        folder = self._asked.folder
        for path, text in record.files.items():
            assert folder is not None
            place = folder / path
            if place.exists():
                raise ConflictProblem("file-exists", f"{path} exists already.", hint="Repeat the call.")
            place.parent.mkdir(parents=True, exist_ok=True)
            put(place, text.encode())
            stack.callback(place.unlink, missing_ok=True)
        return stack

    def _unmoved(self) -> Callable[[Connection], None]:
        from neondba.postgres.ddl.reading import schema_of

        def check(session: Connection) -> None:
            if schema_of(session).fingerprint != self._found.ours.fingerprint:
                raise ConflictProblem(
                    "target-moved",
                    f"The schema of {self._ours.name} has changed since the merge was planned.",
                    hint="Repeat the merge: it looks again.",
                )

        return check

    def _alike(self, final: Part) -> Callable[[Connection, Part], None]:
        """Give the check that the last part ends in the schema that was planned."""
        from neondba.postgres.ddl.reading import schema_in
        from neondba.postgres.ddl.schema import changes

        def check(session: Connection, part: Part) -> None:
            if part is not final:
                return
            left = changes(schema_in(session), self._found.wanted)
            if left:
                named = ", ".join(f"{each.key} {each.change.value}" for each in left[:5])
                raise ConflictProblem(
                    "merge-differs",
                    f"After the merge {self._ours.name} would not have the planned schema: {named}.",
                    hint="Somebody else is changing it, or neondba is wrong: nothing was kept. Try again.",
                )

        return check
