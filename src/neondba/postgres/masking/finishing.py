"""Make an empty database ready for rows, and whole again once they are there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import sql

from neondba.core.problem import ConflictProblem
from neondba.postgres.connect import Connection, Row, trusted
from neondba.postgres.ddl.schema import Schema, changes
from neondba.postgres.masking import text
from neondba.postgres.masking.shapes import EMAIL
from neondba.postgres.masking.unfitting import unfitting

APART: Final = ("triggers", "constraints", "indexes")
"""What is taken off before the rows come, in this order."""
SEQUENCES: Final = """
select schemaname as schema, sequencename as name, last_value from pg_sequences where last_value is not null
"""


@contextmanager
def taken_apart(session: Connection) -> Iterator[None]:
    """Take off what rows need not fit yet, and triggers; put it back at the end.

    Not put back when the block fails: the branch is thrown away then.

    Raises:
        ConflictProblem: a table's owner is a role that the session cannot become, or the rows that came
            meanwhile do not fit.
    """
    rows = {name: session.execute(trusted(text(name))).fetchall() for name in APART}
    with _owning(session) as run:
        for name in APART:
            for row in rows[name]:
                run(row, "before")
        yield
        for name in reversed(APART):
            for row in rows[name]:
                run(row, "after")
                if row["has_comment"]:
                    run(row, "comment")


def sequences_like(source: Connection, target: Connection) -> None:
    """Set each sequence where it stands in the source."""
    for row in source.execute(trusted(SEQUENCES)).fetchall():
        name = sql.Identifier(row["schema"], row["name"]).as_string(target)
        target.execute("select setval(%s::regclass, %s, true)", [name, row["last_value"]])


def refreshed(source: Connection, target: Connection) -> list[str]:
    """Fill the materialised views that hold rows in the source; name those that could not be."""
    there = {row["after"]: row for row in target.execute(trusted(text("materialized"))).fetchall()}
    failed = []
    with _owning(target) as run:
        for row in source.execute(trusted(text("materialized"))).fetchall():
            if not row["populated"]:
                continue
            try:
                run(there[row["after"]], "after")
            except (psycopg.Error, ConflictProblem):
                failed.append(f"{row['schema']}.{row['table']}")
    return failed


def notes_on(source: Connection, target: Connection) -> list[str]:
    """Say what holds data and was not copied; take away the ways to other servers' rows."""
    row = source.execute(trusted(text("beside"))).fetchone() or {}
    notes = []
    if row.get("large_objects"):
        notes.append(f"{row['large_objects']} large objects were not copied.")
    if row.get("foreign_tables"):
        notes.append(f"{row['foreign_tables']} foreign tables: their rows stay where they are.")
    if row.get("extension_tables"):
        notes.append("Rows that an extension keeps in its own tables were not copied.")
    for mapping in target.execute("select srvname, usename from pg_user_mappings").fetchall():
        server, user = mapping["srvname"], mapping["usename"]
        who = sql.SQL("public") if user == "public" else sql.Identifier(user)
        try:
            target.execute(sql.SQL("drop user mapping for {} server {}").format(who, sql.Identifier(server)))
            notes.append(f"The way to server {server} was taken off: it leads to rows that are not masked.")
        except psycopg.Error:
            notes.append(f"Server {server} can be reached from the branch: look at its user mapping.")
    return notes


@contextmanager
def _owning(session: Connection) -> Iterator[Callable[[Row, str], None]]:
    """Give a function that runs a row's statement with the rights of its table's owner too.

    Not in the owner's place: a foreign key needs rights on the other table, which may be somebody else's.
    """
    granted: list[str] = []

    def run(row: Row, part: str) -> None:
        if row["owner"] not in granted and _became_member(session, row):
            granted.append(row["owner"])
        try:
            session.execute(trusted(row[part]))
        except psycopg.errors.IntegrityError as error:
            raise unfitting(f"{row['schema']}.{row['table']}", error) from None

    yield run
    for owner in granted:
        session.execute(
            sql.SQL("revoke {} from current_user granted by current_user").format(sql.Identifier(owner))
        )


def _became_member(session: Connection, row: Row) -> bool:
    """Become a member of a table's owner; False where the session's role is one.

    Raises:
        ConflictProblem: it may not be.
    """
    owner, table = row["owner"], f"{row['schema']}.{row['table']}"
    held = session.execute("select pg_has_role(current_user, %s, 'usage') as is_member", [owner]).fetchone()
    if held and held["is_member"]:
        return False
    try:
        session.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(owner)))
    except psycopg.errors.InsufficientPrivilege:
        raise ConflictProblem(
            "mask-owner",
            f"{table} belongs to role {owner}, which {session.info.user} cannot act as.",
            hint=f"On the parent: grant {owner} to {session.info.user}; or give the table another owner.",
            role=owner,
            table=table,
        ) from None
    return True


def named_in(schema: Schema) -> list[str]:
    """Say where the schema itself, which comes along as it is, holds somebody's address."""
    found = [key for key, value in schema.objects.items() if EMAIL.search(value.model_dump_json())]
    if not found:
        return []
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return [f"The schema itself holds e-mail addresses, and is not masked: {', '.join(found[:5])}{more}."]


def same_schema(before: Schema, after: Schema, empty: Collection[str]) -> None:
    """Refuse a copy whose schema is not the source's, but for views that could not be filled.

    Raises:
        ConflictProblem: with what differs.
    """
    found = [
        each
        for each in changes(before, after)
        if not (each.kind == "view" and each.name.replace('"', "") in empty)
    ]
    if found:
        said = ", ".join(f"{each.kind} {each.name} ({each.change.value})" for each in found[:5])
        raise ConflictProblem(
            "mask-schema-differs",
            f"The masked branch would not have the same schema: {said}.",
            hint="Was the schema changed meanwhile? Try again; if it stays, report it.",
        )
