"""Compare the environments' connection strings, two by two; passwords by a digest that nobody keeps."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

from neondba.connections.environments_files import PRODUCTION, Held
from neondba.connections.environments_results import IsolationFault
from neondba.connections.environments_where import Where
from neondba.connections.explain_results import Place

_ORDER: Final = (PRODUCTION, "staging", "preview", "test", "development")
_SETUP: Final = "Give each environment a branch and a role of its own: neondba setup"


def faults(held: Sequence[Held], where: Where) -> Iterator[IsolationFault]:
    """Give what two environments share, the worst first."""
    by_name: dict[str, list[Held]] = {}
    for each in held:
        by_name.setdefault(each.environment, []).append(each)
    names = sorted(by_name, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    digest = _digests()
    for first, second in combinations(names, 2):
        yield from _between(by_name[first], by_name[second], where, digest)
    for name in names:
        if name != PRODUCTION:
            yield from _astray(by_name[name], by_name.get(PRODUCTION, []), where)


def _digests() -> Callable[[str], bytes]:
    """Give a digest with a key of this moment: equal texts have equal ones, and nothing else is to be had."""
    key = secrets.token_bytes(32)
    return lambda text: hmac.digest(key, text.encode(), "sha256")


def _between(
    first: list[Held], second: list[Held], where: Where, digest: Callable[[str], bytes]
) -> Iterator[IsolationFault]:
    same = _pair(first, second, lambda one: where.branch_key(one))
    if same:
        yield _same_branch(*same, where)
    password = _pair(first, second, lambda one: _password(one, digest))
    if password:
        yield _same_password(*password)
    elif not same:
        # Passwords that are known and differ make two logins, whatever the roles are called.
        role = _pair(first, second, _role_alone, known_once=True)
        if role:
            yield _same_role(*role)


def _pair(
    first: list[Held], second: list[Held], of: Callable[[Held], object], *, known_once: bool = False
) -> tuple[Held, Held] | None:
    """Give the first two that agree; `known_once` wants one of them to hold no password."""
    return next(
        (
            (a, b)
            for a in first
            for b in second
            if of(a) is not None and of(a) == of(b)
            if not known_once or a.address.password is None or b.address.password is None
        ),
        None,
    )


def _role_alone(one: Held) -> str | None:
    return one.address.role if one.is_neon else None


def _password(one: Held, digest: Callable[[str], bytes]) -> bytes | None:
    password = one.address.password
    # What a container on this machine is opened with is no secret.
    return digest(password.reveal()) if password and one.is_neon else None


def _same_branch(a: Held, b: Held, where: Where) -> IsolationFault:
    name = where.branch_name(a)
    thing = f"branch {name}" if name else a.place
    production = PRODUCTION in (a.environment, b.environment)
    both = f"{_titled(a.environment)} and {b.environment}"
    return IsolationFault(
        id="production-in-" + b.environment if production else "same-branch",
        said=f"{both} use the same database: {thing}.",
        why="What is tried in one happens to the rows of the other: a reset, a seed, a migration."
        if not production
        else f"Whoever works in {b.environment} works on the users' rows.",
        evidence="shown" if name else "read",
        places=_places(a, b),
        steps=(f"Make a branch for {b.environment}: neondba branch create {b.environment}", _SETUP),
    )


def _same_role(a: Held, b: Held) -> IsolationFault:
    return IsolationFault(
        id="same-role",
        said=f"{_titled(a.environment)} and {b.environment} log in as the same role, {a.address.role}, "
        "and one of them with a password that is kept elsewhere.",
        why="A branch copies its parent's roles with their passwords: unless one was changed, who can log in "
        "to one can log in to both, and rotating one is forgotten in the other.",
        evidence="read",
        places=_places(a, b),
        steps=(f"Make a role for one of them: neondba role create app_{b.environment}", _SETUP),
    )


def _same_password(a: Held, b: Held) -> IsolationFault:
    return IsolationFault(
        id="same-password",
        said=f"{_titled(a.environment)} and {b.environment} have the same password.",
        why="It was compared by a digest, and is not shown. Who reads one file can log in to both.",
        evidence="read",
        places=_places(a, b),
        steps=(f"Give {b.environment} another: neondba role rotate {b.address.role or 'ROLE'}", _SETUP),
    )


def _astray(held: list[Held], production: list[Held], where: Where) -> Iterator[IsolationFault]:
    """Report an environment that leads to the production branch, where no file of production says so."""
    known = {where.branch_key(each) for each in production}
    seen = set()
    for each in held:
        key, reason = where.branch_key(each), where.is_production(each)
        if reason and key not in known and key not in seen:
            seen.add(key)
            yield IsolationFault(
                id=f"production-in-{each.environment}",
                said=f"{_titled(each.environment)} leads to production: {reason}.",
                why=f"Whoever works in {each.environment} works on the users' rows.",
                evidence="shown" if where.branch_name(each) else "read",
                places=_places(each),
                steps=(
                    f"Make a branch for {each.environment}: neondba branch create {each.environment}",
                    _SETUP,
                ),
            )


def _places(*held: Held) -> tuple[Place, ...]:
    return tuple(
        Place(path=each.path, line=each.line, why=f"{each.variable}, {each.environment}: {each.place}")
        for each in held
    )


def _titled(name: str) -> str:
    return name[:1].upper() + name[1:]
