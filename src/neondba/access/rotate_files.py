"""Files of variables that hold a role's credential, and putting another in its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.project import env_file
from neondba.project.env_file import EnvText
from neondba.project.env_paths import env_paths
from neondba.project.places import is_example

_USERINFO: Final = re.compile(r"(?s)(?P<head>\s*[A-Za-z][A-Za-z0-9+]*://)[^/?#@]*@(?P<rest>.*)")
_USER: Final = re.compile(r"(?P<prefix>.*?)(?:USERNAME|USER|ROLE)")
_PASSWORDS: Final = ("PASSWORD", "PASS", "PASSWD", "PW")


@dataclass(frozen=True)
class Credential:
    """A role and its password."""

    role: str
    password: Secret


@dataclass(frozen=True)
class Holding:
    """A credential in a file, and the variables that it is in."""

    path: Path
    credential: Credential
    names: tuple[str, ...]


def env_files(folder: Path, more: Iterable[Path]) -> list[Path]:
    """Give the files of variables under a folder, but no examples; and those that were named."""
    found = [path for path in env_paths(folder) if not is_example(path.name)]
    return list(dict.fromkeys(path for path in (*found, *more) if path.is_file()))


def holdings(files: Iterable[Path], roles: Collection[str], endpoints: Collection[str]) -> list[Holding]:
    """Find the credentials of some roles on some endpoints.

    Raises:
        ArgumentProblem: a file cannot be read.
    """
    found: dict[tuple[Path, Credential], list[str]] = {}
    for path in files:
        for credential, names in _held(env_file.read(path), roles, endpoints):
            found.setdefault((path, credential), []).extend(names)
    return [Holding(path, credential, tuple(names)) for (path, credential), names in found.items()]


def switched(text: EnvText, roles: Collection[str], endpoints: Collection[str], new: Credential) -> EnvText:
    """Give a text with another credential wherever one of these roles has one."""
    values: dict[str, Secret] = {}
    for name in text.names:
        value = text.value(name)
        if value and _in_url(value, roles, endpoints):
            values[name] = _url(value, new)
    for user, password in _parts(text, roles, endpoints):
        values |= {user: Secret(new.role), password: new.password}
    return text.with_values(values)


def _held(
    text: EnvText, roles: Collection[str], endpoints: Collection[str]
) -> Iterator[tuple[Credential, list[str]]]:
    for name in text.names:
        value = text.value(name)
        found = _in_url(value, roles, endpoints) if value else None
        if found:
            yield found, [name]
    for user, password in _parts(text, roles, endpoints):
        role, secret = text.value(user), text.value(password)
        if role and secret:
            yield Credential(role.reveal(), secret), [user, password]


def _in_url(value: Secret, roles: Collection[str], endpoints: Collection[str]) -> Credential | None:
    from neondba.neon.connection_string import parse

    try:
        found = parse(value)
    except ArgumentProblem:
        return None
    if found.role not in roles or found.password is None or found.endpoint_id not in endpoints:
        return None
    return Credential(str(found.role), found.password)


def _url(value: Secret, new: Credential) -> Secret:
    """Put the credential into a URL; every other byte stays."""
    who = f"{quote(new.role, safe='')}:{quote(new.password.reveal(), safe='')}"
    found = _USERINFO.fullmatch(value.reveal())
    return Secret(f"{found['head']}{who}@{found['rest']}") if found else value


def _parts(text: EnvText, roles: Collection[str], endpoints: Collection[str]) -> Iterator[tuple[str, str]]:
    """Give pairs of variables for user and password, such as PGUSER and PGPASSWORD."""
    for name in text.names:
        match = _USER.fullmatch(name)
        value = text.value(name)
        if match is None or value is None or value.reveal() not in roles:
            continue
        prefix = match["prefix"]
        password = next((prefix + end for end in _PASSWORDS if prefix + end in text.names), None)
        if password is not None and _leads_here(text, prefix, endpoints):
            yield name, password


def _leads_here(text: EnvText, prefix: str, endpoints: Collection[str]) -> bool:
    values = [text.value(name) for name in text.names if name.startswith(prefix)]
    return any(each in value.reveal() for value in values if value for each in endpoints)
