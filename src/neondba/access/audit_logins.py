"""Findings on logins: unused, shared, with passwords that never end or are stored badly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from neondba.access.audit_env import Use
from neondba.access.audit_results import Accepted, Danger, RoleFinding
from neondba.access.audit_who import Row, Who, listed, read

ENDLESS: Final = "password-never-expires"
NEXT_EXCHANGE: Final = timedelta(days=90)
"""The end that a proposal gives a password."""
LONG_ENOUGH: Final = timedelta(days=7)
"""A login that nobody counted for less long says nothing."""


def last_seen(who: Who, role: str) -> str:
    """Say when a role was last seen, as far as that can be known."""
    if who.roles[role]["own_session"]:
        return "now (this audit)"
    session = _by_role(who, "seen").get(role)
    if session:
        return f"now, {session['sessions']} {'session' if session['sessions'] == 1 else 'sessions'}"
    calls = _by_role(who, "counted").get(role)
    if calls:
        return f"{calls['calls']} statements since {calls['counted_since']:%Y-%m-%d %H:%M}"
    since = _counted_since(who)
    return f"not since {since:%Y-%m-%d %H:%M}" if since else "not now"


def unused(who: Who) -> Iterator[RoleFinding]:
    """Find logins of which nobody has seen anything."""
    seen, counted = _by_role(who, "seen"), _by_role(who, "counted")
    idle = [
        role
        for role in who.logins
        if role not in seen
        and role not in counted
        and role not in who.named_in
        and not who.roles[role]["own_session"]
    ]
    if not idle:
        return
    since, now = _counted_since(who), who.facts.clock["now"]
    if since is None or now - since < LONG_ENOUGH:
        counts = f"counts since {since:%Y-%m-%d %H:%M} only" if since else "counts nobody's statements"
        who.not_checked.append(
            f"Whether {listed(idle)} are used: no session now and no file here names them, but the server "
            f"{counts}. Neon's statistics end when a compute sleeps: look again after a week awake, or see "
            "who logged in: neondba access history"
        )
        return
    yield from (_idle(who, role, since) for role in idle)


def _idle(who: Who, role: str, since: datetime) -> RoleFinding:
    mine, tables = who.manages(role), who.roles[role]["tables"]
    quoted = who.quoted(role)
    back = f"; alter role {quoted} login undoes it. It owns {tables} tables, which stay."
    gone = f"(delete {role} in the Console or over the API: only Neon changes a role it made)"
    return RoleFinding(
        code="login-unused",
        danger=Danger.LOW,
        said=f"Nothing seems to log in with {role}.",
        roles=(role,),
        evidence=(
            read(f"No session now, no statement since {since:%Y-%m-%d %H:%M}, no file of variables here."),
        ),
        mend=(f"alter role {quoted} nologin;" if mine else gone,),
        then=f"Logging in as {role} is refused{back if mine else ' for good.'}",
    )


def endless(who: Who) -> Iterator[RoleFinding]:
    """Find passwords without an end, where the database's owner may set one and nobody accepts that."""
    names = [role for role in _without_end(who) if who.manages(role) and not who.accepted.key(ENDLESS, role)]
    if names:
        day = who.facts.clock["now"] + NEXT_EXCHANGE
        yield RoleFinding(
            code=ENDLESS,
            danger=Danger.LOW,
            said=f"The {'password' if len(names) == 1 else 'passwords'} of {listed(names)} never "
            f"{'expires' if len(names) == 1 else 'expire'}: one that leaks opens the door for good.",
            roles=tuple(names),
            evidence=(read("pg_roles.rolvaliduntil is empty."),),
            mend=tuple(f"alter role {who.quoted(role)} valid until '{day:%Y-%m-%d}';" for role in names),
            then="From that day on the server refuses the login. Shortly before: neondba role rotate NAME "
            "and the same statement with a later day, since the new password keeps the end of the old one. "
            "Who exchanges passwords by a calendar of their own accepts this finding instead.",
        )
    yield from _expired(who)


def endless_accepted(who: Who) -> Iterator[Accepted]:
    """Give the passwords without an end that are accepted, by the project or by the platform."""
    for role in _without_end(who):
        said = f"The password of {role} never expires."
        if key := who.accepted.key(ENDLESS, role):
            yield who.accepted.accepted(key, said).model_copy(update={"finding": f"{ENDLESS}:{role}"})
        elif not who.manages(role):
            yield Accepted(
                finding=f"{ENDLESS}:{role}",
                said=said,
                reason=f"Neon made the role, and the server lets nobody here set an end. Where the password "
                f"may have leaked: {who.rotation(role)}",
                source="always",
            )


def _without_end(who: Who) -> list[str]:
    return [role for role in who.logins if who.roles[role]["valid_until"] in (None, "infinity")]


def _expired(who: Who) -> Iterator[RoleFinding]:
    expired = [role for role in who.logins if who.roles[role]["expired"]]
    if expired:
        yield RoleFinding(
            code="password-expired",
            danger=Danger.LOW,
            said=f"The passwords of {listed(expired)} have expired: nobody logs in with them.",
            roles=tuple(expired),
            evidence=tuple(
                read(f"pg_roles.rolvaliduntil of {role} is {who.roles[role]['valid_until']}.")
                for role in expired
            ),
            mend=tuple(f"alter role {who.quoted(role)} nologin;" for role in expired if who.manages(role)),
            then="Nothing changes for anybody: it makes plain that the login is closed. To open one again: "
            "valid until with a later day.",
        )


def weakly_stored(who: Who) -> Iterator[RoleFinding]:
    """Find passwords that are stored as md5."""
    clock = who.facts.clock
    if "passwords" in who.facts.refused:
        who.not_checked.append(
            f"How passwords are stored: pg_authid is for superusers. New ones are {clock['encryption']}."
        )
        return
    for row in who.facts.of("passwords"):
        if row["md5"]:
            yield RoleFinding(
                code="password-stored-as-md5",
                danger=Danger.HIGH,
                said=f"The password of {row['role']} is stored as md5: whoever reads it may log in with it.",
                roles=(row["role"],),
                evidence=(read("pg_authid.rolpassword begins with md5."),),
                mend=(who.rotation(row["role"]),),
                then="The new password is stored as scram-sha-256.",
            )


def shared_in_files(who: Who) -> Iterator[RoleFinding]:
    """Find one credential in files of several environments."""
    found: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for use in who.uses:
        if use.password:
            found[use.role, use.password.reveal()].append(use)
    for (role, _), there in found.items():
        files = sorted({use.file for use in there})
        if len(files) < 2:
            continue
        hosts = sorted({use.endpoint or use.host for use in there})
        several = len({host.removesuffix("-pooler") for host in hosts}) > 1
        led = "to the same place" if not several else f"to {listed(hosts)}"
        yield RoleFinding(
            code="login-shared-by-environments",
            danger=Danger.HIGH if several else Danger.MEDIUM,
            said=f"{listed(files)} log in with {role} and the very same password, {led}: who has one "
            "environment has the other.",
            roles=(role,),
            evidence=tuple(read(f"{use.place} leads to {use.endpoint or use.host}.") for use in there),
            mend=(who.rotation(role), "neondba setup environments"),
            then="Each file must be given its own role or password before the old one ends.",
        )


def _by_role(who: Who, kind: str) -> dict[str, Row]:
    return {row["role"]: row for row in who.facts.of(kind)}


def _counted_since(who: Who) -> datetime | None:
    rows = who.facts.of("counted")
    if not rows:
        return None
    since, started = rows[0]["counted_since"], who.facts.clock["started"]
    return max(since, started) if since else None
