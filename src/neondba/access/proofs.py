"""Show the claim that users are kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.proof import Line, Proof, Shown, prover

if TYPE_CHECKING:
    from neondba.access.results import IsolationProof, TableProof


@prover("isolation")
def prove_isolation(ctx: Context, folder: Path) -> Proof:
    """Act as two users and draw the proof from what was seen."""
    from neondba.access.operations import isolation_prove
    from neondba.access.results import IsolationProof

    shown = isolation_prove(ctx, folder)
    assert isinstance(shown, IsolationProof), "the application is walked only when asked for"
    return proof_of(shown)


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
    lines.append(_role(isolation))
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
    verdict, *more = table.sentences
    return Line(subject=table.table, shown=shown, text=" ".join([verdict, _tried(table), *more]))


def _role(isolation: IsolationProof) -> Line:
    bound = f"No policy binds it: {isolation.passes_by}" if isolation.passes_by else "Policies bind it"
    return Line(
        subject=f"role {isolation.role}",
        shown=Shown.FAILS if isolation.passes_by else Shown.HOLDS,
        text=f"{bound}. Why this role: {isolation.role_chosen}.",
    )


def _tried(table: TableProof) -> str:
    verbs = {"select": "read", "insert": "add", "update": "change", "delete": "delete"}
    reached = [attempt for attempt in table.attempts if attempt.open]
    stopped = [verbs[a.action] for a in reached if a.text.startswith("only a foreign key")]
    done = [verbs[a.action] for a in reached if not a.text.startswith("only a foreign key")]
    if not reached:
        return "User A reached no row of user B by SELECT, INSERT, UPDATE or DELETE."
    said = f"User A could {_listed(done)} rows of user B" if done else "User A came as far as user B's rows"
    return f"{said}; only a foreign key stopped {_listed(stopped)}." if stopped else f"{said}."


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
