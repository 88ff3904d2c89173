"""Make a branch of masked rows: a root of its own, into which no original ever comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from neondba.branches.mask_looking import Look, coverage_of, databases, look, rules_for
from neondba.branches.mask_results import FILE, Coverage
from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, Problem

if TYPE_CHECKING:
    from neondba.core.secret import Secret
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, CreatedBranch, Project
    from neondba.neon.throwaway import Throwaway
    from neondba.postgres.connect import Connection
    from neondba.postgres.masking.columns import Column
    from neondba.postgres.masking.rules import Rule

PURPOSE: Final = "mask"
LIFETIME: Final = timedelta(hours=6)
"""How long what a killed run leaves lives at most."""
TOLD_EVERY: Final = 1.0


@dataclass(frozen=True)
class AnonymisedBranch:
    """A branch that may be handed over."""

    made: CreatedBranch
    coverage: Coverage
    rows: int


def anonymised_steps(source: str, name: str) -> tuple[str, ...]:
    """Give the steps for the plan of a command that makes such a branch."""
    return (
        f"Make a throw-away branch of {source} to read from; {source} itself is not read.",
        f"Decide for each column of {source} what becomes of it; stop, with nothing made, while one is open.",
        f"Create branch {name} as a root with the schema alone, and stream masked rows into it.",
        f"Give the roles of {name} new passwords: they open {name} alone.",
        "Delete the throw-away branch.",
    )


def anonymised_branch(
    client: NeonClient,
    ctx: Context,
    project: Project,
    source: Branch,
    name: str,
    *,
    expires_at: datetime | None = None,
    lsn: str | None = None,
    timestamp: datetime | None = None,
) -> AnonymisedBranch:
    """Make branch `name` with the rows of `source`, masked; call it inside `ctx.carry_out`.

    Until the last row is there the new branch has a name that the next run sweeps away, so a killed run
    hands over nothing.

    Raises:
        ConflictProblem: a column is open (`mask-open`), or masked rows do not fit a constraint.
        Problem: the platform refuses.
    """
    from neondba.neon.throwaway import Wanted, throwaway_branch

    rules = rules_for(ctx)
    wanted = Wanted(parent=source.id, lsn=lsn, timestamp=timestamp, lifetime=LIFETIME)
    with throwaway_branch(client, ctx, project=project.id, purpose=PURPOSE, wanted=wanted) as data:
        with ExitStack() as stack:
            found = list(_looked(stack, client, ctx, data, rules))
            coverage = coverage_of([each for each, _ in found], rules, project, source, whole=True)
            refuse_open(coverage)
            with _growing(client, ctx, project, data) as growing:
                rows, notes = _filled(client, ctx, project, growing, found)
                client.update_branch(project.id, growing.branch.id, name=name, expires_at=expires_at)
        client.delete_branch(project.id, data.branch_id, hard=True)
    branch = client.branch(project.id, growing.branch.id)
    made = growing.model_copy(update={"branch": branch})
    coverage = coverage.model_copy(update={"notes": (*coverage.notes, *notes)})
    return AnonymisedBranch(made, coverage, rows)


def refuse_open(coverage: Coverage) -> None:
    """Stop while a column is open.

    Raises:
        ConflictProblem: which columns, and the lines that settle each.
    """
    undecided = coverage.undecided
    if not undecided:
        return
    named = ", ".join(f"{each.column} ({each.why})" for each in undecided[:5])
    more = f" and {len(undecided) - 5} more" if len(undecided) > 5 else ""
    lines = "\n".join(f"  {line}" for each in undecided for line in each.lines)
    raise ConflictProblem(
        "mask-open",
        f"No branch was made: columns of {coverage.branch} look personal, and nobody has said what becomes "
        f"of them: {named}{more}.",
        hint=f"Put one line for each under {FILE}:\n{lines}",
        columns=[each.column for each in undecided],
        lines=coverage.lines,
    )


def _looked(
    stack: ExitStack, client: NeonClient, ctx: Context, data: Throwaway, rules: Mapping[str, Rule]
) -> Iterator[tuple[Look, Connection]]:
    from neondba.postgres.connect import connect
    from neondba.postgres.masking.looking import settle

    for database, owner, url in databases(client, data.project_id, data.branch_id):
        session = stack.enter_context(connect(url))
        settle(session)
        yield look(ctx, session, database, owner, rules, whole=True), session


@contextmanager
def _growing(client: NeonClient, ctx: Context, project: Project, data: Throwaway) -> Iterator[CreatedBranch]:
    """Give a root branch with the schema alone; whatever goes wrong, it is gone afterwards."""
    name = f"neondba-{PURPOSE}-{ctx.chance.getrandbits(32):08x}"
    ctx.progress(f"Making branch {name} with the schema alone.")
    done = False
    try:
        made = client.create_branch(
            project.id,
            name,
            parent_id=data.branch_id,
            schema_only=True,
            expires_at=ctx.clock.now() + LIFETIME,
        )
        yield made
        done = True
    finally:
        if not done:
            _removed(client, ctx, project, name)


def _removed(client: NeonClient, ctx: Context, project: Project, name: str) -> None:
    try:
        for branch in client.branches(project.id):
            if branch.name == name:
                client.delete_branch(project.id, branch.id, hard=True)
    except Problem as problem:
        # What went wrong first is what the user must hear.
        ctx.listener(f"Branch {name} may still be there, half filled: {problem.message}", None)


def _filled(
    client: NeonClient,
    ctx: Context,
    project: Project,
    growing: CreatedBranch,
    found: list[tuple[Look, Connection]],
) -> tuple[int, list[str]]:
    """Stream every database; give the rows copied, and what is to be said."""
    from neondba.postgres.connect import connect
    from neondba.postgres.masking.looking import settle
    from neondba.postgres.masking.streaming import new_key

    branch_id = growing.branch.id
    for role in client.roles(project.id, branch_id):
        if not role.protected:
            client.reset_password(project.id, branch_id, role.name)
    key = new_key(ctx.chance.choice)
    rows, notes = 0, list[str]()
    for each, session in found:
        url = client.connection_uri(project.id, branch_id, each.database, each.owner)
        with connect(url) as target:
            settle(target)
            copied, said = _copied(ctx, session, target, each, key)
        rows, notes = rows + copied, [*notes, *said]
    return rows, notes


def _copied(
    ctx: Context, source: Connection, target: Connection, looked: Look, key: Secret
) -> tuple[int, list[str]]:
    from neondba.postgres.ddl.reading import schema_of
    from neondba.postgres.masking import finishing, streaming

    before = schema_of(source)
    decisions = {each.column: each for each in looked.decisions}
    streaming.equip(source, key, streaming.room_for_addresses(looked.columns, decisions))
    stream = streaming.Stream(source, target, decisions, looked.documents)
    tables: dict[tuple[str, str], list[Column]] = {}
    for column in looked.columns:
        tables.setdefault(column.of, []).append(column)
    rows = 0
    with finishing.taken_apart(target):
        for place, (of, columns) in enumerate(tables.items()):
            tell = _Telling(ctx, ".".join(of), place / len(tables))
            rows += stream.copy(columns, tell)
        ctx.progress(f"Making indexes and foreign keys of database {looked.database}.")
    finishing.sequences_like(source, target)
    failed = finishing.refreshed(source, target)
    target.execute("analyze")
    notes = finishing.notes_on(source, target) + finishing.named_in(before)
    notes += [
        f"Materialised view {name} could not be filled from masked rows; it is empty." for name in failed
    ]
    finishing.same_schema(before, schema_of(target), set(failed))
    return rows, notes


class _Telling:
    """Tell how far a table is, once a second; stop when the user has cancelled."""

    def __init__(self, ctx: Context, table: str, share: float) -> None:
        self._ctx, self._table, self._share = ctx, table, share
        self._next = ctx.clock.monotonic() + TOLD_EVERY
        ctx.progress(f"Masking {table}.", share)

    def __call__(self, rows: int) -> None:
        now = self._ctx.clock.monotonic()
        if now >= self._next:
            self._next = now + TOLD_EVERY
            self._ctx.progress(f"Masking {self._table}: {rows:,} rows.", self._share)
