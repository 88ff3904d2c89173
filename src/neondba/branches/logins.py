"""Who the lines of a file log in as: each keeps its own role, database and password."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.branches.values import DIRECT, POOLED, WHO, Leads, leads, of_parts, read
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.branches.switching import Switch

_URLS: Final = (*POOLED, *DIRECT)


@dataclass(frozen=True)
class Login:
    """A role with the database that it is for."""

    role: str
    database: str
    password: Secret | None = None
    """Its password in the file: for a role whose password Neon does not know."""


Line = tuple[Path, str]
"""A variable of a file."""


def of_lines(
    switch: Switch, usual: Login, roles: Collection[str], databases: Collection[str]
) -> dict[Line, Login]:
    """Give the login of each line: its own where it names one and leads to this project, else the usual one.

    `roles` are those that Neon knows: their passwords are its to tell. A database that the branch does not
    have gives way to the usual one.
    """
    found: dict[Line, Login] = {}
    for file in switch.files:
        parts = of_parts(file.text)
        for name in (each for each in file.names if each in (*_URLS, *WHO)):
            value = parts if name in WHO else file.text.value(name)
            if name in file.kept or leads(value, switch.endpoints) not in (Leads.HERE, Leads.UNKNOWN):
                continue
            url = read(value)
            if url is None or url.role is None or not (url.password or url.role in roles):
                continue
            known = url.database if url.database in databases else None
            found[file.path, name] = Login(url.role, known or usual.database, url.password)
    return found
