"""Look at the databases of a branch: which columns are personal, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neondba.branches.mask_results import Coverage, Covered
from neondba.core.context import Context
from neondba.core.settings import room_tables

if TYPE_CHECKING:
    from neondba.core.secret import Secret
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project
    from neondba.postgres.connect import Connection
    from neondba.postgres.masking.columns import Column
    from neondba.postgres.masking.decision import Decision
    from neondba.postgres.masking.rules import Rule


@dataclass(frozen=True)
class Look:
    """One database as it was looked at."""

    database: str
    owner: str
    columns: tuple[Column, ...]
    decisions: tuple[Decision, ...]
    documents: Mapping[str, str]
    """Personal keys of each document that is masked, as JSON."""


def rules_for(ctx: Context) -> dict[str, Rule]:
    """Read the project file's rules; what stands in neondba.toml counts before pyproject.toml.

    Raises:
        ArgumentProblem: a line is none that is known.
    """
    from neondba.postgres.masking.rules import read

    found: dict[str, Rule] = {}
    for source, table in room_tables(ctx.folder, "mask"):
        found |= read(source, table)
    return found


def databases(client: NeonClient, project_id: str, branch_id: str) -> list[tuple[str, str, Secret]]:
    """Give each database of a branch, its owner and its address."""
    return [
        (each.name, each.owner_name, client.connection_uri(project_id, branch_id, each.name, each.owner_name))
        for each in sorted(client.databases(project_id, branch_id), key=lambda each: each.id)
    ]


def look(
    ctx: Context, session: Connection, database: str, owner: str, rules: Mapping[str, Rule], *, whole: bool
) -> Look:
    """Decide for every column of a database; `whole` reads each row of what is to stay.

    Raises:
        ArgumentProblem: a rule does not fit its column.
        RemoteProblem: rows cannot be read.
    """
    from neondba.postgres.connect import Refused
    from neondba.postgres.masking.columns import columns_of, links_of
    from neondba.postgres.masking.deciding import Decider
    from neondba.postgres.masking.looking import looked_through, samples_of
    from neondba.postgres.masking.unfitting import unread

    ctx.progress(f"Looking at the columns of database {database}.")
    documents: dict[str, str] = {}
    try:
        columns = columns_of(session)
        samples = samples_of(session, columns)
        decisions = Decider(columns, links_of(session), samples, rules).decide()
        if whole:
            ctx.progress(f"Reading every row of what stays in database {database}.")
            decisions, documents = looked_through(session, columns, decisions, samples)
    except Refused as error:
        raise unread(f"Database {database}", error) from None
    return Look(database, owner, tuple(columns), tuple(decisions), documents)


def coverage_of(
    looks: Iterable[Look], rules: Mapping[str, Rule], project: Project, branch: Branch, *, whole: bool
) -> Coverage:
    """Put together what was found in all databases."""
    found = [
        Covered(database=each.database, **decision.model_dump())
        for each in looks
        for decision in each.decisions
    ]
    known = {each.column for each in found}
    told = tuple(each for each in found if not each.is_plain)
    notes = tuple(
        f"The rule for {where} fits no column of {branch.name}." for where in rules if where not in known
    )
    return Coverage(
        project=project.name,
        branch=branch.name,
        columns=told,
        plain=len(found) - len(told),
        whole=whole,
        notes=notes,
    )
