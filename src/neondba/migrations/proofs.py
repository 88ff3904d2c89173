"""Show the claim that the project's migrations are safe and reversible."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.proof import Line, Proof, Shown, prover

if TYPE_CHECKING:
    from neondba.migrations.results import Rehearsal


@prover("migrations")
def prove_migrations(ctx: Context, folder: Path) -> Proof:
    """Rehearse the pending migrations and draw the proof from what was seen."""
    from neondba.migrations.operations import migration_rehearse

    return proof_of(migration_rehearse(ctx, folder))


def proof_of(rehearsal: Rehearsal) -> Proof:
    """Turn a rehearsal into a proof: one line per revision."""
    lines = [
        Line(
            subject=f"{step.revision} {step.title}".rstrip(),
            shown=Shown.HOLDS if step.sound else Shown.FAILS,
            text=" ".join(
                [
                    f"{step.reversibility.value.capitalize()}.",
                    *step.sentences,
                    *[lock.sentence for lock in step.locks if lock.is_notable],
                ]
            ),
        )
        for step in rehearsal.steps
    ]
    lines += [
        Line(subject=revision, shown=Shown.NOT_CHECKED, text="An earlier revision stands in the way.")
        for revision in rehearsal.skipped
    ]
    lines += [
        Line(
            subject=table.table,
            shown=Shown.NOT_CHECKED,
            text=f"No rows could be made, so its data was not tried: {table.reason}",
        )
        for table in rehearsal.not_seeded
    ]
    return Proof(
        claim="migrations",
        shown=Shown.HOLDS if rehearsal.sound else Shown.FAILS,
        summary=rehearsal.summary,
        lines=tuple(lines),
        seconds=rehearsal.seconds,
    )
