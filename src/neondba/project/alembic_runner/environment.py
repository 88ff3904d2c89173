"""The variables through which a project's settings learn where its database is.

All names that could carry an address are set to the branch, so that nothing can reach another database
by a name we overlooked; the child checks afterwards where it really ended up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel

from neondba.core.secret import Secret
from neondba.project.alembic_runner.locate import SKIPPED

ADDRESS: Final = re.compile(
    r"\b(?=\w*(?:database|postgres|psql|pg|db|neon|sqlalchemy|direct|unpooled|alembic))"
    r"\w*(?:url|uri|dsn|unpooled|non_pooling)\w*\b",
    re.IGNORECASE,
)
PART: Final = re.compile(
    r"\b((?:\w*_)?(?:database|postgres|postgresql|psql|pg|db|sql)_?)"
    r"(host|hostname|server|port|user|username|password|pass|passwd|db|name|dbname|database)\b",
    re.IGNORECASE,
)
PREFIX: Final = re.compile(r"env_prefix\s*=\s*[\"'](\w+)[\"']")
SCHEME: Final = re.compile(r"\b(postgres(?:ql)?(?:\+\w+)?)://")
ALWAYS: Final = ("DATABASE_URL", "DATABASE_URL_UNPOOLED", "DIRECT_URL", "POSTGRES_URL")
LARGEST = 400_000
MOST_FILES = 3_000


class Names(BaseModel):
    """What a project's files call its database's address."""

    addresses: tuple[str, ...]
    parts: dict[str, str]
    """Variable to the part it holds: host, port, user, password or database."""
    schemes: tuple[str, ...]
    """Connection-string schemes in the project's files, most frequent first."""


_PARTS: Final = {
    "host": "host", "hostname": "host", "server": "host", "port": "port", "user": "user",
    "username": "user", "password": "password", "pass": "password", "passwd": "password",
    "db": "database", "name": "database", "dbname": "database", "database": "database",
}  # fmt: skip


def names_in(folder: Path) -> Names:
    """Read the project's files for names of variables; values are not looked at."""
    addresses: dict[str, None] = dict.fromkeys(ALWAYS)
    parts: dict[str, str] = {}
    schemes: dict[str, int] = {}
    prefixes: set[str] = set()
    for text in _texts(folder):
        addresses |= dict.fromkeys(match.upper() for match in ADDRESS.findall(text))
        for stem, part in PART.findall(text):
            parts[(stem + part).upper()] = _PARTS[part.lower()]
        prefixes |= set(PREFIX.findall(text))
        for scheme in SCHEME.findall(text):
            schemes[scheme] = schemes.get(scheme, 0) + 1
    for prefix in sorted(prefixes):
        addresses |= dict.fromkeys(prefix.upper() + name for name in list(addresses))
        parts |= {prefix.upper() + name: part for name, part in parts.items()}
    return Names(
        addresses=tuple(addresses),
        parts=parts,
        schemes=tuple(sorted(schemes, key=lambda s: ("+" not in s, -schemes[s]))),
    )


def _texts(folder: Path) -> Iterator[str]:
    """Give the files that may name the variables: code, and examples of `.env`."""
    seen = 0
    waiting = [folder]
    while waiting:
        for entry in sorted(waiting.pop().iterdir()):
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if entry.name not in SKIPPED and not entry.name.startswith("."):
                    waiting.append(entry)
            elif entry.suffix == ".py" or entry.name.startswith((".env", "env.")):
                seen += 1
                if seen <= MOST_FILES and entry.stat().st_size <= LARGEST:
                    yield entry.read_text(encoding="utf-8", errors="replace")


def schemes_to_try(names: Names) -> list[str]:
    """Order the drivers: what the project writes, SQLAlchemy's choice, the others."""
    usual = ("postgresql", "postgresql+psycopg", "postgresql+asyncpg", "postgresql+psycopg2")
    written = [s.replace("postgres://", "postgresql://") for s in names.schemes if "+" in s]
    return list(dict.fromkeys([*written, *usual]))


def variables(names: Names, direct: Secret, scheme: str) -> dict[str, Secret]:
    """Give the child's variables: every name the project may read, set to the branch."""
    routed = _routed_by_password(direct.reveal())
    url = Secret(as_scheme(routed, scheme))
    split = urlsplit(routed)
    query = dict(parse_qsl(split.query))
    held = {
        "host": split.hostname or query.get("host", ""),
        "port": str(split.port or query.get("port", 5432)),
        "user": unquote(split.username or query.get("user", "")),
        "password": unquote(split.password or ""),
        "database": unquote(split.path.lstrip("/")),
    }
    given = dict.fromkeys(names.addresses, url)
    given |= {name: Secret(held[part]) for name, part in names.parts.items()}
    libpq = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    given |= {variable: Secret(held[part]) for part, variable in libpq.items()}
    given |= {"PGDATABASE": Secret(held["database"]), "NEONDBA_BRANCH_URL": url}
    if "sslmode" in query:
        given["PGSSLMODE"] = Secret(query["sslmode"])
    if "sslrootcert" in query:
        given["PGSSLROOTCERT"] = Secret(query["sslrootcert"])
    return given


def _routed_by_password(url: str) -> str:
    """Put an endpoint named in `options` into the password, as Neon allows.

    Split settings have no place for options, and a `%` in an address breaks the many env.py files that
    hand it to configparser.
    """
    split = urlsplit(url)
    pairs = dict(parse_qsl(split.query))
    endpoint = pairs.pop("options", "")
    if not endpoint.startswith("endpoint=") or not split.password:
        return url
    # Channel binding cannot work: the password is sent as it is, inside TLS.
    pairs.pop("channel_binding", None)
    who, _, where = split.netloc.rpartition("@")
    user, _, password = who.partition(":")
    netloc = f"{user}:{endpoint}${password}@{where}"
    return urlunsplit(split._replace(netloc=netloc, query=urlencode(pairs, quote_via=quote, safe="/:")))


def as_scheme(url: str, scheme: str) -> str:
    """Rewrite a connection string for a driver: asyncpg refuses libpq's parameters."""
    split = urlsplit(url)
    pairs = parse_qsl(split.query)
    if scheme.endswith("asyncpg"):
        tls = [("ssl", "require") for key, value in pairs if key == "sslmode" and value != "disable"]
        pairs = [pair for pair in pairs if pair[0] in ("host", "port")] + tls
    query = urlencode(pairs, quote_via=quote, safe="/:")
    return urlunsplit((scheme, split.netloc, split.path, query, ""))
