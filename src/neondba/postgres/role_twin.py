"""A second login with exactly a role's rights, so that a credential changes with overlap.

PostgreSQL keeps one password for a role. The twin is a member of the role that inherits it, so grants,
ownership and policies that name the role hold for it; and its sessions act as the role (`alter role … set
role`), so what it makes belongs to the role, and `current_user` is the same. Each rotation changes from one
of the two to the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Row, ask, literal, trusted
from neondba.postgres.ddl.names import quote_ident
from neondba.postgres.role_membership import membership, splits
from neondba.postgres.role_password import set_unseen
from neondba.postgres.role_statements import commented

_TWIN: Final = re.compile(
    r"neondba: twin of (?P<base>.*?)(?:; rotation (?P<id>[0-9a-f]{16}) (?P<said>.*))?", re.DOTALL
)
_LETTERS: Final = "bcdefgh"


@dataclass(frozen=True)
class Pair:
    """A role, its twin, and a rotation that is under way between them."""

    base: str
    twin: str
    twin_exists: bool
    open: frozenset[str]
    """Which of the two may log in."""
    rotation: str | None = None
    """Id of the rotation that is under way."""
    said: str = ""
    """Where and when it began."""

    def other(self, role: str) -> str:
        """Give the other one."""
        return self.base if role == self.twin else self.twin

    @property
    def names(self) -> tuple[str, str]:
        """Give both."""
        return self.base, self.twin


def pair_of(session: Connection, name: str) -> Pair | None:
    """Find a role and its twin, by the name of either; nothing when there is no such role."""
    found = ask(session, "profile_role", name)
    if not found:
        return None
    mark = _TWIN.fullmatch(str(found[0]["comment"] or ""))
    base = mark["base"] if mark else name
    roles = {base: ask(session, "profile_role", base)}
    twin = ""
    for letter in _LETTERS:
        twin = f"{base.encode()[:61].decode(errors='ignore')}_{letter}"
        roles[twin] = ask(session, "profile_role", twin)
        mark = _TWIN.fullmatch(str(roles[twin][0]["comment"] or "")) if roles[twin] else None
        if not roles[twin] or (mark and mark["base"] == base):
            break
    is_open = frozenset(each for each in (base, twin) if roles[each] and roles[each][0]["can_login"])
    under_way = mark if roles[twin] else None
    return Pair(
        base,
        twin,
        bool(roles[twin]),
        is_open,
        under_way["id"] if under_way else None,
        (under_way["said"] or "") if under_way else "",
    )


def facts(session: Connection, base: str) -> Row:
    """Read what stands in the way of a twin."""
    return ask(session, "twin_facts", base)[0]


def preparing(session: Connection, pair: Pair, to: str, rotation: str, said: str) -> tuple[str, ...]:
    """Give the statements that open a role of the pair for a new credential."""
    twin, made = quote_ident(pair.twin), []
    if not pair.twin_exists:
        made.append(
            f"create role {twin} nologin inherit nosuperuser nocreatedb nocreaterole noreplication"
            " nobypassrls"
        )
        made.append(f"grant {quote_ident(pair.base)} to {twin}")
    if to == pair.twin:
        made += _settings(facts(session, pair.base), twin)
        made.append(f"alter role {twin} set role = {literal(pair.base)}")
    made.append(commented(pair.twin, f"neondba: twin of {pair.base}; rotation {rotation} {said}"))
    made.append(f"alter role {quote_ident(to)} login")
    return tuple(made)


def _settings(base: Row, twin: str) -> list[str]:
    """Copy what belongs to a role and is not inherited."""
    made = [f"alter role {twin} connection limit {base['connection_limit']}"]
    if base["valid_until"]:
        made.append(f"alter role {twin} valid until {literal(str(base['valid_until']))}")
    made.append(f"alter role {twin} reset all")
    made += [f"alter role {twin} set {_assigned(each)}" for each in base["settings"]]
    for database, settings in base["by_database"].items():
        made += [
            f"alter role {twin} in database {quote_ident(database)} set {_assigned(each)}"
            for each in settings
        ]
    return made


def _assigned(setting: str) -> str:
    name, _, value = setting.partition("=")
    listed = name in (
        "search_path",
        "session_preload_libraries",
        "local_preload_libraries",
        "temp_tablespaces",
    )
    return f"{name} = {value if listed else literal(value)}"


def send(session: Connection, statements: tuple[str, ...], role: str, password: Secret) -> None:
    """Send statements and set a role's password, all or nothing.

    Raises:
        Refused: the server refuses one.
    """
    with session.transaction():
        for statement in statements:
            session.execute(trusted(statement))
        set_unseen(session, role, password)


def end_sessions(session: Connection, role: str) -> int:
    """End a role's sessions, and count them."""
    count = "select count(pg_terminate_backend(pid)) as n from pg_stat_activity where usename = %s"
    with session.transaction():
        try:
            with session.transaction():
                row = session.execute(trusted(count), [role]).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            # Who may manage the role may become a member of it: that suffices to end its sessions.
            session.execute(trusted(membership(session, role, inherits=True)))
            row = session.execute(trusted(count), [role]).fetchone()
            back = membership(session, role, inherits=False)
            session.execute(
                trusted(back if splits(session) else f"revoke {quote_ident(role)} from current_user")
            )
    return int(row["n"]) if row else 0


def finished(session: Connection, pair: Pair) -> None:
    """Note that no rotation is under way any more."""
    session.execute(trusted(commented(pair.twin, f"neondba: twin of {pair.base}")))


def drop_twin(session: Connection, pair: Pair) -> bool:
    """Drop a twin that owns nothing; false when something depends on it."""
    try:
        session.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(pair.twin)))
    except psycopg.Error:
        return False
    return True


def rights(session: Connection) -> dict[str, str]:
    """Give all that a session's role may do, by what it is about."""
    return {str(row["what"]): str(row["held"]) for row in ask(session, "twin_rights")}


def visible(session: Connection) -> dict[str, str]:
    """Count, up to a hundred, the rows that each table's policies show when no user is set."""
    seen: dict[str, str] = {}
    for row in ask(session, "twin_secured"):
        count = sql.SQL("select count(*) as n from (select from {} limit 100) as some").format(
            sql.SQL(trusted(str(row["name"])))
        )
        try:
            with session.transaction():
                session.execute("set local statement_timeout = '3s'")
                found = session.execute(count).fetchone()
            seen[str(row["name"])] = f"{found['n'] if found else 0} rows"
        except psycopg.errors.QueryCanceled:
            continue
        except psycopg.Error as error:
            seen[str(row["name"])] = str(error).strip().split("\n")[0]
    return seen
