"""Show the claim that users are kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.proof import Line, Proof, Shown, prover

if TYPE_CHECKING:
    from neondba.access.results import IsolationProof, TableProof
    from neondba.postgres.seen import Attempt


@prover("isolation")
def prove_isolation(ctx: Context, folder: Path) -> Proof:
    """Act as two users and draw the proof from what was seen."""
    from neondba.access.operations import isolation_prove

    return proof_of(isolation_prove(ctx, folder))


def proof_of(isolation: IsolationProof) -> Proof:
    """Turn what was tried into a proof: one line per table."""
    lines = [_line(table) for table in isolation.tables]
    lines += [
        Line(
            subject=table.table,
            shown=Shown.NOT_CHECKED,
            text=f"No rows could be made: {table.reason}",
        )
        for table in isolation.not_seeded
    ]
    unclear = not isolation.tables or all(line.shown is Shown.NOT_CHECKED for line in lines)
    shown = Shown.HOLDS if isolation.holds else Shown.NOT_CHECKED if unclear else Shown.FAILS
    return Proof(
        claim="isolation",
        shown=shown,
        summary=isolation.summary,
        lines=tuple(lines),
        missing="Name the owner columns with --owner table.column." if unclear else None,
        seconds=isolation.seconds,
    )


def _line(table: TableProof) -> Line:
    from neondba.access.results import Protection

    if table.protection.holds:
        shown = Shown.HOLDS
    else:
        shown = Shown.NOT_CHECKED if table.protection is Protection.UNCLEAR else Shown.FAILS
    return Line(subject=table.table, shown=shown, text=" ".join([*table.sentences, _tried(table)]))


def _tried(table: TableProof) -> str:
    done = [_listed_verb(attempt) for attempt in table.attempts if attempt.open]
    if not done:
        return "User A reached no row of user B by SELECT, INSERT, UPDATE or DELETE."
    return f"User A could {', '.join(done)} rows of user B."


def _listed_verb(attempt: Attempt) -> str:
    stopped = attempt.text.startswith("only a foreign key")
    verb = {"select": "read", "insert": "add", "update": "change", "delete": "delete"}[attempt.action]
    return f"{verb} (but for a foreign key)" if stopped else verb
