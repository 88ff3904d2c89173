"""What Python code does with its database's address before a driver sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from neondba.project.stack_manifest import Package

_TURNED: Final = re.compile(
    r"(?:replace|sub)\(\s*r?[\"']\^?postgres(?:ql)?:?(?://)?[\"']\s*,\s*f?[\"']postgres(?:ql)?\+(?P<a>\w+)"
    r"|drivername\s*=\s*[\"']postgresql\+(?P<b>\w+)"
    r"|f?[\"']postgresql\+(?P<c>\w+)://(?:\{[^}\n]*\[[^\n]*|[\"']\s*\+)"
    r"|[\"']drivername[\"']\s*:\s*[\"']postgresql\+(?P<d>\w+)"
)
_UNTURNED: Final = re.compile(r"replace\(\s*[\"'](?:postgresql)?\+(?:asyncpg|psycopg2?)(?:://)?[\"']")
_STRIPS: Final = re.compile(r"[\"'](?:[?&])?sslmode=?")
_PERCENT: Final = re.compile(r"set_main_option\(\s*[\"']sqlalchemy\.url[\"']\s*,")
_ESCAPED: Final = re.compile(r"replace\(\s*[\"']%[\"']\s*,\s*[\"']%%[\"']")
_BELOW: Final = re.compile(r"^(?:==|~=)\s*(?:1\.|2\.0)|<\s*2(?:\.1)?\b|<\s*2\.1")


@dataclass(frozen=True)
class Handling:
    """How an address is handled."""

    turned_to: str = ""
    """Driver that the code itself puts into the scheme; empty where it leaves the scheme alone."""
    unturned: bool = False
    """True where the code takes the driver out of the scheme again, for migrations."""
    strips_sslmode: bool = False
    no_percent: bool = False
    """True where a `%` in the address stops Alembic: its configuration reads it as the start of a name."""
    plain_is_psycopg2: bool | None = None
    """Whether SQLAlchemy takes psycopg2 for a plain `postgresql://`, as up to 2.0; `None` if unknown."""


def handling(texts: Iterable[tuple[str, str]], packages: dict[str, Package], locked: str) -> Handling:
    """Read how code handles the address; `locked` is SQLAlchemy's version in a lock file, if there is one."""
    turned, unturned, strips, percent = "", False, False, False
    for _, text in texts:
        found = _TURNED.search(text)
        turned = turned or (next(filter(None, found.groups()), "") if found else "")
        unturned = unturned or bool(_UNTURNED.search(text))
        strips = strips or bool(_STRIPS.search(text))
        percent = percent or bool(_PERCENT.search(text) and not _ESCAPED.search(text))
    wanted = packages.get("sqlalchemy")
    said = f"=={locked}" if locked else wanted.version if wanted else ""
    known = bool(re.match(r"==|~=", said)) or "<" in said
    plain = bool(_BELOW.search(said)) if known else None
    return Handling(turned, unturned, strips, percent, plain)
