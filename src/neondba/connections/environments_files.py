"""The environments of a project, as its files of variables tell: read from disk, ignored ones too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, Platform, parse
from neondba.project.addresses import is_stand_in_host
from neondba.project.env_paths import LARGEST, env_paths
from neondba.project.environment import EnvEntry, EnvFile, env_file
from neondba.project.placeholder import is_template

DEVELOPMENT: Final = "development"
PRODUCTION: Final = "production"
_NAMES: Final = {
    "dev": DEVELOPMENT, "develop": DEVELOPMENT, "development": DEVELOPMENT, "local": DEVELOPMENT,
    "test": "test", "testing": "test", "tests": "test", "ci": "test",
    "stage": "staging", "staging": "staging", "uat": "staging", "qa": "staging",
    "preview": "preview", "previews": "preview", "pr": "preview",
    "prod": PRODUCTION, "production": PRODUCTION, "live": PRODUCTION,
}  # fmt: skip
_IN_VARIABLE: Final = re.compile(
    r"(?:^|_)(?P<name>DEV|DEVELOPMENT|LOCAL|TEST|CI|STAGE|STAGING|UAT|QA|PREVIEW|PROD|PRODUCTION|LIVE)(?:_|$)"
)
_PART: Final = re.compile(
    r"^(?P<of>(?:\w+_)?(?:PG|POSTGRES(?:QL)?|DB|DATABASE))_?"
    r"(?P<part>HOST|SERVER|PORT|USER|USERNAME|PASSWORD|PASS|DB|DATABASE|DBNAME|NAME)$"
)
_PARTS: Final = {
    "HOST": "host", "SERVER": "host", "PORT": "port", "USER": "user", "USERNAME": "user",
    "PASSWORD": "password", "PASS": "password",
    **dict.fromkeys(("DB", "DATABASE", "DBNAME", "NAME"), "database"),
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Held:
    """A connection string to PostgreSQL that an environment's file holds."""

    environment: str
    path: str
    line: int
    variable: str
    address: ConnectionString

    @property
    def place(self) -> str:
        """Give the endpoint, or the host and port, with the database."""
        database = self.address.database or ""
        if self.address.endpoint_id and self.address.platform is not Platform.OTHER:
            return f"{self.address.endpoint_id}/{database}"
        return f"{self.address.host}:{self.address.port or 5432}/{database}"

    @property
    def database_place(self) -> str:
        """Give the endpoint alone, whose branch holds every database; else as `place`."""
        return self.place.partition("/")[0] if self.is_neon else self.place

    @property
    def is_neon(self) -> bool:
        """True for an endpoint of Neon, in the cloud or on this machine."""
        return self.address.endpoint_id is not None and self.address.platform is not Platform.OTHER


def env_files(folder: Path) -> list[EnvFile]:
    """Read every file of the `.env` kind below a folder; git's opinion does not matter."""
    return [env_file(path, text) for path, text in _texts(folder)]


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in env_paths(folder):
        try:
            with path.open("rb") as file:
                text = file.read(LARGEST).decode(errors="replace")
        except OSError:
            continue
        yield str(PurePosixPath(path.relative_to(folder))), text


def environment_of(path: str) -> str:
    """Tell the environment of a file by its name, then by its folders; `.env` alone is development's."""
    parts = PurePosixPath(path).parts
    words = [word for word in re.split(r"[._-]", parts[-1].lower()) if word and word != "env"]
    for word in words:
        # `.env.production.local` is production's, on one machine.
        if word in _NAMES and word != "local":
            return _NAMES[word]
    for folder in reversed(parts[:-1]):
        if folder.lower() in _NAMES:
            return _NAMES[folder.lower()]
    return DEVELOPMENT


def of_variable(name: str) -> str | None:
    """Tell the environment that a variable's name speaks of, if it does."""
    found = _IN_VARIABLE.search(name.upper())
    return _NAMES[found["name"].lower()] if found else None


def held(files: list[EnvFile]) -> list[Held]:
    """Give the connection strings of files that are no examples."""
    found = []
    for file in files:
        if file.is_example:
            continue
        for entry in file.entries:
            address = _address(entry.value)
            if address is not None:
                environment = of_variable(entry.key) or environment_of(file.path)
                found.append(Held(environment, file.path, entry.line, entry.key, address))
        found += _in_parts(file)
    return found


def _in_parts(file: EnvFile) -> Iterator[Held]:
    """Give the addresses that a file holds in parts: host, user, password and database."""
    groups: dict[str, dict[str, EnvEntry]] = {}
    for entry in file.entries:
        match = _PART.match(entry.key.upper())
        if match:
            groups.setdefault(match["of"], {})[_PARTS[match["part"]]] = entry
    for name, parts in groups.items():
        host = parts.get("host")
        text = host.value.reveal() if host else ""
        if host is None or "user" not in parts or not text or is_stand_in_host(text) or is_template(text):
            continue
        known = {part: parts[part].value.reveal() for part in ("user", "port", "database") if part in parts}
        port = known.get("port", "")
        address = ConnectionString(
            "postgresql",
            known["user"],
            parts["password"].value if "password" in parts else None,
            text,
            int(port) if port.isdigit() else None,
            known.get("database"),
        )
        environment = of_variable(name) or environment_of(file.path)
        yield Held(environment, file.path, host.line, host.key, address)


def _address(value: Secret) -> ConnectionString | None:
    text = value.reveal()
    if not text.startswith("postgres"):
        return None
    try:
        found = parse(text)
    except ArgumentProblem:
        return None
    stand_in = not found.host or is_stand_in_host(found.host) or is_template(text)
    return None if stand_in else found
