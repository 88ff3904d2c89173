"""Where a project's files of variables log in with which role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, parse
from neondba.project.env_paths import LARGEST, env_paths
from neondba.project.places import is_example

_URL: Final = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")


@dataclass(frozen=True)
class Use:
    """One connection string of the project."""

    file: str
    name: str
    """The variable."""
    role: str
    url: ConnectionString = field(repr=False)
    mode: str | None = None
    """The PGSSLMODE of the same file: counts where the string says nothing."""

    @property
    def endpoint(self) -> str | None:
        """Give the id of the Neon endpoint."""
        return self.url.endpoint_id

    @property
    def host(self) -> str:
        """Give the host."""
        return self.url.host

    @property
    def password(self) -> Secret | None:
        """Give the password."""
        return self.url.password

    @property
    def place(self) -> str:
        """Name the file and the variable."""
        return f"{self.file} ({self.name})"


def uses(folder: Path) -> tuple[Use, ...]:
    """Read every connection string in a folder's files of variables, also in those that git ignores."""
    paths = [path for path in env_paths(folder) if not is_example(path.name)]
    return tuple(use for path in paths for use in _of(path, path.relative_to(folder).as_posix()))


def _of(path: Path, shown: str) -> Iterator[Use]:
    from neondba.project import env_file

    try:
        if path.stat().st_size > LARGEST:
            return
        text = env_file.read(path)
    except (ArgumentProblem, OSError):
        return
    mode = text.value("PGSSLMODE")
    for name in text.names:
        value = text.value(name)
        if value is None or not _URL.match(value.reveal()):
            continue
        try:
            url = parse(value)
        except ArgumentProblem:
            continue
        if url.role:
            yield Use(shown, name, url.role, url, mode.reveal() if mode else None)
